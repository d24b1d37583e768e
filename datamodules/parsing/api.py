"""A parser that is a chat model behind an OpenAI-compatible endpoint.

The endpoint may be anyone's: OpenAI's, or a local server such as vLLM, llama.cpp or Ollama. So no
answer is trusted: it counts only if its objects and styles are spans of the instruction. Requests
and the secrecy of the key are left to `datamodules.support.chat`.
"""

from __future__ import annotations

import json
import logging
import re
from dataclasses import replace
from typing import Any

from datamodules.parsing import lexicon as words
from datamodules.parsing.base import Parser, check_instruction
from datamodules.parsing.blend import targets_of
from datamodules.support.chat import ChatModel, json_values, read_key
from datamodules.support.errors import AtelierError
from datamodules.target_entries import target_of
from datamodules.task import BACKGROUND, StyleTarget

log = logging.getLogger(__name__)

MAX_WEIGHT = 1e6
LONGEST_QUOTE = 200  # characters of an unusable answer that its refusal shows

TASK = f"""\
Split the instruction for restyling a picture into its targets: which object gets which style.
Answer with JSON alone, an array: [{{"object": ..., "style": ..., "except": [...]}}, ...]
- Copy all words from the instruction, letter by letter; "" for a style that it does not name.
- Take the longest phrase that names the thing, without a leading article.
- "in the style of X", "in X style", "X's style" and "an X look" have the style X.
- Several objects with one style are several targets.
- The object is "" where the whole picture is meant, "{BACKGROUND}" for all that the other targets
  leave.
- "except" lists what stays as it is although the object includes it: "everything but the sky" has
  the object "" and the exception "sky". Leave it out if there is nothing.
- Where one object gets a blend of styles there is one target per style, each with its "weight"."""

EXAMPLES = (
    (
        "In Monet's style, paint the old bridge over the pond, but keep the rest",
        [{"object": "old bridge over the pond", "style": "Monet"}],
    ),
    (
        "Turn the cat to 0.7*fire + 0.3*pop art and the background into a snow storm",
        [
            {"object": "cat", "style": "fire", "weight": 0.7},
            {"object": "cat", "style": "pop art", "weight": 0.3},
            {"object": BACKGROUND, "style": "snow storm"},
        ],
    ),
    (
        "Leave the dog alone and make everything else look like a tapestry",
        [{"object": "", "style": "tapestry", "except": ["dog"]}],
    ),
    (
        "The barn and the trees shall be gold",
        [{"object": "barn", "style": "gold"}, {"object": "trees", "style": "gold"}],
    ),
)

TARGET = {
    "type": "object",
    "properties": {
        "object": {"type": "string"},
        "style": {"type": "string"},
        "weight": {"type": "number"},
        "except": {"type": "array", "items": {"type": "string"}},
    },
    "required": ["object", "style"],
    "additionalProperties": False,
}
RESPONSE_FORMAT = {
    "type": "json_schema",
    "json_schema": {"name": "targets", "schema": {"type": "array", "items": TARGET}},
}


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
                f"The model {self.chat.model!r} at {where} {error}; it answered {_quoted(answer)}: "
                "ask again, or choose another model"
            ) from None


def _messages(text: str) -> list[dict[str, str]]:
    messages = [{"role": "system", "content": TASK}]
    for instruction, targets in EXAMPLES:
        messages.append({"role": "user", "content": instruction})
        messages.append({"role": "assistant", "content": json.dumps(targets)})
    return [*messages, {"role": "user", "content": text}]


def _quoted(answer: str) -> str:
    """The beginning of an answer in one line, without the key, should the server repeat it."""
    key = read_key()
    line = " ".join((answer.replace(key, "...") if key else answer).split())
    return repr(line if len(line) <= LONGEST_QUOTE else line[: LONGEST_QUOTE - 3] + "...")


def _entries(answer: str) -> list[Any]:
    """The targets in an answer, whatever surrounds them; ValueError if there are none.

    The last array counts, as a list or as "targets" of an object; a single object is the only
    target.
    """
    entries, alone = None, []
    for value in json_values(answer):
        if isinstance(value, dict) and "targets" in value:
            value = value["targets"]
        if isinstance(value, list):
            entries, alone = value, []
        elif {"object", "style"} <= value.keys():
            entries, alone = [value], [*alone, value]
    if entries is None:
        raise ValueError("answered without JSON targets")
    if not entries:
        raise ValueError("listed no targets")
    if len(alone) > 1:
        raise ValueError("answered with several objects outside of an array")
    return entries


def _read(entry: Any, text: str) -> list[StyleTarget]:
    """The targets of an entry, in the instruction's spelling; ValueError says what is wrong."""
    try:
        target = target_of(entry)
    except ValueError as error:
        raise ValueError(f"gave {error}") from None
    if not 0 < target.weight < MAX_WEIGHT:
        raise ValueError("gave a target whose weight is not above 0 and below 1e6")
    name, style = _place(target.object, text), _span(target.style, "style", text)
    exceptions = tuple(_span(phrase, "exception", text) for phrase in target.exceptions)
    if not (name or style):
        raise ValueError("gave a target that names neither object nor style")
    target = StyleTarget(name, style, target.weight, exceptions)
    parts = targets_of(name, style)
    if len(parts) == 1:
        return [target]
    return [replace(part, exceptions=exceptions) for part in parts]  # a blend, not yet split


def _place(phrase: str, text: str) -> str:
    """The object in the instruction's spelling, "" for the whole picture, or BACKGROUND."""
    if words.REST.fullmatch(phrase) or words.BACKGROUND.fullmatch(phrase):
        return BACKGROUND
    return "" if words.WHOLE.fullmatch(phrase) else _span(phrase, "object", text)


def _span(phrase: str, field: str, text: str) -> str:
    """The phrase in the instruction's spelling, if possible as whole words.

    Raises ValueError if the instruction does not contain it.
    """
    # Phones type curly apostrophes, which models straighten.
    letters = re.sub("['\u2019]", "['\u2019]", re.escape(" ".join(phrase.split())))
    for pattern in (rf"\b{letters}\b", letters):
        if match := re.search(pattern, text, re.IGNORECASE):
            return match[0]
    raise ValueError(f"gave a target whose {field} is no part of the instruction")
