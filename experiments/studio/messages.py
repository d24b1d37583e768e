"""Messages between a worker and its process."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Begin:
    """A task for the process. number: by which later messages name it."""

    number: int
    task: Any


@dataclass(frozen=True)
class Stop:
    """The wish that a task ends, with what it has."""

    number: int


@dataclass(frozen=True)
class Event:
    """An event of the task at work."""

    value: Any


@dataclass(frozen=True)
class End:
    """The end of the task at work: its result, or the sentence that says why there is none."""

    result: Any = None
    failure: str = ""
