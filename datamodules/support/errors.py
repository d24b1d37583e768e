"""The exceptions whose text is written for the user."""

from __future__ import annotations

import re


class AtelierError(Exception):
    """An error that the user can mend: one sentence that says what is wrong, where, and what to do.

    The command line prints it as one line on stderr and exits with code 2.
    """


DIVERGED = "The losses are not finite; give a lower --model.optimizer.lr"


class StoppedEarlyError(AtelierError):
    """The end of a run that is behind others: its loss after some steps, and the limit there."""

    def __init__(self, step: int, loss: str, value: float, limit: float) -> None:
        super().__init__(
            f"Stopped after step {step}: {loss} is {value:.4g}, above {limit:.4g}; without "
            "--run.stop_above the run goes on"
        )
        self.step, self.loss, self.value, self.limit = step, loss, value, limit


def wrapped_error(error: BaseException) -> AtelierError | None:
    """The AtelierError that an exception was raised from, at any depth; None if there is none."""
    cause: BaseException | None = error
    while cause and not isinstance(cause, AtelierError):
        cause = cause.__cause__ or cause.__context__
    return cause


def refused_class(message: str) -> tuple[str, str] | None:
    """The class that a message of jsonargparse is about, and what is wrong with it; None if none.

    Of "none of these types fits: A because ..., None because ..." these are A and its reason.
    """
    match = re.search(r"Problem with given class_path '(.+?)': (.+?)(?: - Expected|$)", message)
    return match and (match[1], match[2])


def reason(error: BaseException) -> str:
    """An error's class and the beginning of its message, on one line."""
    return f"{type(error).__name__}: {' '.join(str(error).split())[:160]}"
