"""The one exception that a person is meant to read."""


class AtelierError(Exception):
    """Something the user can mend: one sentence saying what, where, and what to do next.

    The command line prints it as one line on stderr and exits with code 2.
    """
