"""An mprpc client that runs a scenario, and prints its outcomes as lines of JSON, the last of them {"end": true}."""

import argparse
import contextlib
import time

import gevent
from doge.common.utils import ConnPool
from mprpc import RPCPoolClient

from outcome import answer_lines, outcome, say
from soak import soak
from values import large_values, same, values


class Client(object):
    """Calls one server over a pool of connections, which is doge's and gsocketpool's."""

    def __init__(self, options, connections=1, timeout=None):
        self.meta = ({},) if options.meta else ()
        address = dict(host="127.0.0.1", port=options.port, timeout=timeout)
        self.pool = ConnPool(RPCPoolClient, address, max_connections=connections, reap_expired_connections=False)

    def call(self, method, *arguments):
        return self.call_plain(method, *self.meta, *arguments)

    def call_plain(self, method, *parameters):
        """With these parameters and no others."""
        with self.connection() as connection:
            return connection.call(method, *parameters)

    @contextlib.contextmanager
    def connection(self):
        with self.pool.connection() as connection:
            if not connection.is_connected():
                connection.open()
            yield connection

    def outcome(self, method, *arguments):
        return outcome(lambda: self.call(method, *arguments))


def run_calls(options):
    """The calls that come on the input, each a JSON array of a method and its parameters."""
    answer_lines(Client(options).call_plain)
    return ()


def run_values(options):
    """All types there and back."""
    return there_and_back(Client(options), values())


def run_large(options):
    """Large values there and back."""
    return there_and_back(Client(options), large_values())


def there_and_back(client, values):
    for name, value in values:
        seen = client.outcome("echo", value)
        if "error" not in seen:
            seen = {"same": same(seen["result"], value)}
        yield dict(case=name, **seen)


def run_errors(options):
    """Calls that fail, each with one behind it that does not."""
    client = Client(options)
    calls = (
        ("a method that fails", "boom"),
        ("a method that fails without a text", "empty"),
        ("too few arguments", "sum", 1),
        ("too many arguments", "sum", 1, 2, 3),
        ("an argument of another type", "sum", "a", 1),
        ("an unknown method", "no_such_method"),
        ("a hidden method", "_hidden"),
    )
    for name, method, *arguments in calls:
        yield dict(case=name, **client.outcome(method, *arguments))
        yield dict(case="after " + name, **client.outcome("sum", 1, 2))


def run_timeout(options):
    """A client with no more patience, whose next calls must not get the answer that comes too late."""
    client = Client(options, timeout=0.3)
    yield dict(case="too slow", **client.outcome("slow", 600))
    yield dict(case="at once", **client.outcome("echo", "at once"))
    gevent.sleep(0.6)
    yield dict(case="later", **client.outcome("echo", "later"))


def run_pool(options):
    """More callers than connections, of which there are 3 as in doge."""
    client = Client(options, connections=3)
    callers = [gevent.spawn(client.outcome, "slow", 20 + number) for number in range(30)]
    gevent.joinall(callers)
    right = [caller.value == {"result": 20 + number} for number, caller in enumerate(callers)]
    yield {"case": "pool", "right": sum(right), "connections": client.pool.size}


def run_soak(options):
    """As many calls as wanted, of all kinds."""
    client = Client(options, connections=options.concurrency)
    yield dict(case="soak", **soak(client.call, options.calls, options.concurrency))


def run_rate(options):
    """Calls a second, over one connection and over 16."""
    for connections in (1, 16):
        client = Client(options, connections)
        yield {"case": "rate", "connections": connections, "calls_per_second": rate(client, connections, options.seconds)}


def rate(client, callers, seconds):
    done = [0] * callers
    started = time.monotonic()

    def work(number):
        with client.connection() as connection:
            while time.monotonic() - started < seconds:
                connection.call("sum", *client.meta, 1, 2)
                done[number] += 1

    gevent.joinall([gevent.spawn(work, number) for number in range(callers)], raise_error=True)
    return round(sum(done) / (time.monotonic() - started))


SCENARIOS = {name[len("run_"):]: run for name, run in list(globals().items()) if name.startswith("run_")}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("scenario", choices=SCENARIOS)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--meta", action=argparse.BooleanOptionalAction, required=True)
    parser.add_argument("--calls", type=int, default=10000, help="of the soak")
    parser.add_argument("--concurrency", type=int, default=16, help="of the soak")
    parser.add_argument("--seconds", type=float, default=2, help="for each rate")
    options = parser.parse_args()
    for line in SCENARIOS[options.scenario](options):
        say(line)
    say({"end": True})


if __name__ == "__main__":
    main()
