"""Calls that come line by line, and what becomes of them."""

import json
import sys

import gevent


def outcome(call):
    """What a call returns or raises, for `say`."""
    try:
        return {"result": call()}
    except Exception as error:
        return {"error": "{}: {}".format(type(error).__name__, error)}


def say(outcome):
    """Prints a line of JSON. Bytes, which JSON does not have, are shown as Python writes them."""
    print(json.dumps(outcome, default=repr), flush=True)


def answer_lines(call):
    """Makes the call of each line of the input, [METHOD, ARGUMENT...], and says its outcome."""
    for line in iter(read_line, ""):
        say(outcome(lambda: call(*json.loads(line))))


def read_line():
    """Lets other greenlets run meanwhile."""
    return gevent.get_hub().threadpool.apply(sys.stdin.readline)
