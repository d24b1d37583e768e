"""A user study from run folders to results: the pairs of a page, and the scores of its votes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from datamodules.support.errors import AtelierError
from evaluation.study.answer_key import PAGE, VOTES, read_key
from evaluation.study.page import write_study
from evaluation.study.pairs import make_pairs
from evaluation.study.ratings import Row, rate
from evaluation.study.runs import read_works
from evaluation.study.votes import QUESTIONS, merged, read_file, read_store

SECONDS_PER_PAIR = 15  # of a rater, about


@dataclass(frozen=True)
class MadeStudy:
    """A study's page, and the numbers of what it shows."""

    page: Path
    pairs: int
    runs: int
    systems: tuple[str, ...]

    @property
    def minutes(self) -> int:
        """Time of one rater, about."""
        return max(1, round(self.pairs * SECONDS_PER_PAIR / 60))


@dataclass(frozen=True)
class StudyResult:
    """Scores of the systems by question, best first; numbers of votes and raters."""

    questions: Mapping[str, Sequence[Row]]
    votes: int
    raters: int

    def as_json(self) -> dict[str, Any]:
        """The result as plain values."""
        questions = {name: [asdict(row) for row in rows] for name, rows in self.questions.items()}
        return {"raters": self.raters, "votes": self.votes, "questions": questions}


def make_study(runs: Iterable[str], out: Path, most: int | None = None, seed: int = 0) -> MadeStudy:
    """Write the page and the key of a study to the folder `out`.

    runs: as `read_works` takes them. most: pairs, balanced over systems; None for all.
    Raises AtelierError where no two runs can be compared.
    """
    works = read_works(runs)
    pairs = make_pairs(works, most, seed)
    write_study(pairs, out, seed)
    systems = sorted({work.system for pair in pairs for work in (pair.a, pair.b)})
    return MadeStudy(out / PAGE, len(pairs), len(works), tuple(systems))


def score_study(folder: Path, files: Iterable[Path] = ()) -> StudyResult:
    """Scores of the votes in a study's folder and in files that raters have downloaded.

    Raises AtelierError where there are no votes, and for files of another study.
    """
    key = read_key(folder)
    votes = read_store(folder / VOTES, key)
    for file in files:
        votes += read_file(file, key)
    votes = merged(votes)
    if not votes:
        raise AtelierError(f"There are no votes in {folder} yet; run atelier study serve {folder}")
    questions = {
        question: rate([v for v in votes if v.question == question], key.pairs, key.systems)
        for question in QUESTIONS
    }
    return StudyResult(questions, len(votes), len({vote.rater for vote in votes}))
