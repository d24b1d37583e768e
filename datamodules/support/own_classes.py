"""Classes of users: where Python looks for them, what they are called, and what they lack."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterable

from datamodules.support.errors import AtelierError

OURS = ("datamodules", "evaluation", "experiments", "lightning_modules")


def look_in(folders: Iterable[str]) -> bool:
    """Let Python look for modules in these folders after all others; whether any of them is new."""
    new = [folder for folder in dict.fromkeys(folders) if folder not in sys.path]
    sys.path += new
    return bool(new)


def label(part: type) -> str:
    """The class, and for one of a user's its file."""
    ours = part.__module__.partition(".")[0] in OURS
    try:
        file = "" if ours else f" in {inspect.getfile(part)}"
    except (OSError, TypeError):  # of a notebook's cell
        file = ""
    return f"{part.__name__}{file}"


def refuse_abstract(part: type) -> None:
    """AtelierError for a class without a function that its base class leaves to it."""
    missing = sorted(getattr(part, "__abstractmethods__", ()))
    if missing:
        _, *arguments = inspect.signature(getattr(part, missing[0])).parameters
        call = f"{missing[0]}({', '.join(arguments)})"
        raise AtelierError(f"{label(part)} lacks the function {call}, without which it cannot run")
