"""Values of all types, at the edges of how MessagePack writes them."""

import math
import sys

from msgpack import ExtType

sys.setrecursionlimit(10000)  # For those that are deep.

INTEGERS = [
    *(0, 127, 128, 255, 256, 2**16 - 1, 2**16, 2**32 - 1, 2**32, 2**63 - 1, 2**63, 2**64 - 1),
    *(-1, -32, -33, -128, -129, -(2**15), -(2**15) - 1, -(2**31), -(2**31) - 1, -(2**63)),
]
FLOATS = [0.0, -0.0, 1.0, 1.5, 0.1, 5e-324, 1.7976931348623157e308, math.inf, -math.inf, math.nan]
LENGTHS = [0, 1, 15, 16, 31, 32, 255, 256, 2**16 - 1, 2**16]
EXTENSIONS = [0, 1, 2, 4, 8, 16, 17, 255, 256, 2**16]


def nested(depth):
    value = []
    for _ in range(depth - 1):
        value = [value]
    return value


def values():
    """Pairs of a name and a value."""
    for value in (None, True, False, *INTEGERS, *FLOATS):
        yield repr(value), value
    yield "text of several scripts", "h\u00e9\u4e16\U0001f600\0"
    yield "bytes that are no text", b"\0\xff\x80ab"
    yield "a bytearray", bytearray(b"\0\xff")
    yield "arrays and maps in each other", [1, [2, 3], (4,), {"a": [None, True, {"b": {}}]}]
    yield "arrays 100 deep", nested(100)
    for length in LENGTHS:
        yield "text of {}".format(length), "x" * length
        yield "bytes of {}".format(length), b"\xff" * length
        yield "array of {}".format(length), [1] * length
        yield "map of {}".format(length), {key: None for key in range(length)}
    for key in (None, True, 7, -7, 1.5, "", "text", b"bytes", (1, ("a",))):
        yield "map with the key {!r}".format(key), {key: 1}
    for length in EXTENSIONS:
        yield "extension of {}".format(length), ExtType(length % 128, b"\xff" * length)


def large_values():
    yield "32 MiB of bytes", b"\xff" * 2**25
    yield "32 MiB of text", "x" * 2**25
    yield "array of 300000", list(range(300000))
    yield "array of 300000 texts", [str(number) for number in range(300000)]
    yield "arrays 500 deep", nested(500)


def same(got, sent):
    """Whether a value came back with its types; arrays come as tuples, and a bytearray as bytes."""
    if isinstance(sent, (list, tuple)) and not isinstance(sent, ExtType):
        return type(got) is tuple and len(got) == len(sent) and all(map(same, got, sent))
    if isinstance(sent, dict):
        return type(got) is dict and same(list_of(got), list_of(sent))
    if isinstance(sent, bytearray):
        sent = bytes(sent)
    return type(got) is type(sent) and repr(got) == repr(sent)


def list_of(entries):
    """The entries of a map in one order, as tuples."""
    return tuple(sorted(entries.items(), key=repr))
