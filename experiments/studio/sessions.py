"""Sessions: each person's folder, which nobody else can read."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import threading
import time
from contextlib import ExitStack, suppress
from pathlib import Path
from uuid import uuid4

from datamodules.support.errors import AtelierError
from datamodules.support.files import make_folder, slug
from datamodules.support.locks import BusyError, hold

ID = re.compile(r"[0-9a-f]{32,64}")
LARGEST = 2 * 10**9  # bytes of one session
AT_WORK = 4  # newest folders of a session, in which a run may be at work
REMEDY = "choose another folder for the studio"


class Session:
    """One person's folder. largest: bytes that it may hold before the oldest runs go."""

    def __init__(self, id: str, folder: Path, largest: int = LARGEST) -> None:
        self.id, self.folder, self.largest = id, folder, largest

    def new_folder(self, kind: str) -> Path:
        """Make a new folder with a name of ours. kind: the name's beginning, "run"."""
        folder = self.folder / f"{slug(kind)}-{time.time_ns():020}-{uuid4().hex[:8]}"
        make_folder(folder, REMEDY)
        return folder

    def new_file(self, kind: str, suffix: str) -> Path:
        """A path for a new file, with a name of ours."""
        return self.folder / f"{slug(kind)}-{time.time_ns():020}-{uuid4().hex[:8]}{suffix}"

    def owns(self, path: Path | str) -> bool:
        """Whether a path, all links followed, lies in the folder."""
        try:
            return Path(path).resolve().is_relative_to(self.folder.resolve())
        except (OSError, RuntimeError, ValueError):
            return False

    def take(self, path: Path | str) -> Path:
        """The path of a file of this session, all links followed; AtelierError for any other."""
        if not self.owns(path) or not (file := Path(path).resolve()).is_file():
            raise AtelierError("This file is not, or no longer, one of this session's")
        return file

    def make_room(self) -> int:
        """Delete the oldest folders of a session that is too large; their number."""
        folders = sorted(path for path in self.folder.iterdir() if path.is_dir())
        folders.sort(key=lambda path: path.stat().st_mtime)
        sizes = [_size(folder) for folder in folders]
        total, gone = _size(self.folder), 0
        for folder, size in list(zip(folders, sizes, strict=True))[:-AT_WORK]:
            if total <= self.largest:
                break
            shutil.rmtree(folder, ignore_errors=True)
            total, gone = total - size, gone + 1
        return gone


class Sessions:
    """All sessions of a server, in a folder that no other server uses; `with` it or `close` it.

    root: is made if missing. hours: without a visit, after which a session is deleted.

    Raises AtelierError where another server uses the folder.
    """

    def __init__(self, root: Path, hours: float = 24, largest: int = LARGEST) -> None:
        make_folder(root, REMEDY)
        self.root, self.hours, self.largest = root.resolve(), hours, largest
        self._sessions: dict[str, Session] = {}
        self._change = threading.Lock()
        self._at_end = ExitStack()
        try:
            self._at_end.enter_context(hold(self.root / ".lock"))
        except BusyError as error:
            raise AtelierError(
                f"Another studio uses {root}; end it, or choose another folder with --out"
            ) from error
        self.clean()

    def of(self, id: str) -> Session:
        """The session with an id of 32 to 64 hexadecimal digits; AtelierError for any other."""
        if not ID.fullmatch(id or ""):
            raise AtelierError("A session's id is 32 to 64 hexadecimal digits")
        folder = self.root / hashlib.sha256(id.encode()).hexdigest()[:32]
        with self._change:
            session = self._sessions.setdefault(id, Session(id, folder, self.largest))
            if not folder.is_dir():
                folder.mkdir(mode=0o700)
            os.utime(folder)
        return session

    def clean(self) -> int:
        """Delete the folders of sessions that nobody has visited for so long; their number."""
        with self._change:
            line = time.time() - 3600 * self.hours
            old = [path for path in self.root.iterdir() if path.is_dir() and _last(path) < line]
            for path in old:
                shutil.rmtree(path, ignore_errors=True)
            for id, session in list(self._sessions.items()):
                if session.folder in old:
                    del self._sessions[id]
        return len(old)

    def close(self) -> None:
        """Let other servers use the folder."""
        self._at_end.close()

    def __enter__(self) -> Sessions:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


def _last(folder: Path) -> float:
    return folder.stat().st_mtime


def _size(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*"):
        with suppress(OSError):
            total += path.lstat().st_size
    return total
