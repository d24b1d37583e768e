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


class Belongings:
    """Owners, by session id. folder: of the app, in which its files for all sessions lie."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        self._change = threading.Lock()
        self._files: OrderedDict[tuple[str, Path], None] = OrderedDict()
        self._names: OrderedDict[str, str] = OrderedDict()

    def hand_out(self, session: str, value: Any) -> None:
        """Note that all of the app's files which a JSON value names are a session's, too."""
        for text in texts(value):
            path = text.partition(MARK)[2] if MARK in text else text
            if path.startswith("/") and len(path) < 4096 and "\0" not in path:
                for each in {path, unquote(path)}:
                    file = Path(each).resolve()
                    if file.is_relative_to(self.folder):
                        with self._change:
                            self._files[session, file] = None
                            self._trim(self._files)

    def has(self, session: str, path: str) -> bool:
        """Whether a file was handed out to a session."""
        return (session, Path(path).resolve()) in self._files

    def claim(self, session: str, name: str) -> bool:
        """Take a name for a session, unless another has it; whether it is the session's."""
        with self._change:
            owner = self._names.setdefault(name, session)
            self._trim(self._names)
        return owner == session

    def _trim(self, entries: OrderedDict) -> None:
        while len(entries) > MOST:
            entries.popitem(last=False)


def texts(value: Any) -> Iterator[str]:
    """All texts in a JSON value."""
    waiting = [value]
    while waiting:
        value = waiting.pop()
        if isinstance(value, str):
            yield value
        elif isinstance(value, dict):
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value


def paths(value: Any) -> Iterator[Any]:
    """The `path` of every object in a JSON value: those of files."""
    waiting = [value]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            if "path" in value:
                yield value["path"]
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value
