"""Waiting for an event instead of a number of seconds."""

import time


def wait_until(condition, what, seconds=120):
    """The first true value of `condition()`; fails with `what` when `seconds` have passed."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, f"waited {seconds} s in vain: {what}"
        time.sleep(0.02)
    return value
