"""Belongings of sessions: files that the app has handed out, and names that they have taken."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

MOST = 20_000  # entries; the oldest are forgotten
MARK = "/file="  # in addresses of files
LONGEST = 4096  # characters of a path


class Belongings:
    """Owners, by session id. folder: of the app, in which its files for all sessions lie."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        self._change = threading.Lock()
        self._files: OrderedDict[tuple[str, Path], None] = OrderedDict()
        self._names: OrderedDict[str, str] = OrderedDict()

    def hand_out(self, session: str, value: Any) -> None:
        """Note that the app's files which a JSON value names are a session's, too."""
        files = [Path(path).resolve() for text in texts(value) for path in _paths_in(text)]
        with self._change:
            for file in files:
                if file.is_relative_to(self.folder):
                    self._files[session, file] = None
                    self._files.move_to_end((session, file))
            _trim(self._files)

    def has(self, session: str, path: str) -> bool:
        """Whether a file was handed out to a session."""
        return (session, Path(path).resolve()) in self._files

    def claim(self, session: str, name: str) -> bool:
        """Take a name for a session, unless another has it; whether it is the session's."""
        with self._change:
            owner = self._names.setdefault(name, session)
            self._names.move_to_end(name)
            _trim(self._names)
        return owner == session


def _trim(entries: OrderedDict) -> None:
    while len(entries) > MOST:
        entries.popitem(last=False)


def _paths_in(text: str) -> set[str]:
    """The file that a text names, as a path or in an address, there with and without %20."""
    _, mark, path = text.partition(MARK)
    names = {path, unquote(path)} if mark else {text}
    return {n for n in names if n.startswith("/") and len(n) <= LONGEST and "\0" not in n}


def _parts(value: Any) -> Iterator[Any]:
    """A JSON value and all values in it."""
    waiting = [value]
    while waiting:
        yield (value := waiting.pop())
        if isinstance(value, dict):
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value


def texts(value: Any) -> Iterator[str]:
    """All texts in a JSON value."""
    return (part for part in _parts(value) if isinstance(part, str))


def paths(value: Any) -> Iterator[Any]:
    """The `path` of every object in a JSON value, which stands for a file."""
    return (part["path"] for part in _parts(value) if isinstance(part, dict) and "path" in part)
