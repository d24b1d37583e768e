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
    """The wish that a task ends with what it has. abandon: nobody needs that, either."""

    number: int
    abandon: bool = False


@dataclass(frozen=True)
class Event:
    """An event of a task."""

    number: int
    value: Any


@dataclass(frozen=True)
class End:
    """The end of a task: its result, or the sentence that says why there is none."""

    number: int
    result: Any = None
    failure: str = ""
