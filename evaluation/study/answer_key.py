"""The study's key: the system at either side of each pair. It is never shown to a rater."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from datamodules.support.errors import AtelierError

KEY, PAGE, VOTES = "study.json", "index.html", "votes.sqlite"  # a study's folder


@dataclass(frozen=True)
class Key:
    """study: id that page, key and votes share. pairs: systems (A, B) by pair id."""

    study: str
    pairs: dict[str, tuple[str, str]]

    @property
    def systems(self) -> list[str]:
        """Names of the systems in alphabetical order."""
        return sorted({system for pair in self.pairs.values() for system in pair})


def secret(seed: int, *parts: str) -> str:
    """12 hexadecimal digits that identify the parts without revealing them.

    They depend on what is compared, not on its place in the list: a vote never counts for another
    pair when a study is made again with more runs.
    """
    return hashlib.sha256("\n".join((str(seed), *parts)).encode()).hexdigest()[:12]


def study_id(pair_ids: Sequence[str]) -> str:
    """12 hexadecimal digits that depend on the pairs alone."""
    return secret(len(pair_ids), *sorted(pair_ids))


def read_key(folder: Path) -> Key:
    """The key of the study in a folder. Raises AtelierError if there is none."""
    path = folder / KEY
    try:
        value = json.loads(path.read_text("utf-8"))
        pairs = {p["id"]: (p["A"]["system"], p["B"]["system"]) for p in value["pairs"]}
        return Key(value["study"], pairs)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise AtelierError(
            f"There is no study at {folder} (no {KEY}); make one: atelier study make RUNS..."
        ) from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise AtelierError(f"{path} is not a study's key; make the study again") from error
