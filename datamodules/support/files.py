"""Files and folders that are written whole or not at all, digests, and names from any text."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

from datamodules.support.errors import AtelierError

REMEDY = "choose another place with --out"  # the end of a sentence about a file of the user's


@contextmanager
def atomic(path: Path, remedy: str = REMEDY) -> Iterator[Path]:
    """Yield a temporary path beside `path`, which takes the place of `path` if the block succeeds.

    The file's rights follow the umask, so that a group can share its folder.

    Raises AtelierError, ending with `remedy`, for every OSError inside the block.
    """
    temporary = _vacant_beside(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.touch(exist_ok=False)
        rights = temporary.stat().st_mode
        yield temporary
        temporary.chmod(rights)  # safetensors makes the file anew, for its owner only
        temporary.replace(path)
    except OSError as error:
        raise _unwritable(path, error, remedy) from error
    finally:
        with suppress(OSError):
            temporary.unlink()


@contextmanager
def new_folder(path: Path, remedy: str = REMEDY) -> Iterator[Path]:
    """Yield a new folder beside `path`, deleted afterwards unless the block moves it away.

    Its rights follow the umask. Raises AtelierError, ending with `remedy`, for every OSError inside
    the block.
    """
    temporary = _vacant_beside(path)
    try:
        temporary.mkdir(parents=True)
        yield temporary
    except OSError as error:
        raise _unwritable(path, error, remedy) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def share(folder: Path) -> None:
    """Give a folder's own rights, which follow the umask, to the files in it."""
    for file in folder.iterdir():
        file.chmod(folder.stat().st_mode & 0o666)


def _vacant_beside(path: Path) -> Path:
    return path.with_name(f".{uuid4().hex}{path.suffix}")


def temporaries(folder: Path) -> list[Path]:
    """Files that writers have left unfinished in a folder, because they died."""
    return [path for path in folder.glob(".*") if re.fullmatch(r"\.[0-9a-f]{32}(\..*)?", path.name)]


def make_folder(path: Path, remedy: str = REMEDY) -> None:
    """Make a folder and those above it, if they are not there.

    Raises AtelierError, ending with `remedy`, if that is not possible or the folder is read-only.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
        if not os.access(path, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    except OSError as error:
        raise _unwritable(path, error, remedy) from error


def _unwritable(path: Path, error: OSError, remedy: str) -> AtelierError:
    return AtelierError(f"Cannot write {path} ({error.strerror or error}); {remedy}")


def write_text(path: Path, text: str, remedy: str = REMEDY) -> None:
    """Write a text file (UTF-8), whole or not at all; errors as `atomic` raises them."""
    with atomic(path, remedy) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: Path, value: object, remedy: str = REMEDY) -> None:
    """Write a value as indented JSON, whole or not at all; errors as `atomic` raises them.

    Raises ValueError for NaN and infinity, which JSON does not have.
    """
    text = json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False)
    write_text(path, text + "\n", remedy)


def read_lines(path: Path, kind: str, remedy: str) -> list[str]:
    """Lines of a UTF-8 text, each once, without empty lines and lines that begin with "#".

    kind: of what the lines are, as sentences name it: "instructions". Raises AtelierError, ending
    with `remedy`, for a file that cannot be read or has no lines.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise AtelierError(f"{path} is not a UTF-8 text; save it as UTF-8") from error
    except OSError as error:
        raise AtelierError(
            f"There are no {kind} to read at {path} ({error.strerror}); {remedy}"
        ) from error
    lines = [line.strip() for line in text.splitlines()]
    lines = list(dict.fromkeys(line for line in lines if line and not line.startswith("#")))
    if not lines:
        raise AtelierError(f"{path} has no {kind}; {remedy}")
    return lines


def is_there(path: Path) -> bool:
    """Whether a path exists; no, too, where its folder is closed to us."""
    try:
        return path.exists()
    except PermissionError:
        return False


def sha256(path: Path) -> str:
    """SHA-256 of a file's bytes, 64 hexadecimal digits."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def slug(text: str, length: int = 40) -> str:
    """A part of a file name from any text: at most `length` of a-z, 0-9 and "-"; "x" if none."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower())[:length].strip("-") or "x"
