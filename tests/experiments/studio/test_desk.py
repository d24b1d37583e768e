"""The queue: turns, limits, and what becomes of tickets."""

import threading
from types import SimpleNamespace

import pytest

from datamodules.support.errors import AtelierError
from experiments.studio.desk import Desk
from experiments.studio.line import Line
from experiments.studio.tasks import Stage
from experiments.studio.ticket import CancelledError, Place, Ticket
from tests.support.studio_tasks import Add, Count, Fail, Type

GATE = Count(first=1)


@pytest.fixture
def desk(worker):
    """A desk with one worker, which outlives it."""
    own = SimpleNamespace(run=worker.run, close=lambda: None)
    desk = Desk(most_waiting=4, most_each=3, workers={"reading": own})
    yield desk
    desk.close()


def at_work(desk, session="gate"):
    """A ticket whose task has begun, and goes on until it is stopped."""
    ticket = desk.submit(session, GATE)
    assert 0 in iter(ticket.events())
    return ticket


def places(tickets):
    return [ticket.place for ticket in tickets]


def test_a_task_s_places_and_events_come_before_its_result(desk):
    ticket = desk.submit("anne", Count(4, 2))
    events = list(ticket.events())
    assert events[-3:] == [Place(0), 0, 1] and ticket.result() == 3
    assert ticket.ended and ticket.place is None


def test_a_failure_reaches_the_page(desk):
    ticket = desk.submit("anne", Fail("sentence"))
    with pytest.raises(AtelierError, match="no such cat"):
        list(ticket.events())


def test_sessions_take_turns(desk):
    gate = at_work(desk)
    first, second = desk.submit("anne", Add(1, 0)), desk.submit("anne", Add(2, 0))
    other = desk.submit("bert", Add(3, 0))
    assert places([gate, first, other, second]) == [0, 1, 2, 3]
    gate.stop()
    assert [ticket.result(10) for ticket in (first, other, second)] == [1, 3, 2]
    assert [*second.events()][:2] == [Place(2), Place(3)]  # since somebody else has come


def test_a_session_waits_with_so_many_tasks_and_no_more(desk):
    gate = at_work(desk, "anne")
    desk.submit("anne", Add(1, 0))
    desk.submit("anne", Add(2, 0))
    with pytest.raises(AtelierError, match=r"^3 tasks of yours wait already or are at work"):
        desk.submit("anne", Add(3, 0))
    gate.stop()


def test_so_many_tasks_wait_and_no_more(desk):
    gate = at_work(desk)
    for number in range(4):
        desk.submit(f"session {number}", Add(number, 0))
    with pytest.raises(AtelierError, match=r"^4 tasks wait already, the most that may"):
        desk.submit("anne", Add(3, 0))
    gate.stop()


def test_a_newer_text_of_the_same_tab_takes_the_place_of_one_that_waits(desk):
    gate = at_work(desk)
    old, other = desk.submit("anne", Type("Turn"), "tab"), desk.submit("anne", Type("x"), "second")
    behind = desk.submit("bert", Add(1, 0))
    new = desk.submit("anne", Type("Turn it"), "tab")
    with pytest.raises(CancelledError, match="A newer one"):
        old.result(5)
    assert places([new, behind, other]) == [1, 2, 3]
    gate.stop()
    assert new.result(10) == "Turn it" and other.result(10) == "x"


def test_a_task_that_is_stopped_at_work_keeps_what_it_has(desk):
    gate = at_work(desk)
    gate.stop()
    assert gate.result(10) >= 0


def test_a_task_that_is_stopped_before_it_begins_is_cancelled(desk):
    gate, ticket = at_work(desk), desk.submit("anne", Add(1, 0))
    ticket.stop()
    with pytest.raises(CancelledError, match="before it began"):
        ticket.result(5)
    gate.stop()


def test_a_task_that_is_cancelled_at_work_frees_its_place(desk):
    gate, ticket = at_work(desk), desk.submit("anne", Add(1, 0))
    gate.cancel()
    with pytest.raises(CancelledError):
        gate.result(0.1)
    assert ticket.result(10) == 1


def test_a_tab_that_is_closed_takes_its_tasks_along_and_no_others(desk):
    gate = at_work(desk)
    tickets = [desk.submit("anne", Add(k, 0), page) for k, page in enumerate(("first", "second"))]
    desk.forget("anne", "first")
    assert places(tickets) == [None, 1]
    desk.forget("anne")
    assert places(tickets) == [None, None] and gate.place == 0
    gate.stop()


def test_silence_is_noticed(desk):
    gate, ticket = at_work(desk), desk.submit("anne", Add(1, 0))
    events = ticket.events(timeout=0.01)
    assert [next(events), next(events)] == [Place(1), None]
    with pytest.raises(TimeoutError):
        ticket.result(0.01)
    gate.stop()
    assert ticket.result(10) == 1


def test_closing_cancels_everything_and_leaves_no_thread(worker):
    before = threading.active_count()
    own = SimpleNamespace(run=worker.run, close=lambda: None)
    desk = Desk(workers={"reading": own})
    tickets = [at_work(desk), desk.submit("anne", Add(1, 0))]
    desk.close()
    for ticket in tickets:
        with pytest.raises(CancelledError, match="closing"):
            ticket.result(0.1)
    assert threading.active_count() == before
    with pytest.raises(AtelierError, match="closing"):
        desk.submit("anne", Add(1, 0))


def test_reports_that_nobody_has_taken_become_one():
    ticket = Ticket("anne", "", None, lambda ticket: False)
    for step in (1, 2, 3):
        ticket.tell(Stage(step, 9, [{"total": step}], bytes([step]), 9.0 - step))
    ticket.end("done")
    (stage,) = ticket.events()
    assert stage == Stage(3, 9, [{"total": 1}, {"total": 2}, {"total": 3}], b"\3", 6.0)


def test_a_closed_line_gives_no_ticket():
    line = Line(most_waiting=1, most_each=1)
    line.close()
    assert line.take() is None
