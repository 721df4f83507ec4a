"""A server of dogerpc as published; says `ready PORT` once it listens.

It gets the JSON that dogerpc takes as its file of settings, with `registry` and `service`.
"""

from gevent import monkey

monkey.patch_socket()  # As doge wants it, before anything else.

import argparse
import json

import gevent
from doge.rpc.server import new_server
from gevent import socket

from methods import Methods
from settings import file_of


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("settings", help="JSON")
    settings = parser.parse_args().settings
    with file_of(settings) as name:
        server = new_server(name)
    server.load(Methods)
    service = json.loads(settings)["service"]
    gevent.spawn(say_ready, service["host"], service["port"])
    server.run()


def say_ready(host, port):
    """Doge registers first, listens then, and tells nobody."""
    while True:
        try:
            socket.create_connection((host, port)).close()
            break
        except ConnectionRefusedError:
            gevent.sleep(0.01)
    print("ready", port, flush=True)


if __name__ == "__main__":
    main()
