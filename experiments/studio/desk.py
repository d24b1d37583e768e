"""The desk: it takes tasks, lets them wait for a worker, and gives tickets for them.

One run is painted at a time, while instructions are read and objects found in another process.
"""

from __future__ import annotations

import sys
import threading
import traceback
from collections.abc import Mapping
from typing import Any

from datamodules.support.errors import AtelierError, reason
from experiments.studio.line import Line
from experiments.studio.serving import INSIDE
from experiments.studio.tasks import PAINTING, READING, Task
from experiments.studio.ticket import Ticket
from experiments.studio.worker import Worker


class Desk:
    """The queues, and the workers that take from them.

    most_waiting: tasks that wait for one worker. most_each: tasks of one session for one worker,
    with that at work. workers: by the names that tasks have for them.
    """

    def __init__(
        self,
        most_waiting: int = 20,
        most_each: int = 3,
        workers: Mapping[str, Worker] | None = None,
    ) -> None:
        self.workers = workers or {name: Worker(name) for name in (READING, PAINTING)}
        self._lines = {name: Line(most_waiting, most_each) for name in self.workers}
        self._threads = [
            threading.Thread(target=self._work, args=(name,), name=f"desk-{name}", daemon=True)
            for name in self.workers
        ]
        for thread in self._threads:
            thread.start()

    def submit(self, session: str, task: Task, page: str = "") -> Ticket:
        """A ticket for a task; AtelierError, with the limit, where too many wait.

        page: one of several tabs of the session.
        """
        line = self._lines[task.worker]
        ticket = Ticket(session, page, task, line.remove)
        line.put(ticket)
        return ticket

    def tickets(self, session: str, page: str | None = None) -> list[Ticket]:
        """Tickets of a session, or of one of its tabs, that wait or are at work."""
        every = [ticket for line in self._lines.values() for ticket in line.tickets()]
        own = [ticket for ticket in every if ticket.session == session and not ticket.ended]
        return [ticket for ticket in own if page in (None, ticket.page)]

    def forget(self, session: str, page: str | None = None) -> None:
        """Cancel everything of a session, or of one of its tabs, that was closed."""
        for ticket in self.tickets(session, page):
            ticket.cancel()

    def warm(self, tasks: Mapping[str, Any]) -> None:
        """Start workers in the background, by name, with tasks that load what later ones need."""
        for name, task in tasks.items():
            self.workers[name].warm(task)

    def close(self) -> None:
        """Cancel everything, and end threads and processes."""
        for line in self._lines.values():
            line.close()
        for worker in self.workers.values():
            worker.close()
        for thread in self._threads:
            thread.join()

    def _work(self, name: str) -> None:
        while ticket := self._lines[name].take():
            if ticket.ended:
                continue
            try:
                ticket.end(_result(self.workers[name], ticket))
            except AtelierError as error:
                ticket.end(error=error)
            except Exception as error:
                traceback.print_exc(file=sys.stderr)
                ticket.end(error=AtelierError(f"{INSIDE}: {reason(error)}"))


def _result(worker: Worker, ticket: Ticket) -> Any:
    return worker.run(ticket.task, ticket.tell, ticket.stopped, ticket.abandoned)
