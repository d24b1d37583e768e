"""The one exception that a person is meant to read."""


class AtelierError(Exception):
    """Something the user can mend: one sentence saying what, where, and what to do next.

    The command line prints it as one line on stderr and exits with code 2.
    """


def our_own(error: BaseException) -> AtelierError | None:
    """The AtelierError that an error wraps, however deep; None if it wraps none."""
    cause: BaseException | None = error
    while cause and not isinstance(cause, AtelierError):
        cause = cause.__cause__ or cause.__context__
    return cause
