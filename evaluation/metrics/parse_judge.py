"""A chat model as judge of how well an instruction was split, on Soulstyler's scale of 0 to 10.

Soulstyler (arXiv 2311.13562) let GPT-3.5 and GPT-4 score the splits of ten language models, but
does not publish its prompt. So the rubric is our own (`parse_rubric.md`, never changed): the scale
is the paper's, the rubric is not. The judge reads the instruction and the answer, not our key.

Judgements are cached, one file each, so that a second run makes no request. Without an endpoint
there is no judge and no score.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from datamodules.models.cache import REMEDY, cache_dir, identity, on_disk
from datamodules.support.chat import ChatModel, json_objects, read_key, schema
from datamodules.support.errors import AtelierError
from datamodules.support.files import make_folder, write_json
from datamodules.target_entries import entry_of
from datamodules.task import StyleTarget

RUBRIC = Path(__file__).with_name("parse_rubric.md")
BEST = 10.0  # the scale's end; it begins at 0
LONGEST_REASON = 300  # characters
RESPONSE_FORMAT = schema("judgement", {"score": {"type": "number"}, "reason": {"type": "string"}})


@dataclass(frozen=True)
class Judgement:
    """A score in [0, 10], higher is better, and its reason in the judge's words, "" for none."""

    score: float
    reason: str


class RecordFile:
    """A judgement in a JSON file: {"score": in [0, 10], "reason": text, ...}."""

    required = True

    def read(self, path: Path) -> dict[str, Any]:
        record = json.loads(path.read_text(encoding="utf-8"))
        if not (_is_score(record["score"]) and isinstance(record["reason"], str)):
            raise ValueError("it holds no judgement")
        return record

    def write(self, path: Path, value: dict[str, Any]) -> dict[str, Any]:
        write_json(path, value, REMEDY)
        return value


class Judge:
    """A model behind any OpenAI-compatible endpoint; the key is in OPENAI_API_KEY.

    model, base_url, timeout: those of `APIParser`.
    retries: further attempts, >= 0, if the endpoint fails or its answer is no score.

    Raises AtelierError for an invalid address, and for a cache that cannot be written.
    """

    def __init__(
        self, model: str, base_url: str = "", timeout: float = 60.0, retries: int = 2
    ) -> None:
        self.chat = ChatModel("The judge", model, base_url, timeout, retries)
        self.where = self.chat.address()
        self.folder = cache_dir() / "judge"
        make_folder(self.folder, REMEDY)  # before any request is made, and paid for

    @cached_property
    def rubric(self) -> str:
        """The instructions to the model, word for word."""
        return RUBRIC.read_text(encoding="utf-8")

    @cached_property
    def rubric_id(self) -> str:
        """The first digits of the rubric's sha256; scores of different rubrics do not compare."""
        return hashlib.sha256(self.rubric.encode()).hexdigest()[:12]

    def judge(self, instruction: str, targets: Sequence[StyleTarget]) -> Judgement:
        """The judgement on a split, from the cache if the question is not new.

        targets: the parser's, () if it refused the instruction.
        Raises EndpointError if the endpoint fails, AtelierError if no answer holds a score.
        """
        record = self._record(_question(instruction, targets))
        return Judgement(float(record["score"]), record["reason"])

    def _file(self, question: str) -> Path:
        """The cache file, named after all that the judgement depends on; the API key is no part."""
        parts = (self.rubric, self.chat.model, self.where.rstrip("/"), question)
        return self.folder / f"{identity(*parts)}.json"

    @on_disk(RecordFile(), _file)
    def _record(self, question: str) -> dict[str, Any]:
        """The judgement with its question, judge and rubric, for those who read the file."""
        origin = {"judge": self.chat.model, "rubric": self.rubric_id, "question": question}
        return asdict(self._request(question)) | origin

    def _request(self, question: str) -> Judgement:
        messages = [
            {"role": "system", "content": self.rubric},
            {"role": "user", "content": question},
        ]
        for _ in range(self.chat.retries + 1):
            if judgement := _read(self.chat.ask(messages, RESPONSE_FORMAT)):
                return judgement
        raise AtelierError(
            f"The judge {self.chat.model!r} at {self.where} gave no score from 0 to {BEST:g} as "
            f'{{"score": ..., "reason": ...}}, even after {self.chat.retries} retries; '
            "choose another model with --judge"
        )


def _question(instruction: str, targets: Sequence[StyleTarget]) -> str:
    answer = [entry_of(target) for target in targets]
    return json.dumps({"instruction": instruction, "answer": answer}, ensure_ascii=False)


def _is_score(value: Any) -> bool:
    return type(value) in (int, float) and 0 <= value <= BEST  # NaN is not; true is no number


def _read(answer: str) -> Judgement | None:
    """The judgement in the answer's last JSON object with a score; None without a valid one."""
    entry = {}
    for value in json_objects(answer):
        entry = value if "score" in value else entry
    if not _is_score(entry.get("score")):
        return None
    reason = entry.get("reason")
    words = " ".join(reason.split()) if isinstance(reason, str) else ""
    words = words.encode(errors="replace").decode()  # JSON can hold halves of characters
    key = read_key()
    if key:  # servers quote keys, and reasons are written to files
        words = words.replace(key, "(key)")
    return Judgement(float(entry["score"]), words[:LONGEST_REASON])
