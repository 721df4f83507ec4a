"""Installs the Python peers of the tests into a virtual environment.

    python3 interop/python/install.py target/python     what requirements.txt names, unless it is there
    python3 interop/python/install.py --check           fails when this Python cannot, and says what it lacks

pip gets the packages from where it is set up to get them.
"""

import argparse
import hashlib
import os
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
REQUIREMENTS = HERE / "requirements.txt"

# What Cython 0.29 generates does not build with newer ones.
OLDEST, NEWEST = (3, 9), (3, 12)

# In the order in which they are needed.
TOOLS = ("setuptools", "wheel", "Cython")
# The C that comes with these is for older Pythons, and is made anew; msgpack's is C++.
REGENERATED = {"msgpack-python": ["--cplus"], "mprpc": []}
# msgpack would go on without its compiled part, at a tenth of the speed.
PROOF = "import msgpack._packer, msgpack._unpacker, mprpc.server, doge.rpc.server, doge.rpc.client"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", nargs="?", type=Path, help="of the virtual environment")
    parser.add_argument("--check", action="store_true", help="whether it can be done, without doing it")
    arguments = parser.parse_args()
    if arguments.check == bool(arguments.folder):
        parser.error("either a folder or --check")
    lacks = missing()
    if lacks:
        sys.exit("this Python, {}, cannot install the peers: {}".format(sys.executable, "; ".join(lacks)))
    if arguments.folder:
        install(arguments.folder.absolute())


def missing():
    """What this Python lacks."""
    lacks = []
    if not OLDEST <= sys.version_info[:2] <= NEWEST:
        lacks.append("its version has to be {}.{} to {}.{}".format(*OLDEST, *NEWEST))
    try:
        import ensurepip  # noqa: F401, Debian keeps it in a package of its own
        import venv  # noqa: F401
    except ImportError:
        lacks.append("no venv (Debian: python3-venv)")
    if not Path(sysconfig.get_path("include"), "Python.h").exists():
        lacks.append("no headers (Debian: python3-dev)")
    for variable in "CC", "CXX":
        command = os.environ.get(variable) or sysconfig.get_config_var(variable)
        if not shutil.which(shlex.split(command)[0]):
            lacks.append("no {} (Debian: g++)".format(command))
    return lacks


def install(folder):
    python = folder / "bin" / "python"
    stamp = folder / "installed"
    if stamp.exists() and stamp.read_text() == state() and proves(python):
        print("{} is as it has to be".format(folder))
        return
    run(sys.executable, "-m", "venv", "--clear", folder)
    versions = dict(line.split("==") for line in requirements())
    for name in TOOLS:
        pip(python, "install", pinned(name, versions))
    pip(python, "install", *(pinned(name, versions) for name in versions if name not in (*TOOLS, *REGENERATED)))
    for name, options in REGENERATED.items():
        with tempfile.TemporaryDirectory() as sources:
            regenerate(python, pinned(name, versions), options, Path(sources))
            pip(python, "install", *Path(sources).iterdir())
    run(python, "-m", "pip", "check")
    run(python, "-c", PROOF)
    stamp.write_text(state())


def regenerate(python, requirement, options, folder):
    """Unpacks the sources of a package into the folder, and makes its C anew."""
    pip(python, "download", "--no-binary", ":all:", "--dest", folder, requirement)
    (archive,) = folder.iterdir()
    shutil.unpack_archive(archive, folder)
    archive.unlink()
    for source in folder.glob("*/*/*.pyx"):
        # -2: they are written in Python 2.
        run(python, "-m", "cython", "-2", *options, source)


def requirements():
    """The lines of the file that are no comments."""
    lines = REQUIREMENTS.read_text().splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def pinned(name, versions):
    return "{}=={}".format(name, versions[name])


def state():
    """Another one, and all is installed anew."""
    parts = (sys.version, sys.base_prefix, REQUIREMENTS.read_text(), Path(__file__).read_text())
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def proves(python):
    """Whether what was installed works: the Python that it was made by may be gone."""
    try:
        return subprocess.run([python, "-c", PROOF], stderr=subprocess.DEVNULL).returncode == 0
    except OSError:
        return False


def pip(python, command, *arguments):
    """Without what a package wants besides: that is in the requirements."""
    options = "--quiet", "--no-deps", "--no-build-isolation", "--disable-pip-version-check"
    run(python, "-m", "pip", command, *options, *arguments)


def run(*command):
    command = [str(part) for part in command]
    print("$", " ".join(map(shlex.quote, command)), flush=True)
    status = subprocess.run(command).returncode
    if status != 0:
        sys.exit("failed with {}: {}".format(status, " ".join(map(shlex.quote, command))))


if __name__ == "__main__":
    main()
