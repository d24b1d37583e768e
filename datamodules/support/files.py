"""Writing that is never half done, and names that are never paths."""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from datamodules.support.errors import AtelierError


@contextmanager
def atomic(path: Path) -> Iterator[Path]:
    """A temporary path beside `path` to write to; renamed to `path` when the block succeeds."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=path.suffix)
        os.close(handle)
        Path(name).chmod(0o644)
    except OSError as error:
        raise _unwritable(path, error) from error
    try:
        yield Path(name)
        Path(name).replace(path)
    except OSError as error:
        raise _unwritable(path, error) from error
    finally:
        Path(name).unlink(missing_ok=True)


def _unwritable(path: Path, error: OSError) -> AtelierError:
    return AtelierError(f"Cannot write {path} ({error.strerror}); choose another place with --out")


def write_text(path: Path, text: str) -> None:
    """Write a text file whole or not at all."""
    with atomic(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: Path, value: object) -> None:
    """Write a value as readable JSON, whole or not at all. NaN and infinity are refused."""
    text = json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False)
    write_text(path, text + "\n")


def slug(text: str, length: int = 40) -> str:
    """A piece of a file name out of any text: lowercase letters, digits and dashes, "x" if none."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower())[:length].strip("-") or "x"
