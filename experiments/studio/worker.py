"""A worker: a process of its own that carries out one task at a time, and stays warm."""

from __future__ import annotations

import math
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from typing import Any

from datamodules.support.errors import AtelierError
from experiments.studio.messages import Begin, End, Stop

TICK = 0.1  # seconds between two looks whether somebody wants the end
PATIENCE = 20.0  # seconds that an abandoned task has to end by itself: it may load a network
PROGRAM = """
import sys
from multiprocessing.connection import Connection
pipe = Connection(int(sys.argv[1]))
sys.path[:] = pipe.recv()
from experiments.studio.serving import serve
serve(pipe)
"""
MEMORY = "the machine may be short of memory: try a smaller size"


class Worker:
    """A process for tasks, started by the first and replaced after its death.

    name: for sentences, "painting". patience: seconds that an abandoned task has to end by itself.
    """

    def __init__(self, name: str, patience: float = PATIENCE) -> None:
        self.name, self.patience = name, patience
        self._turn = threading.Lock()  # one task at a time
        self._change = threading.Lock()  # of what follows
        self._process: subprocess.Popen | None = None
        self._pipe: Connection | None = None
        self._closed = False
        self._number = 0
        self._warming: threading.Thread | None = None

    @property
    def pid(self) -> int | None:
        """Number of the process, None where there is none now."""
        process = self._process
        return process.pid if process and process.poll() is None else None

    def run(
        self,
        task: Any,
        on_event: Callable[[Any], None] = lambda event: None,
        stop: threading.Event | None = None,
        abandoned: threading.Event | None = None,
    ) -> Any:
        """The result of a task, after those that others run now.

        on_event: gets its events, in this thread. stop: once set, the task ends with what it has.
        abandoned: once set, nobody waits for the result, and the task ends as soon as it can; after
        some patience its process does.

        Raises AtelierError for a task that fails, and for a process that dies.
        """
        with self._turn:
            pipe = self._ready()
            self._number += 1
            try:
                pipe.send(Begin(self._number, task))
                end = self._end(pipe, on_event, stop or _NEVER, abandoned or _NEVER)
            except (EOFError, OSError) as error:
                raise AtelierError(self._obituary()) from error
        if end.failure:
            raise AtelierError(end.failure)
        return end.result

    def _end(
        self,
        pipe: Connection,
        on_event: Callable[[Any], None],
        stop: threading.Event,
        abandoned: threading.Event,
    ) -> End:
        """The last message about the task at work; EOFError or OSError when the process dies."""
        wishes = {False: stop, True: abandoned}
        deadline = math.inf
        while True:
            for abandon in [each for each, wish in wishes.items() if wish.is_set()]:
                del wishes[abandon]
                pipe.send(Stop(self._number, abandon))
                deadline = time.monotonic() + self.patience if abandon else deadline
            if time.monotonic() > deadline:
                self._kill()
            message = pipe.recv() if pipe.poll(TICK) else None
            if message is None or message.number != self._number:  # of a task that nobody awaited
                continue
            if isinstance(message, End):
                return message
            on_event(message.value)

    def _ready(self) -> Connection:
        """Our end of the pipe of a process that lives."""
        with self._change:
            if self._closed:
                raise AtelierError("The studio is closing; start it again")
            if not self.pid:
                self._bury()
                self._start()
            return self._pipe

    def _start(self) -> None:
        self._pipe, theirs = Pipe()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-c", PROGRAM, str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                start_new_session=True,  # a Ctrl-C that is meant for the server does not reach it
                stdin=subprocess.DEVNULL,
                stdout=2,  # stdout is for results
                env=os.environ | {"OMP_WAIT_POLICY": "PASSIVE"},
            )
        with suppress(OSError):  # it has died already, which the task will notice
            self._pipe.send(sys.path)

    def _bury(self) -> None:
        """End the process, if there is one, and close its pipe."""
        if self._process:
            self._kill()
            self._process.wait()
            self._pipe.close()
        self._process = self._pipe = None

    def _kill(self) -> None:
        """Kill the process, and those that it has started, unless it is dead."""
        if self.pid:
            with suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)

    def _obituary(self) -> str:
        with self._change:
            code = self._process.wait() if self._process else 0
            self._bury()
        if self._closed:
            return "The studio has been closed"
        how = f"by signal {-code}" if code < 0 else f"with code {code}"
        return f"The process for {self.name} has ended {how}; {MEMORY}, or try again"

    def warm(self, task: Any) -> None:
        """Start the process in the background, with a task that loads what later ones need."""
        self._warming = threading.Thread(target=self._warm, args=(task,), daemon=True)
        self._warming.start()

    def _warm(self, task: Any) -> None:
        try:
            self.run(task)
        except AtelierError as error:
            if not self._closed:
                print(f"atelier: the process for {self.name} is cold: {error}", file=sys.stderr)

    def close(self) -> None:
        """End the process; a task at work fails."""
        with self._change:
            self._closed = True
            self._kill()
        with self._turn, self._change:
            self._bury()
        if self._warming:
            self._warming.join()


_NEVER = threading.Event()
