"""Verification of finished runs: whether result.json is whole, and the pictures are its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from datamodules.run_folder import RESULT, RunFolder, find
from datamodules.support.errors import AtelierError


def verify(root: Path) -> Iterator[tuple[Path, str]]:
    """Each finished run at or below a folder, with what is wrong with it, "" for nothing.

    Raises AtelierError where there is none.
    """
    folders = sorted(Path(at) for at, _ in find(root, (RESULT,)))
    if not folders:
        raise AtelierError(f"{root} holds no finished run: no folder in it has a {RESULT}")
    for folder in folders:
        yield folder, _problem(RunFolder(folder, strict=False))


def _problem(run: RunFolder) -> str:
    if run.damage:
        return run.damage
    if not run.result.sha256:
        return f"{run.path / RESULT} has no digests: an older version of Atelier wrote it"
    if names := run.altered:
        return f"{run.path}: altered since the run, or gone: {', '.join(names)}"
    return ""
