"""One line of `atelier doctor`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from datamodules.support.errors import AtelierError, reason

# fine; absent: some commands or models do without; broken: stylize, parse, mask or evaluate fail.
State = Literal["fine", "absent", "broken"]


@dataclass(frozen=True)
class Finding:
    """Something that a machine has or lacks.

    name: of the thing. state: whether Atelier can work with it. here: what there is, in words.
    remedy: what to do, "" for nothing.
    """

    name: str
    state: State
    here: str
    remedy: str = ""


Check = Callable[[], Iterator[Finding]]


def findings(checks: dict[str, Check]) -> Iterator[Finding]:
    """The findings of checks by the name of their things; one that fails is a finding, too."""
    for name, check in checks.items():
        try:
            yield from check()
        except AtelierError as error:
            yield Finding(name, "absent", str(error))
        except Exception as error:  # of a damaged environment, in which anything can fail
            yield Finding(name, "absent", f"cannot be examined: {reason(error)}")
