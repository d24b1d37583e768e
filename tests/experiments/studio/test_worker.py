"""Workers, with processes of their own."""

import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress

import pytest

from datamodules.support.errors import AtelierError
from experiments.studio.worker import Worker
from tests.support.processes import below
from tests.support.studio_tasks import Add, Count, Fail, Look, Sleep
from tests.support.waiting import wait_until


def is_alive(pid):
    with suppress(ProcessLookupError):
        os.kill(pid, 0)
        return True
    return False


def test_a_process_stays_for_the_next_task(worker):
    assert worker.run(Add(1, 2)) == 3
    pid = worker.pid
    assert worker.run(Add(2, 3)) == 5 and worker.pid == pid


def test_a_process_computes_without_busy_waiting(worker):
    assert worker.run(Look("OMP_WAIT_POLICY")) == ("PASSIVE", worker.pid)


def test_events_come_in_their_order_before_the_result(worker):
    events = []
    assert worker.run(Count(5, 3), events.append) == 4
    assert events == [0, 1, 2]


def test_a_task_that_is_to_stop_ends_with_what_it_has(worker):
    stop = threading.Event()
    last = worker.run(Count(), lambda number: stop.set(), stop)
    assert 0 <= last < 10**5


def test_a_task_that_nobody_waits_for_ends_at_once_and_its_process_stays(worker):
    worker.run(Add(1, 1))
    pid, abandoned = worker.pid, threading.Event()
    with pytest.raises(AtelierError):
        worker.run(Count(first=10**6), lambda number: abandoned.set(), None, abandoned)
    assert worker.run(Add(1, 2)) == 3 and worker.pid == pid


def test_a_task_that_listens_to_nobody_is_ended_with_its_process(worker, monkeypatch):
    monkeypatch.setattr(worker, "patience", 0.2)
    abandoned, started = threading.Event(), time.monotonic()
    with pytest.raises(AtelierError, match="has ended by signal 9"):
        worker.run(Sleep(), lambda event: abandoned.set(), None, abandoned)
    assert time.monotonic() - started < 10
    assert worker.run(Add(1, 2)) == 3


@pytest.mark.parametrize(
    ("way", "sentence"),
    [
        ("sentence", "There is no such cat; name another"),
        ("wrapped", "There is no such dog; name another"),
        ("other", "This went wrong inside Atelier: RuntimeError: library"),
        ("exit", "This went wrong inside Atelier: SystemExit: 3"),
        ("unsendable", "This went wrong inside Atelier: "),
    ],
)
def test_a_failure_is_a_sentence_and_the_process_stays(worker, way, sentence):
    worker.run(Add(1, 1))
    pid = worker.pid
    with pytest.raises(AtelierError) as failure:
        worker.run(Fail(way))
    assert str(failure.value).startswith(sentence) and "\n" not in str(failure.value)
    assert worker.run(Add(1, 2)) == 3 and worker.pid == pid


def test_what_a_process_prints_and_traces_is_on_stderr(capfd):
    worker, abandoned = Worker("reading"), threading.Event()
    worker.run(Add(2, 3))
    with pytest.raises(AtelierError):
        worker.run(Count(), lambda number: abandoned.set(), None, abandoned)
    for way in ("wrapped", "other", "unsendable"):
        with pytest.raises(AtelierError):
            worker.run(Fail(way))
    worker.close()
    out, err = capfd.readouterr()
    assert out == "" and "the sum is 5" in err
    assert err.count("Traceback") == 2  # of what nobody has foreseen


def test_a_process_that_is_killed_fails_its_task_and_is_replaced(worker):
    def kill(event):
        os.kill(worker.pid, signal.SIGKILL)

    with pytest.raises(AtelierError, match="The process for painting has ended by signal 9; "):
        worker.run(Sleep(), kill)
    assert worker.pid is None
    assert worker.run(Add(1, 2)) == 3


def test_a_process_that_is_killed_between_two_tasks_is_replaced(worker):
    worker.run(Add(1, 1))
    pid = worker.pid
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: worker.pid != pid, "the process is still there", 5)
    assert worker.run(Add(1, 2)) == 3


def test_a_process_ignores_ctrl_c(worker):
    worker.run(Add(1, 1))
    pid = worker.pid
    os.kill(pid, signal.SIGINT)
    assert worker.run(Add(1, 2)) == 3 and worker.pid == pid
    assert os.getsid(pid) == pid  # a terminal's Ctrl-C does not even reach it


def test_events_of_a_task_that_its_caller_has_left_are_nobody_s(worker):
    def leave(number):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        worker.run(Count(20, 20), leave)
    events = []
    assert worker.run(Count(2, 1), events.append) == 1
    assert events == [0]


def test_tasks_of_several_threads_come_one_after_the_other(worker):
    results = []
    threads = [
        threading.Thread(target=lambda k=k: results.append(worker.run(Add(k, 0)))) for k in range(5)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(5)
    assert sorted(results) == list(range(5))


PARENT = """
import sys, time
from experiments.studio.worker import Worker
from tests.support.studio_tasks import Sleep
worker = Worker("painting")
worker.run(Sleep(60), lambda event: print(worker.pid, flush=True))
"""


def test_a_process_ends_with_its_parent_however_that_ends():
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    command = [sys.executable, "-c", PARENT]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) as parent:
        pid = int(parent.stdout.readline())
        assert is_alive(pid)
        parent.kill()
    wait_until(lambda: not is_alive(pid), "the child outlives its parent", 5)


def test_closing_ends_the_task_at_work_and_leaves_nothing_behind():
    threads, worker = threading.active_count(), Worker("reading")
    begun, failures = threading.Event(), []

    def work():
        try:
            worker.run(Sleep(), lambda event: begun.set())
        except AtelierError as error:
            failures.append(str(error))

    thread = threading.Thread(target=work)
    thread.start()
    assert begun.wait(10)
    pid = worker.pid
    worker.close()
    thread.join(5)
    assert failures == ["The studio has been closed"]
    assert pid not in below(os.getpid()) and threading.active_count() == threads
    with pytest.raises(AtelierError, match="closing"):
        worker.run(Add(1, 2))


def test_warming_starts_the_process_in_the_background(capfd):
    worker = Worker("reading")
    worker.warm(Fail("sentence"))
    wait_until(lambda: "no such cat" in capfd.readouterr().err, "it is not warmed", 10)
    assert worker.pid and worker.run(Add(1, 2)) == 3
    worker.close()
