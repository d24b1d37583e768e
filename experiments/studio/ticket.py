"""A ticket: a task that waits, is at work or has ended, as the page sees it."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from datamodules.support.errors import AtelierError
from experiments.studio.tasks import Stage


class CancelledError(AtelierError):
    """The task was cancelled, or a newer one has taken its place."""


@dataclass(frozen=True)
class Place:
    """A place in the queue: 0 = at work, 1 = next."""

    number: int


class Ticket:
    """A task on its way through the queue.

    session, page: whose it is, and the tab from which it comes. leave: takes it out of the queue;
    False if it does not wait any more.
    """

    def __init__(self, session: str, page: str, task: Any, leave: Callable[[Ticket], bool]) -> None:
        self.session, self.page, self.task = session, page, task
        self.stopped, self.abandoned = threading.Event(), threading.Event()
        self._leave = leave
        self._change = threading.Condition()
        self._events: deque[Any] = deque()
        self._place: int | None = None
        self._ended = False
        self._result: Any = None
        self._error: AtelierError | None = None

    @property
    def place(self) -> int | None:
        """0 = at work, 1 = next, ...; None once it has ended."""
        return None if self._ended else self._place

    @property
    def ended(self) -> bool:
        """Whether there is a result or an error."""
        return self._ended

    def events(self, timeout: float | None = None) -> Iterator[Any]:
        """Places and events of the task, each once, as they come; returns the result.

        timeout: seconds of silence after which None comes, so that the caller can look around;
        None = never. Raises AtelierError if the task fails, CancelledError if it is cancelled.
        """
        while True:
            with self._change:
                self._change.wait_for(lambda: self._events or self._ended, timeout)
                event = self._events.popleft() if self._events else None
                if event is None and self._ended:
                    break
            yield event
        return self.result()

    def result(self, timeout: float | None = None) -> Any:
        """The result, once there is one; errors as `events`, and TimeoutError."""
        with self._change:
            if not self._change.wait_for(lambda: self._ended, timeout):
                raise TimeoutError
        if self._error:
            raise self._error
        return self._result

    def stop(self) -> None:
        """End the task with what it has; one that waits still is cancelled."""
        self.stopped.set()
        if self._leave(self):
            self.end(error=CancelledError("It was stopped before it began"))

    def cancel(self, why: str = "It was cancelled") -> None:
        """End the task at once, and throw away what it has."""
        self.abandoned.set()
        self._leave(self)
        self.end(error=CancelledError(why))

    def move(self, place: int) -> None:
        """Note the place in the queue."""
        if place != self._place:
            self._place = place
            self.tell(Place(place))

    def tell(self, event: Any) -> None:
        """Note an event; reports that nobody has taken yet become one, with the last picture."""
        with self._change:
            if self._ended:
                return
            if isinstance(event, Stage) and self._events and isinstance(self._events[-1], Stage):
                event = event.after(self._events.pop())
            self._events.append(event)
            self._change.notify_all()

    def end(self, result: Any = None, error: AtelierError | None = None) -> None:
        """Note the end; only the first counts."""
        with self._change:
            if not self._ended:
                self._ended, self._result, self._error = True, result, error
                self._change.notify_all()
