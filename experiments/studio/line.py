"""The queue of one worker: sessions take turns, so that nobody's many tasks hold up others."""

from __future__ import annotations

import threading
from collections import OrderedDict, deque
from collections.abc import Iterator

from datamodules.support.errors import AtelierError
from experiments.studio.ticket import Ticket


class Line:
    """Tickets that wait, by session, and the one at work.

    most_waiting: tickets that wait at a time. most_each: of one session, with the one at work.
    """

    def __init__(self, most_waiting: int, most_each: int) -> None:
        self.most_waiting, self.most_each = most_waiting, most_each
        self._change = threading.Condition()
        self._waiting: OrderedDict[str, deque[Ticket]] = OrderedDict()
        self._at_work: Ticket | None = None
        self._closed = False

    def put(self, ticket: Ticket) -> None:
        """Let a ticket wait; AtelierError where there are too many."""
        with self._change:
            self._refuse_closed()
            older = self._older(ticket) if ticket.task.newest_only else None
            if not older:
                self._check(ticket.session)
                self._waiting.setdefault(ticket.session, deque()).append(ticket)
            else:
                own = self._waiting[ticket.session]
                own[own.index(older)] = ticket
            self._number()
            self._change.notify_all()
        if older:
            older.cancel("A newer one has taken its place")

    def _older(self, ticket: Ticket) -> Ticket | None:
        own = self._waiting.get(ticket.session, ())
        like = (each for each in own if type(each.task) is type(ticket.task))
        return next((each for each in like if each.page == ticket.page), None)

    def _refuse_closed(self) -> None:
        if self._closed:
            raise AtelierError("The studio is closing; start it again")

    def _check(self, session: str) -> None:
        at_work = self._at_work is not None and self._at_work.session == session
        if len(self._waiting.get(session, ())) + at_work >= self.most_each:
            raise AtelierError(
                f"{self.most_each} tasks of yours wait already or are at work; wait for one, or "
                "stop one"
            )
        if sum(map(len, self._waiting.values())) >= self.most_waiting:
            raise AtelierError(
                f"{self.most_waiting} tasks wait already, the most that may; try again in a minute"
            )

    def take(self) -> Ticket | None:
        """The next ticket, which is at work from now on; waits for one. None once closed."""
        with self._change:
            self._at_work = None
            self._change.wait_for(lambda: self._waiting or self._closed)
            if self._closed:
                return None
            session, own = self._waiting.popitem(last=False)
            self._at_work = own.popleft()
            if own:
                self._waiting[session] = own  # at the end
            self._number()
            return self._at_work

    def remove(self, ticket: Ticket) -> bool:
        """Take a ticket out; False if it does not wait."""
        with self._change:
            own = self._waiting.get(ticket.session, ())
            if ticket not in own:
                return False
            own.remove(ticket)
            if not own:
                del self._waiting[ticket.session]
            self._number()
            return True

    def tickets(self) -> list[Ticket]:
        """The ticket at work and those that wait, in the order of their turns."""
        with self._change:
            return [*([self._at_work] if self._at_work else []), *self._turns()]

    def _turns(self) -> Iterator[Ticket]:
        rounds = max(map(len, self._waiting.values()), default=0)
        for k in range(rounds):
            yield from (own[k] for own in self._waiting.values() if k < len(own))

    def _number(self) -> None:
        if self._at_work:
            self._at_work.move(0)
        for place, ticket in enumerate(self._turns(), 1):
            ticket.move(place)

    def close(self) -> None:
        """Take nothing more, and cancel everything."""
        with self._change:
            self._closed = True
            self._change.notify_all()
        for ticket in self.tickets():
            ticket.cancel("The studio is closing")
