"""Processes below another one, which a test may end."""

import os
import signal
import subprocess
from contextlib import suppress

from tests.support.waiting import wait_until


def below(pid):
    """The command lines of all processes below one, at any depth, by process id."""
    listed = subprocess.run(
        ["ps", "-e", "-ww", "-o", "pid=,ppid=,args="], capture_output=True, text=True
    ).stdout
    rows = [line.split(None, 2) for line in listed.splitlines()]
    inside = {pid}
    while more := {int(p) for p, parent, _ in rows if int(parent) in inside} - inside:
        inside |= more
    return {int(p): words for p, _, words in rows if int(p) in inside - {pid}}


def at_work(ray):
    """Whether a worker below a process of Ray's, or below a driver, makes a run now."""
    return any("ray::_make" in words for words in below(ray.pid).values())


def kill_below(pid, word, number=signal.SIGKILL):
    """Send a signal to the first process below one whose command line has a word in it."""

    def first():
        return next((p for p, words in below(pid).items() if word in words), None)

    os.kill(wait_until(first, f"no process with {word} in its command line", every=0.2), number)


def kill_all(pid):
    """End a process and all below it at once."""
    for each in [pid, *below(pid)]:
        with suppress(ProcessLookupError):
            os.kill(each, signal.SIGKILL)
