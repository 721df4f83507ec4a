"""Settings for dogerpc, which only takes them from a file."""

import contextlib
import tempfile


@contextlib.contextmanager
def file_of(text):
    """The name of a file with this text, which is gone at the end."""
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        file.write(text)
        file.flush()
        yield file.name
