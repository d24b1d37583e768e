"""The process of a worker: it carries out tasks until nobody writes to it any more."""

from __future__ import annotations

import os
import signal
import sys
import threading
import traceback
import warnings
from collections.abc import Callable
from multiprocessing.connection import Connection
from queue import SimpleQueue
from typing import Any

from datamodules.support.errors import AtelierError, reason, wrapped_error
from experiments.run.visit import AtelierWarning
from experiments.studio.messages import Begin, End, Event, Stop


def serve(pipe: Connection) -> None:
    """Carry out the tasks of Begin messages, one at a time; each is answered by Events and an End.

    When the other end of the pipe is closed, or its process has died, this one ends at once.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl-C is for the server, which closes us
    # Warnings are part of the results.
    warnings.simplefilter("ignore", AtelierWarning)
    inbox = Inbox(pipe)
    threading.Thread(target=inbox.fill, daemon=True).start()
    while True:
        begin = inbox.tasks.get()
        _answer(pipe, _end_of(begin.task, pipe, lambda n=begin.number: n in inbox.stopped))


class Inbox:
    """Messages that have come: tasks in their order, and the numbers of those to be stopped."""

    def __init__(self, pipe: Connection) -> None:
        self.pipe = pipe
        self.tasks: SimpleQueue[Begin] = SimpleQueue()
        self.stopped: set[int] = set()

    def fill(self) -> None:
        """Read the pipe, also while a task is at work, until it is closed."""
        try:
            while True:
                message = self.pipe.recv()
                if isinstance(message, Stop):
                    self.stopped.add(message.number)
                else:
                    self.tasks.put(message)
        except (EOFError, OSError):
            os._exit(0)  # whatever the main thread does


def _end_of(task: Any, pipe: Connection, stop_asked: Callable[[], bool]) -> End:
    try:
        return End(task.carry_out(lambda event: pipe.send(Event(event)), stop_asked))
    except AtelierError as error:
        return End(failure=str(error))
    except BaseException as error:  # SystemExit, too: the process stays
        if sentence := wrapped_error(error):
            return End(failure=str(sentence))
        traceback.print_exc(file=sys.stderr)
        return End(failure=f"This went wrong inside Atelier: {reason(error)}")


def _answer(pipe: Connection, end: End) -> None:
    try:
        pipe.send(end)
    except (TypeError, ValueError, AttributeError) as error:  # what pickle raises
        traceback.print_exc(file=sys.stderr)
        pipe.send(End(failure=f"This went wrong inside Atelier: {reason(error)}"))
