"""Many calls at once, and whether each got its own answer."""

import gevent

# What mprpc says to the answer of another call, and to all later ones on that connection.
DESYNCHRONISED = "Invalid Message ID"


def soak(call, calls, concurrency):
    """Makes so many calls from so many greenlets; `call` takes a method and its arguments.

    A call fails when it raises what it should not, and is desynchronised when it gets what is not for it.
    """
    seen = {"calls": 0, "failed": 0, "desynchronised": 0, "first_failure": None}
    numbers = iter(range(calls))

    def work():
        for number in numbers:
            seen["calls"] += 1
            try:
                if not right(call, number):
                    seen["desynchronised"] += 1
            except Exception as error:
                kind = "desynchronised" if DESYNCHRONISED in str(error) else "failed"
                seen[kind] += 1
                seen["first_failure"] = seen["first_failure"] or repr(error)

    gevent.joinall([gevent.spawn(work) for _ in range(concurrency)], raise_error=True)
    return seen


def right(call, number):
    """Makes a call that no other call is answered like; now and then one that is slow, large or fails."""
    kind = number % 20
    if kind == 0:
        return call("slow", number % 7) == number % 7
    if kind == 1:
        return len(call("size", number % 50000)) == number % 50000
    if kind == 2:
        try:
            call("boom")
        except Exception as error:
            if str(error) == "boom":
                return True
            raise
        return False
    if kind < 10:
        return call("sum", number, 1) == number + 1
    return call("echo", {"number": number}) == {"number": number}
