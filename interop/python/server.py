"""An mprpc server; says `ready PORT` once it listens.

With --meta the first parameter of each method is the meta map, as with doge from its repository, which is made of the
same mprpc. `meta` gives it back.
"""

import argparse

from gevent.server import StreamServer
from mprpc import RPCServer

from methods import Methods


class Server(Methods, RPCServer):
    def __init__(self):
        Methods.__init__(self)
        RPCServer.__init__(self)


class ServerWithMeta(RPCServer):
    def __init__(self):
        RPCServer.__init__(self)
        methods = Methods()
        for name in vars(Methods):
            if not name.startswith("_"):
                setattr(self, name, with_meta(getattr(methods, name)))

    def meta(self, meta):
        return meta


def with_meta(method):
    def handler(*parameters):
        parameters[0]  # As in doge, a call that has none fails.
        return method(*parameters[1:])

    return handler


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--port", type=int, default=0, help="any that is free unless set")
    parser.add_argument("--meta", action=argparse.BooleanOptionalAction, required=True)
    parser.add_argument("--limit-conn", type=int, default=0, help="connections served at a time, if not all")
    options = parser.parse_args()
    handler = ServerWithMeta() if options.meta else Server()
    server = StreamServer(("127.0.0.1", options.port), handler, spawn=options.limit_conn or "default")
    server.start()
    print("ready", server.server_port, flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
