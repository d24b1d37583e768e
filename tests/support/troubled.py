"""Generators that go wrong in the ways that runs of a sweep can go wrong."""

import os
import time
from pathlib import Path

from lightning_modules.generators.pixels import Pixels

TROUBLED = __name__


class Hanging(Pixels):
    """Never comes back."""

    def start(self, batch):
        time.sleep(3600)


class Dying(Pixels):
    """Sends its process a signal; with a file's path, only while that file is there."""

    def __init__(self, unless_gone: str = "", number: int = 9) -> None:
        super().__init__()
        self.unless_gone, self.number = unless_gone, number

    def start(self, batch):
        if not self.unless_gone or Path(self.unless_gone).exists():
            if self.unless_gone:
                Path(self.unless_gone).unlink()
            os.kill(os.getpid(), self.number)
        super().start(batch)


class Waiting(Pixels):
    """Writes its process into a folder's file "notes", then waits for its file "gate".

    It takes the folder: a file's bytes would be part of the recipe in the picture.
    """

    def __init__(self, folder: str) -> None:
        super().__init__()
        self.notes, self.gate = Path(folder, "notes"), Path(folder, "gate")

    def start(self, batch):
        with self.notes.open("a") as notes:
            notes.write(f"{os.getpid()}\n")
        while not self.gate.exists():
            time.sleep(0.1)
        super().start(batch)


class Greedy(Pixels):
    """Runs out of memory twice."""

    left = 2

    def start(self, batch):
        if Greedy.left:
            Greedy.left -= 1
            raise MemoryError("no more")
        super().start(batch)


class Broken(Pixels):
    """Raises what nobody has foreseen."""

    def start(self, batch):
        raise RuntimeError("a bug")
