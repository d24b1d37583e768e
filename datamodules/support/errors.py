"""The exceptions whose text is written for the user."""


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


def reason(error: BaseException) -> str:
    """An error's class and the beginning of its message, on one line."""
    return f"{type(error).__name__}: {' '.join(str(error).split())[:160]}"
