"""The user's home folder and name, which containers and cluster jobs may lack."""

from __future__ import annotations

import os
import pwd
from pathlib import Path

NOWHERE = "/nonexistent"  # Debian's home of users without one: what is written there is refused


def home() -> Path:
    """The home folder by HOME or the system's list of users; NOWHERE if neither has one."""
    try:
        return Path("/", Path("~").expanduser())  # absolute even where HOME is not
    except RuntimeError:
        return Path(NOWHERE)


def data_dir() -> Path:
    """The folder of what the user has trained: $ATELIER_DATA, else $XDG_DATA_HOME/atelier, else
    ~/.local/share/atelier. Unlike a cache it holds what cannot be computed again at once.
    """
    if own := os.environ.get("ATELIER_DATA"):
        return Path(own)
    return Path(os.environ.get("XDG_DATA_HOME") or home() / ".local" / "share") / "atelier"


def settle_home() -> None:
    """Set HOME and USER where they are unknown, for the libraries that insist on them.

    They then treat the user as one with an unwritable home, in which most can do without files.
    """
    os.environ["HOME"] = str(home())
    try:
        pwd.getpwuid(os.getuid())
    except KeyError:
        os.environ.setdefault("USER", f"user{os.getuid()}")
