"""Votes: their validation and their storage."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import Annotated, Literal, NamedTuple

from pydantic import Field, StringConstraints

from datamodules.support.errors import AtelierError
from datamodules.support.schema import Schema, Text, validate
from evaluation.study.answer_key import Key

QUESTIONS = {
    "style": "Which shows the style better?",
    "photo": "Which keeps the photo better?",
}
ANSWERS = ("A", "B", "same")
RATER = re.compile(r"[A-Za-z0-9-]{4,40}")

_TABLES = """
CREATE TABLE IF NOT EXISTS study (id TEXT PRIMARY KEY);
CREATE TABLE IF NOT EXISTS votes (
    rater TEXT NOT NULL, pair TEXT NOT NULL, question TEXT NOT NULL, answer TEXT NOT NULL,
    time TEXT NOT NULL, PRIMARY KEY (rater, pair, question)
);
"""


class Vote(NamedTuple):
    """A rater's answer ("A", "B" or "same") to one question about one pair."""

    rater: str
    pair: str
    question: str
    answer: str


class VoteError(ValueError):
    """An invalid vote, or one about another study; the text says why."""


class VoteForm(Schema):
    """The JSON object of a vote."""

    rater: Annotated[
        str,
        StringConstraints(pattern=f"^{RATER.pattern}$"),
        Field(description="4 to 40 letters, digits and dashes"),
    ]
    pair: Text
    question: Literal[*QUESTIONS]
    answer: Literal[*ANSWERS]


def check_vote(value: object, key: Key) -> Vote:
    """The vote in a JSON object with exactly the fields of `VoteForm`. Raises VoteError."""
    try:
        vote = Vote(**validate(VoteForm, value, "the vote").model_dump())
    except AtelierError as error:
        raise VoteError(str(error)) from error
    if vote.pair not in key.pairs:
        raise VoteError("this study has no such pair")
    return vote


class VoteStore:
    """Votes in an SQLite file, one per rater, pair and question; a later one replaces it.

    Every vote is on the disk when `put` returns. Threads can share the store, and processes the
    file. Raises AtelierError for a file of another study, and for one that cannot be read.
    """

    def __init__(self, path: Path, study: str) -> None:
        self._lock = Lock()
        try:
            self._file = sqlite3.connect(path, timeout=30, check_same_thread=False)
            self._file.execute("PRAGMA synchronous = FULL")
            self._file.executescript(_TABLES)
            row = self._file.execute("SELECT id FROM study").fetchone()
            if not row:
                with self._file:
                    self._file.execute("INSERT OR IGNORE INTO study VALUES (?)", (study,))
        except sqlite3.Error as error:
            raise AtelierError(
                f"{path} cannot be used for votes ({error}); move it away, or mend its permissions"
            ) from error
        if row and row[0] != study:
            self.close()
            raise AtelierError(
                f"{path} holds the votes of another study; move it away, or choose another folder"
            )

    def put(self, vote: Vote) -> None:
        """Store a vote. Raises sqlite3.Error if that fails."""
        now = datetime.now(UTC).isoformat(timespec="seconds")
        with self._lock, self._file:
            self._file.execute("INSERT OR REPLACE INTO votes VALUES (?, ?, ?, ?, ?)", (*vote, now))

    def votes(self, rater: str | None = None) -> list[Vote]:
        """The votes of one rater, or of all."""
        query = "SELECT rater, pair, question, answer FROM votes WHERE ?1 IS NULL OR rater = ?1"
        with self._lock:
            rows = self._file.execute(query + " ORDER BY rater, pair, question", (rater,))
            return [Vote(*row) for row in rows]

    def close(self) -> None:
        with self._lock:
            self._file.close()


def read_store(path: Path, key: Key) -> list[Vote]:
    """The votes in a store; none without a file."""
    if not path.exists():
        return []
    with closing(VoteStore(path, key.study)) as store:
        return store.votes()


def read_file(path: Path, key: Key) -> list[Vote]:
    """The votes in a file that a rater has downloaded; AtelierError for any other file."""
    try:
        value = json.loads(path.read_text("utf-8"))
        if value["study"] != key.study:
            raise AtelierError(f"{path} holds votes on another study; name this study's files")
        return [check_vote({"rater": value["rater"], **vote}, key) for vote in value["votes"]]
    except FileNotFoundError as error:
        raise AtelierError(f"There are no votes at {path}; check the path") from error
    except VoteError as error:
        raise AtelierError(f"{path} holds no valid votes: {error}; ask the rater again") from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise AtelierError(
            f"{path} is not a file of votes; give what raters downloaded at the end"
        ) from error


def merged(votes: Iterable[Vote]) -> list[Vote]:
    """The last vote of each rater on each pair and question."""
    return list({vote[:3]: vote for vote in votes}.values())
