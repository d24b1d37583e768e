"""Whole run folders as ZIP files."""

from __future__ import annotations

import zipfile
from pathlib import Path

from datamodules.run_folder import CHECKPOINT
from datamodules.support.files import atomic


def write_zip(folder: Path, file: Path) -> Path:
    """Write all files of a run but its checkpoint; pictures are compressed already."""
    with atomic(file) as part, zipfile.ZipFile(part, "w") as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file() and path.name != CHECKPOINT and not path.name.startswith("."):
                archive.write(path, Path(folder.name) / path.relative_to(folder))
    return file
