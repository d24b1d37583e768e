"""The process of a worker: it carries out tasks until nobody writes to it any more."""

from __future__ import annotations

import os
import signal
import sys
import threading
import traceback
import warnings
from multiprocessing.connection import Connection
from pickle import PicklingError
from queue import SimpleQueue
from typing import Any

from datamodules.support.errors import reason, wrapped_error
from experiments.run.visit import AtelierWarning
from experiments.studio.messages import Begin, End, Event, Stop

INSIDE = "This went wrong inside Atelier"


def serve(pipe: Connection) -> None:
    """Carry out the tasks of Begin messages, one at a time; each is answered by Events and an End.

    When the other end of the pipe is closed, or its process has died, this one ends at once.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl-C is for the server, which closes us
    warnings.simplefilter("ignore", AtelierWarning)  # they are part of the results
    inbox = Inbox(pipe)
    threading.Thread(target=inbox.fill, daemon=True).start()
    while True:
        begin = inbox.tasks.get()
        _answer(pipe, _end_of(begin.task, Hooks(pipe, inbox, begin.number)))


class AbandonedError(Exception):
    """Nobody waits for the task at work any more."""


class Inbox:
    """Messages that have come: tasks in their order, and the numbers of those that are to end."""

    def __init__(self, pipe: Connection) -> None:
        self.pipe = pipe
        self.tasks: SimpleQueue[Begin] = SimpleQueue()
        self.stopped: set[int] = set()
        self.abandoned: set[int] = set()

    def fill(self) -> None:
        """Read the pipe, also while a task is at work, until it is closed."""
        try:
            while True:
                message = self.pipe.recv()
                if isinstance(message, Begin):
                    self.tasks.put(message)
                elif isinstance(message, Stop):
                    (self.abandoned if message.abandon else self.stopped).add(message.number)
        except (EOFError, OSError):
            os._exit(0)  # whatever the main thread does


class Hooks:
    """Functions that a task gets; both raise AbandonedError once nobody waits for it."""

    def __init__(self, pipe: Connection, inbox: Inbox, number: int) -> None:
        self.pipe, self.inbox, self.number = pipe, inbox, number

    def tell(self, event: Any) -> None:
        """Send an event to the page."""
        if self.abandoned:
            raise AbandonedError
        self.pipe.send(Event(self.number, event))

    def stop_asked(self) -> bool:
        """Whether the task is to end with what it has."""
        if self.abandoned:
            raise AbandonedError
        return self.number in self.inbox.stopped

    @property
    def abandoned(self) -> bool:
        """Whether nobody waits for the task."""
        return self.number in self.inbox.abandoned


def _end_of(task: Any, hooks: Hooks) -> End:
    try:
        return End(hooks.number, task.carry_out(hooks.tell, hooks.stop_asked))
    except BaseException as error:  # SystemExit, too: the process stays
        if hooks.abandoned:
            return End(hooks.number, failure="It was abandoned")
        if sentence := wrapped_error(error):
            return End(hooks.number, failure=str(sentence))
        traceback.print_exc(file=sys.stderr)
        return End(hooks.number, failure=f"{INSIDE}: {reason(error)}")


def _answer(pipe: Connection, end: End) -> None:
    try:
        pipe.send(end)
    except (TypeError, ValueError, AttributeError, PicklingError) as error:
        traceback.print_exc(file=sys.stderr)
        pipe.send(End(end.number, failure=f"{INSIDE}: {reason(error)}"))
