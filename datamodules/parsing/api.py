"""A parser that is a chat model behind an OpenAI-compatible endpoint.

The endpoint may be anyone's: OpenAI's, or a local server such as vLLM, llama.cpp or Ollama. So no
answer is trusted: it counts only if its objects and styles are spans of the instruction. Requests
and the secrecy of the key are left to `datamodules.support.chat`.
"""

from __future__ import annotations

import json
import logging
import re
from typing import Any

from datamodules.parsing.base import Parser, check_instruction
from datamodules.parsing.blend import targets_of
from datamodules.parsing.clauses import REST
from datamodules.support.chat import ChatModel, json_objects, schema, strict_object
from datamodules.support.errors import AtelierError
from datamodules.task import BACKGROUND, StyleTarget

log = logging.getLogger(__name__)

MAX_WEIGHT = 1e6

TASK = f"""\
Split the instruction for restyling a picture into its targets: which object gets which style.
Answer with JSON alone: {{"targets": [{{"object": ..., "style": ..., "weight": ...}}]}}
- Copy object and style from the instruction, letter by letter; "" for what it does not name.
- Take the longest phrase that names the thing, without a leading article.
- "in the style of X", "in X style", "X's style" and "an X look" have the style X.
- The object is "" where the whole picture is meant, "{BACKGROUND}" for all that the other targets
  leave. What is to stay as it is, is no target.
- The weight is 1, except where one object gets a blend of styles: then one target a style."""

EXAMPLES = (
    (
        "In Monet's style, paint the old bridge over the pond, but keep the rest",
        [("old bridge over the pond", "Monet", 1)],
    ),
    (
        "Turn the cat to 0.7*fire + 0.3*pop art and the background into a snow storm",
        [("cat", "fire", 0.7), ("cat", "pop art", 0.3), (BACKGROUND, "snow storm", 1)],
    ),
    ("Make it look like a tapestry", [("", "tapestry", 1)]),
)

FIELDS = {
    "object": {"type": "string"},
    "style": {"type": "string"},
    "weight": {"type": "number"},
}
RESPONSE_FORMAT = schema("targets", {"targets": {"type": "array", "items": strict_object(FIELDS)}})


class APIParser(Parser):
    """Splits an instruction by asking a model behind any OpenAI-compatible endpoint.

    The key is read from the environment variable OPENAI_API_KEY; a local server needs none.

    model:    the model's name at the endpoint.
    base_url: the endpoint, e.g. "http://127.0.0.1:8000/v1"; by default OPENAI_BASE_URL, else
              OpenAI's. It is written into a run's config.yaml, so it must not contain a password.
    timeout:  seconds without a response, > 0, after which an attempt has failed.
    retries:  further attempts, >= 0, after a timeout, a refused connection, 429 or 500, with
              growing pauses.
    fallback: the parser to use if the endpoint fails or its answer is invalid. Never silently:
              `fallback_used`, a warning and the run's parse.json give the reason.
    """

    def __init__(
        self,
        model: str,
        base_url: str = "",
        timeout: float = 30.0,
        retries: int = 3,
        fallback: Parser | None = None,
    ) -> None:
        self.chat = ChatModel("APIParser", model, base_url, timeout, retries)
        self.fallback = fallback
        self.fallback_used = ""  # the reason, if the last parse is the fallback's

    @property
    def note(self) -> str:
        """The reason why the last parse is the fallback's, and the fallback's own note."""
        if not self.fallback_used:
            return ""
        return f"{self.fallback_used} {self.fallback.note}".strip()

    def load(self) -> None:
        """Refuse an invalid address or key now, rather than at the first parse."""
        self.chat.address()

    def parse(self, instruction: str) -> list[StyleTarget]:
        """The targets in the model's answer, or the fallback's if that fails.

        Raises AtelierError for blank or long texts and, without a fallback, for an endpoint that
        fails or an answer that does not fit the instruction.
        """
        self.fallback_used = ""
        text = check_instruction(instruction)
        where = self.chat.address()  # wrong settings are an error even with a fallback
        try:
            return self._targets(self.chat.ask(_messages(text), RESPONSE_FORMAT), text, where)
        except AtelierError as error:
            if not self.fallback:
                raise
            name = type(self.fallback).__name__
            reason = str(error).rstrip(".")
            self.fallback_used = f"{name} was used because the endpoint failed: {reason}."
            log.warning(self.fallback_used)
            return self.fallback.parse(instruction)

    def _targets(self, answer: str, text: str, where: str) -> list[StyleTarget]:
        """The targets in the model's answer; AtelierError if it does not fit the instruction."""
        try:
            return [target for entry in _entries(answer) for target in _read(entry, text)]
        except ValueError as error:
            raise AtelierError(
                f"The model {self.chat.model!r} at {where} {error}; ask again, or choose "
                "another model"
            ) from None


def _messages(text: str) -> list[dict[str, str]]:
    messages = [{"role": "system", "content": TASK}]
    for instruction, targets in EXAMPLES:
        answer = {"targets": [dict(zip(FIELDS, target, strict=True)) for target in targets]}
        messages.append({"role": "user", "content": instruction})
        messages.append({"role": "assistant", "content": json.dumps(answer)})
    return [*messages, {"role": "user", "content": text}]


def _entries(answer: str) -> list[Any]:
    """The "targets" of the answer's last JSON object that has any; ValueError if none has."""
    entries = None
    for value in json_objects(answer):
        entries = value.get("targets", entries)
    if entries is None:
        raise ValueError('answered without JSON of the form {"targets": [...]}')
    if not (isinstance(entries, list) and entries):
        raise ValueError("listed no targets")
    return entries


def _read(entry: Any, text: str) -> list[StyleTarget]:
    """The targets of an entry, in the instruction's spelling; ValueError says what is wrong."""
    if not isinstance(entry, dict) or not {"object", "style"} <= entry.keys():
        raise ValueError("gave a target without object and style")
    weight = entry.get("weight", 1)
    if type(weight) not in (int, float) or not 0 < weight < MAX_WEIGHT:
        raise ValueError("gave a target whose weight is not a number above 0 and below 1e6")
    name, style = (_span(entry[field], field, text) for field in ("object", "style"))
    if not (name or style):
        raise ValueError("gave a target that names neither object nor style")
    parts = targets_of(name, style)
    if parts != [StyleTarget(name, style)]:  # a blend that the model did not split
        return parts
    return [StyleTarget(name, style, float(weight))]


def _span(phrase: Any, field: str, text: str) -> str:
    """The phrase in the instruction's spelling, if possible as whole words.

    Raises ValueError if the instruction does not contain it.
    """
    if not isinstance(phrase, str):
        raise ValueError(f"gave a target whose {field} is no text")
    if field == "object" and (phrase.lower() == BACKGROUND or REST.fullmatch(phrase)):
        return BACKGROUND
    # Phones type curly apostrophes, which models straighten.
    letters = re.sub("['\u2019]", "['\u2019]", re.escape(" ".join(phrase.split())))
    for pattern in (rf"\b{letters}\b", letters):
        if match := re.search(pattern, text, re.IGNORECASE):
            return match[0]
    raise ValueError(f"gave a target whose {field} is no part of the instruction")
