"""Uploads: only pictures get in, decoded where they can do no harm, under a name of ours."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from datamodules.support.errors import AtelierError
from experiments.studio.sessions import Session

LARGEST = 50 * 2**20  # bytes
PATIENCE = 30.0  # seconds for decoding
AT_A_TIME = threading.BoundedSemaphore(2)  # each may take 3 GB


@dataclass(frozen=True)
class Photo:
    """A picture that has been let in.

    file: a PNG, upright, sRGB, RGB or RGBA, without metadata, at most 4096 px long.
    warnings: sentences about what was made of the upload.
    recipe: of a picture that Atelier has painted, as text, "" for others.
    """

    file: Path
    warnings: tuple[str, ...] = ()
    recipe: str = ""


def admit(upload: Path, session: Session) -> Photo:
    """Decode an upload, in a process with limits, into the session's folder.

    The upload stays: Gradio gives equal files of several visitors one name.

    Raises AtelierError for whatever is not a picture of at most 50 MB and 120 megapixels.
    """
    target = session.new_file("photo", ".png")
    try:
        _check(upload)
        with AT_A_TIME:
            answer = _answer(upload, target)
        if "refusal" in answer:
            raise AtelierError(answer["refusal"])
        return Photo(target, tuple(answer["warnings"]), answer["recipe"])
    except AtelierError:
        target.unlink(missing_ok=True)
        raise


def _check(upload: Path) -> None:
    if not upload.is_file():
        raise AtelierError("The upload is not there any more; upload it again")
    if upload.stat().st_size > LARGEST:
        raise AtelierError(
            f"The file has {upload.stat().st_size / 2**20:.0f} MB, more than the limit of "
            f"{LARGEST // 2**20} MB; scale the picture down first"
        )


def _answer(upload: Path, target: Path) -> dict[str, Any]:
    """The answer of the process that decodes."""
    words = [sys.executable, "-m", "experiments.studio.decoding", str(upload), str(target)]
    one = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}  # each thread takes address space
    path = {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    try:
        process = subprocess.run(
            words,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            timeout=PATIENCE,
            env=os.environ | one | path,
        )
        return json.loads(process.stdout)
    except (subprocess.TimeoutExpired, ValueError) as error:
        raise AtelierError(
            "The picture takes too much memory or time to decode; export it as a PNG or JPEG"
        ) from error
