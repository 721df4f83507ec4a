"""What the Python servers of the tests serve."""

import gevent


class Methods(object):
    """Without meta maps, as mprpc and the published dogerpc take them."""

    def __init__(self):
        self._counted = 0

    def echo(self, value):
        return value

    def sum(self, a, b):
        return a + b

    def boom(self):
        raise ValueError("boom")

    def empty(self):
        """Fails without a text."""
        raise ValueError()

    def slow(self, ms):
        gevent.sleep(ms / 1000)
        return ms

    def size(self, count):
        """So many bytes."""
        return bytes(count)

    def length(self, value):
        return len(value)

    def shown(self, value):
        """The value as Python writes it, which tells text from bytes and an integer from a float."""
        return repr(value)

    def count(self):
        """How often this was called."""
        self._counted += 1
        return self._counted
