"""Sessions: each person's folder, which nobody else can read."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import time
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from uuid import uuid4

from datamodules.support.errors import AtelierError
from datamodules.support.files import make_folder, slug
from datamodules.support.locks import BusyError, hold

ID = re.compile(r"[0-9a-f]{32,64}")
NAME = re.compile(r"[0-9a-f]{32}")  # of a session's folder; the other folders are of uploads
UPLOADS = 1.0  # hours after which an upload is deleted: what was admitted is in its session
LARGEST = 2 * 10**9  # bytes of one session
AT_WORK = 4  # newest folders and newest files of a session, which a run may need
REMEDY = "choose another folder for the studio"


class Session:
    """One person's folder, which is made when something is put there.

    id: as the page has it. path: of the folder. largest: bytes in it, from which the oldest go.
    """

    def __init__(self, id: str, path: Path, largest: int = LARGEST) -> None:
        self.id, self.path, self.largest = id, path, largest

    @property
    def folder(self) -> Path:
        """The folder, which exists; only the server's user may look into it."""
        with suppress(FileExistsError):
            self.path.mkdir(mode=0o700)
        return self.path

    def new_folder(self, kind: str) -> Path:
        """Make a folder with a name of ours. kind: the name's beginning, "run"."""
        folder = self.new_file(kind, "")
        make_folder(folder, REMEDY)
        return folder

    def new_file(self, kind: str, suffix: str) -> Path:
        """A path for a new file, with a name of ours. suffix: ".png"."""
        return self.folder / f"{slug(kind)}-{time.time_ns()}-{uuid4().hex[:8]}{suffix}"

    def owns(self, path: Path | str) -> bool:
        """Whether a path, all links followed, lies below the folder."""
        try:
            return self.path in Path(path).resolve().parents
        except (OSError, RuntimeError, ValueError):  # a loop of links, a zero in the name
            return False

    def take(self, path: Path | str) -> Path:
        """The path of a file of this session, all links followed; AtelierError for any other."""
        if not self.owns(path) or not (file := Path(path).resolve()).is_file():
            raise AtelierError("This file is not, or no longer, one of this session's")
        return file

    def make_room(self) -> str:
        """Delete the oldest runs and photos of a session that is too large; a sentence about it,
        "" where there was room.
        """
        entries = sorted(self.path.glob("*"), key=lambda path: path.stat().st_mtime)
        sizes = {path: _size(path) for path in entries}
        total, gone = sum(sizes.values()), 0
        for path in _old(entries):
            if total <= self.largest:
                break
            _delete(path)
            total, gone = total - sizes[path], gone + 1
        if not gone:
            return ""
        limit = f"a session may hold {self.largest / 1e9:g} GB"
        return f"Your oldest runs and photos were deleted ({gone}): {limit}"


class Sessions:
    """All sessions of a server, in a folder that no other server uses; `with` it or `close` it.

    root: is made if missing. hours: without a visit, after which a session is deleted.

    Raises AtelierError where another server uses the folder.
    """

    def __init__(self, root: Path, hours: float = 24, largest: int = LARGEST) -> None:
        make_folder(root, REMEDY)
        self.root, self.hours, self.largest = root.resolve(), hours, largest
        self._at_end = ExitStack()
        try:
            self._at_end.enter_context(hold(self.root / ".lock"))
        except BusyError as error:
            raise AtelierError(f"Another studio uses {root}; end it, or {REMEDY}") from error
        self.clean()

    def of(self, id: str) -> Session:
        """The session with an id of 32 to 64 hexadecimal digits; AtelierError for any other."""
        if not (isinstance(id, str) and ID.fullmatch(id)):
            raise AtelierError("A session's id is 32 to 64 hexadecimal digits")
        path = self.root / hashlib.sha256(id.encode()).hexdigest()[:32]
        with suppress(FileNotFoundError):
            os.utime(path)  # a visit
        return Session(id, path, self.largest)

    def clean(self) -> int:
        """Delete sessions that nobody has visited for so long, and old uploads; their number."""
        folders = [path for path in self.root.iterdir() if path.is_dir()]
        old = [path for path in folders if self._is_old(path)]
        for path in old:
            _delete(path)
        return len(old)

    def _is_old(self, folder: Path) -> bool:
        hours = self.hours if NAME.fullmatch(folder.name) else min(UPLOADS, self.hours)
        return folder.stat().st_mtime < time.time() - 3600 * hours

    def close(self) -> None:
        """Let other servers use the folder."""
        self._at_end.close()

    def __enter__(self) -> Sessions:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


def _old(entries: Sequence[Path]) -> list[Path]:
    """Entries by age, the oldest first, without the newest folders and the newest files."""
    folders = [path for path in entries if path.is_dir()]
    files = [path for path in entries if not path.is_dir()]
    new = {*folders[-AT_WORK:], *files[-AT_WORK:]}
    return [path for path in entries if path not in new]


def _delete(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _size(path: Path) -> int:
    """Bytes of a file, or of all files in a folder."""
    total = 0
    for each in (path, *path.rglob("*")):
        with suppress(OSError):  # deleted meanwhile
            total += each.lstat().st_size
    return total
