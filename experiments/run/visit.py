"""Visits of other people's programs: what a run sets for its whole process is undone at its end."""

from __future__ import annotations

import logging
import os
import random
import signal
import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from experiments.run.sources import OURS

VARIABLES = ("PL_", "WANDB_")  # beginnings of the names of variables that libraries set


class AtelierWarning(UserWarning):
    """A sentence about what a call could not be sure of, or had to read in one of several ways."""


@contextmanager
def visit() -> Iterator[list[str]]:
    """Yield a list that gets the warnings which Atelier logs inside the block.

    Afterwards random numbers, handlers of signals, filters of warnings, levels of loggers and
    variables of the environment are as before, and each warning is given as an AtelierWarning that
    points to the caller's caller.
    """
    messages: list[str] = []
    try:
        with ExitStack() as stack:
            stack.enter_context(_random_numbers())
            stack.enter_context(_signals())
            stack.enter_context(_variables())
            stack.enter_context(warnings.catch_warnings())
            stack.enter_context(_logs(messages))
            yield messages
    finally:
        messages[:] = dict.fromkeys(messages)
        for message in messages:
            warnings.warn(message, AtelierWarning, stacklevel=4)  # over this and contextlib's


@contextmanager
def _random_numbers() -> Iterator[None]:
    """Keep the states of random numbers; libraries that are not imported yet are left alone."""
    if "torch" in sys.modules:
        from lightning.pytorch.utilities.seed import isolate_rng

        with isolate_rng():
            yield
        return
    own, numpy = random.getstate(), sys.modules.get("numpy")
    state = numpy and numpy.random.get_state()
    try:
        yield
    finally:
        random.setstate(own)
        if numpy:
            numpy.random.set_state(state)
        elif "numpy" in sys.modules:
            sys.modules["numpy"].random.seed()
        if "torch" in sys.modules:
            sys.modules["torch"].seed()


@contextmanager
def _signals() -> Iterator[None]:
    """Lightning leaves Ctrl-C ignored once it has come."""
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.getsignal(number) for number in numbers}
    try:
        yield
    finally:
        if threading.current_thread() is threading.main_thread():
            for number, handler in before.items():
                signal.signal(number, handler)


@contextmanager
def _variables() -> Iterator[None]:
    before = {name: value for name, value in os.environ.items() if name.startswith(VARIABLES)}
    try:
        yield
    finally:
        for name in [name for name in os.environ if name.startswith(VARIABLES)]:
            del os.environ[name]
        os.environ.update(before)


class _Collector(logging.Handler):
    def __init__(self, messages: list[str]) -> None:
        super().__init__(logging.WARNING)
        self.messages = messages

    def emit(self, record: logging.LogRecord) -> None:
        self.messages.append(record.getMessage())


@contextmanager
def _logs(messages: list[str]) -> Iterator[None]:
    own = [logging.getLogger(package) for package in OURS]
    talkers = [logging.getLogger(name) for name in ("lightning.pytorch", "lightning.fabric")]
    levels = {talker: talker.level for talker in talkers}
    collector = _Collector(messages)
    for logger in own:
        logger.addHandler(collector)
    try:
        yield
    finally:
        for logger in own:
            logger.removeHandler(collector)
        for talker, level in levels.items():
            talker.setLevel(level)
