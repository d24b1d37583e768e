"""Files and folders that are written whole or not at all, digests, and names from any text."""

from __future__ import annotations

import hashlib
import json
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from datamodules.support.errors import AtelierError

REMEDY = "choose another place with --out"  # the end of a sentence about a file of the user's


@contextmanager
def atomic(path: Path, remedy: str = REMEDY) -> Iterator[Path]:
    """Yield a temporary path beside `path`, which takes the place of `path` if the block succeeds.

    Raises AtelierError, ending with `remedy`, for every OSError inside the block.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=path.suffix)
        os.close(handle)
        Path(name).chmod(0o644)
    except OSError as error:
        raise _unwritable(path, error, remedy) from error
    try:
        yield Path(name)
        Path(name).replace(path)
    except OSError as error:
        raise _unwritable(path, error, remedy) from error
    finally:
        Path(name).unlink(missing_ok=True)


def make_folder(path: Path, remedy: str = REMEDY) -> None:
    """Make a folder and those above it, if they are not there.

    Raises AtelierError, ending with `remedy`, if that is not possible.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unwritable(path, error, remedy) from error


def _unwritable(path: Path, error: OSError, remedy: str) -> AtelierError:
    return AtelierError(f"Cannot write {path} ({error.strerror}); {remedy}")


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


def sha256(path: Path) -> str:
    """SHA-256 of a file's bytes, 64 hexadecimal digits."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def slug(text: str, length: int = 40) -> str:
    """A part of a file name from any text: at most `length` of a-z, 0-9 and "-"; "x" if none."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower())[:length].strip("-") or "x"
