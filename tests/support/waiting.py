"""Waiting for an event instead of a number of seconds."""

import time


def wait_until(condition, what, seconds=120, every=0.02):
    """The first true value of `condition()`; fails with `what` when `seconds` have passed.

    every: seconds between two calls; more where a call starts a process.
    """
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, f"waited {seconds} s in vain: {what}"
        time.sleep(every)
    return value
