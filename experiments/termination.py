"""SIGTERM, by which systems such as SLURM end a command: it leaves as after Ctrl-C."""

from __future__ import annotations

import signal
import threading
from typing import Any, NoReturn

_came = threading.Event()  # Lightning replaces the exception by others


def leave_on_sigterm() -> None:
    """Leave through every `finally` on SIGTERM."""
    if threading.current_thread() is threading.main_thread():
        _came.clear()
        signal.signal(signal.SIGTERM, _leave)


def _leave(number: int, frame: Any) -> NoReturn:
    _came.set()
    raise KeyboardInterrupt


def came() -> bool:
    """Whether SIGTERM has come."""
    return _came.is_set()
