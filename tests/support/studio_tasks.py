"""Tasks for the studio's workers that need no network."""

import os
import time
from dataclasses import dataclass
from typing import ClassVar

from datamodules.support.errors import AtelierError


@dataclass(frozen=True)
class Add:
    """The sum of two numbers, which it prints, too."""

    a: float
    b: float

    worker: ClassVar[str] = "reading"
    newest_only: ClassVar[bool] = False

    def carry_out(self, tell, stop_asked):
        print("the sum is", self.a + self.b, flush=True)
        return self.a + self.b


@dataclass(frozen=True)
class Type:
    """The text, of which only the newest counts."""

    text: str

    worker: ClassVar[str] = "reading"
    newest_only: ClassVar[bool] = True

    def carry_out(self, tell, stop_asked):
        return self.text


@dataclass(frozen=True)
class Look:
    """A variable of the process's environment, and its number."""

    variable: str

    worker: ClassVar[str] = "reading"
    newest_only: ClassVar[bool] = False

    def carry_out(self, tell, stop_asked):
        return os.environ[self.variable], os.getpid()


@dataclass(frozen=True)
class Count:
    """Counts until it is to stop, and tells the first numbers; the result is the last."""

    most: int = 10**6
    first: int = 3

    worker: ClassVar[str] = "reading"
    newest_only: ClassVar[bool] = False

    def carry_out(self, tell, stop_asked):
        for number in range(self.most):
            if number < self.first:
                tell(number)
            if stop_asked():
                break
            time.sleep(0.005)
        return number


@dataclass(frozen=True)
class Sleep:
    """Tells that it has begun, and listens to nobody."""

    seconds: float = 60

    worker: ClassVar[str] = "reading"
    newest_only: ClassVar[bool] = False

    def carry_out(self, tell, stop_asked):
        tell("asleep")
        time.sleep(self.seconds)


@dataclass(frozen=True)
class Fail:
    """Fails in one of several ways."""

    way: str

    worker: ClassVar[str] = "reading"
    newest_only: ClassVar[bool] = False

    def carry_out(self, tell, stop_asked):
        if self.way == "sentence":
            raise AtelierError("There is no such cat; name another")
        if self.way == "exit":
            raise SystemExit(3)
        if self.way == "unsendable":
            return lambda: None
        if self.way == "wrapped":
            cause = AtelierError("There is no such dog; name another")
            raise RuntimeError("library") from cause
        raise RuntimeError("library")
