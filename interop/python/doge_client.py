"""A client of dogerpc as published, which makes the calls that come on its input, or a soak.

It gets the JSON that dogerpc takes as its file of settings, with `registry` and `refer`.
"""

from gevent import monkey

monkey.patch_socket()  # As doge wants it, before anything else.

import argparse
import logging

from doge.rpc.client import Cluster

from outcome import answer_lines, say
from settings import file_of
from soak import soak


def main():
    logging.getLogger("doge").addHandler(logging.NullHandler())  # It logs each error that is raised as well.
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("settings", help="JSON")
    parser.add_argument("service")
    parser.add_argument("--soak", type=int, metavar="CALLS", help="so many calls of all kinds, instead of the input's")
    parser.add_argument("--concurrency", type=int, default=3, help="of the soak; doge has 3 connections to a server")
    options = parser.parse_args()
    with file_of(options.settings) as name:
        client = Cluster(name).get_client(options.service)
    if options.soak:
        say(soak(client.call, options.soak, options.concurrency))
    else:
        answer_lines(client.call)


if __name__ == "__main__":
    main()
