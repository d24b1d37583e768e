"""Signs of life: workers touch the folders of their runs, and the driver looks at them.

Where a network is cut, Ray may report neither an end nor an error. Files tell what goes on.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event, Thread

from datamodules.run_folder import RESULT
from datamodules.support.errors import AtelierError

BEAT = 5.0  # seconds between two signs of a run
UNSEEN = 20.0  # seconds until a result must be visible here: shared file systems remember names
TALK = 60.0  # seconds without a sign, after which stderr says so


@contextmanager
def beating(folders: Sequence[Path]) -> Iterator[None]:
    """Touch folders every few seconds, as soon as they are there, until the block ends."""
    ended = Event()

    def beat() -> None:
        while not ended.wait(BEAT):
            for folder in folders:
                with suppress(OSError):
                    os.utime(folder)

    thread = Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def wait_for_result(folder: Path, host: str, meanwhile: Callable[[], None]) -> None:
    """Wait until the result that a worker on `host` has written is in a run's folder here.

    meanwhile: called every half second. Raises AtelierError where it does not appear.
    """
    deadline = time.monotonic() + UNSEEN
    while not _has_result(folder):
        if time.monotonic() > deadline:
            raise AtelierError(
                f"A worker on {host} has finished a run, and there is no result in {folder} here; "
                "give a folder with --out that all nodes share"
            )
        meanwhile()
        time.sleep(0.5)


def _has_result(folder: Path) -> bool:
    """Whether result.json is in a folder, by a fresh list of its files."""
    with suppress(OSError):
        return any(file.name == RESULT for file in folder.iterdir())
    return False


class Patience:
    """The end of a campaign in which nothing has moved for `seconds`; `say` gets lines."""

    def __init__(self, seconds: float, say: Callable[[str], None]) -> None:
        self.seconds, self.say = seconds, say
        self.signs: dict[Path, float] = {}
        self.moved, self.notice = time.monotonic(), False

    def look(self, folders: Sequence[Path], resource: str) -> None:
        """Compare the folders of the runs in workers' hands with those at the last look.

        resource: that a worker needs, for the message. Raises AtelierError once nothing has moved
        for too long: no run has begun, gone on or ended.
        """
        signs = {folder: _touched(folder) for folder in folders}
        if signs != self.signs:
            self.signs, self.moved, self.notice = signs, time.monotonic(), False
        still = time.monotonic() - self.moved
        begun = ", ".join(folder.name for folder, sign in signs.items() if sign)
        what = f"a sign of {begun}" if begun else resource
        if still > self.seconds:
            raise AtelierError(
                f"No run has begun, gone on or ended for {still:.0f} s, waiting for {what}; check "
                "the nodes and their network, e.g. with `ray status`, and start the same command "
                "again, which goes on from here (--patience S waits longer)"
            )
        if still > min(TALK, self.seconds / 2) and not self.notice:
            self.notice = True
            self.say(f"for {still:.0f} s nothing has moved; waiting for {what}")


def _touched(folder: Path) -> float:
    """The time of a folder's last change; 0 if it is not there."""
    with suppress(OSError):
        return folder.stat().st_mtime
    return 0.0
