"""A model behind an OpenAI-compatible endpoint splits the instruction into object and style.

The endpoint may be anyone's: OpenAI's own, or a local server such as vLLM, llama.cpp or Ollama. So
nothing it says is taken on trust: an answer counts only if its objects and styles are spans of the
instruction. Nor is anything it says repeated in a message, since servers quote keys: the key comes
from the environment alone, goes into the request, and nowhere else.
"""

from __future__ import annotations

import json
import logging
import math
import os
import re
from json import JSONDecoder
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from datamodules.errors import AtelierError
from datamodules.parsing.base import Parser, checked
from datamodules.parsing.blend import targets_of
from datamodules.parsing.clauses import REST
from datamodules.task import BACKGROUND, StyleTarget

if TYPE_CHECKING:
    from openai import OpenAI

log = logging.getLogger(__name__)

OWN_URL = "https://api.openai.com/v1"  # the library's default
LONGEST = 20_000  # characters of an answer; of a longer one only the end is read
MOST_WEIGHT = 1e6

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


def _strict(properties: dict[str, Any]) -> dict[str, Any]:
    """The JSON schema of an object that has exactly these properties."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


RESPONSE_FORMAT = {
    "type": "json_schema",
    "json_schema": {
        "name": "targets",
        "strict": True,
        "schema": _strict({"targets": {"type": "array", "items": _strict(FIELDS)}}),
    },
}

# What an endpoint's status means and what to do about it.
REFUSALS = {
    401: "refuses the key in OPENAI_API_KEY, or its absence (401); set one that is valid there",
    403: "does not let this key in OPENAI_API_KEY ask (403); set one that may",
    404: "has no model {model!r}, or is not at this address (404); check model and base_url",
    429: "has no room or quota left for this key (429), even after {retries} retries; wait, or "
    "check the account",
}


class APIParser(Parser):
    """Asks a model behind any OpenAI-compatible endpoint.

    The key is read from the environment variable OPENAI_API_KEY; a local server needs none.

    model:    the model's name at the endpoint.
    base_url: the endpoint, e.g. "http://127.0.0.1:8000/v1"; by default OPENAI_BASE_URL, else
              OpenAI's own. It is written into a run's config.yaml, so it holds no password.
    timeout:  seconds of silence, > 0, after which a try has failed.
    retries:  further tries, >= 0, after a timeout, no connection, 429 or 500, with growing pauses.
    fallback: splits the instruction where the endpoint fails or answers badly. Never silently:
              `fallback_used`, a warning and the run's parse.json say why.
    """

    def __init__(
        self,
        model: str,
        base_url: str = "",
        timeout: float = 30.0,
        retries: int = 3,
        fallback: Parser | None = None,
    ) -> None:
        if not model.strip():
            raise AtelierError("APIParser has no model to ask; give its name at the endpoint")
        if not 0 < timeout < math.inf or retries < 0:
            raise AtelierError(
                f"APIParser has timeout {timeout:g} and retries {retries}; the timeout must be "
                "above 0 and the retries at least 0"
            )
        if "@" in base_url or "?" in base_url:
            raise AtelierError(
                "base_url has a user, password or query in it, and settings are written to files; "
                "give the bare address, and the key in OPENAI_API_KEY"
            )
        self.model = model
        self.base_url = base_url
        self.timeout = timeout
        self.retries = retries
        self.fallback = fallback
        self.fallback_used = ""  # why the last parse is the fallback's; "" if it is not

    @property
    def note(self) -> str:
        """Why the last parse is the fallback's, and what that has to say in turn."""
        if not self.fallback_used:
            return ""
        return f"{self.fallback_used} {self.fallback.note}".strip()

    def parse(self, instruction: str) -> list[StyleTarget]:
        """The targets that the model answers, or the fallback's where that fails.

        Raises AtelierError for blank or long texts, and without a fallback for an endpoint that
        fails or an answer that does not fit the instruction.
        """
        self.fallback_used = ""
        text = checked(instruction)
        url, key = self._url(), _key()
        where = _shown(url)
        try:
            return self._targets(self._ask(text, url, key, where), text, where)
        except AtelierError as error:
            if not self.fallback:
                raise
            name = type(self.fallback).__name__
            reason = str(error).rstrip(".")
            self.fallback_used = f"{name} was used because the endpoint failed: {reason}."
            log.warning(self.fallback_used)
            return self.fallback.parse(instruction)

    def _url(self) -> str:
        return self.base_url or os.environ.get("OPENAI_BASE_URL", "").strip() or OWN_URL

    def _ask(self, text: str, url: str, key: str, where: str) -> str:
        """What the model answers, as text; AtelierError, in our own words, if the asking fails."""
        import openai

        # Raised outside the handler: the original, which may quote the key, is not chained to it.
        try:
            with openai.OpenAI(
                api_key=key or "none",  # the library insists on one
                base_url=url,
                timeout=self.timeout,
                max_retries=self.retries,
            ) as client:
                return self._answer(client, text)
        except openai.APITimeoutError:
            reason = (
                f"gave no answer within {self.timeout:g} s, even after {self.retries} retries; "
                "check that its server is well, or raise timeout"
            )
        except openai.APIConnectionError:
            reason = "cannot be reached; check base_url and that a server runs there"
        except openai.APIStatusError as error:
            reason = self._refusal(error.status_code)
        except (openai.OpenAIError, ValueError, LookupError, AttributeError, TypeError):
            reason = (
                "answers, but not as a chat endpoint does; check base_url (it often ends in /v1)"
            )
        raise AtelierError(f"The endpoint {where} {reason}")

    def _refusal(self, status: int) -> str:
        """What an HTTP status means, as the end of a sentence."""
        if status >= 500:
            return (
                f"fails ({status}), even after {self.retries} retries; try later, or look into "
                "its server's log"
            )
        unknown = f"refuses the request ({status}); check that its model {{model!r}} can chat"
        return REFUSALS.get(status, unknown).format(model=self.model, retries=self.retries)

    def _answer(self, client: OpenAI, text: str) -> str:
        from openai import BadRequestError

        request = {"model": self.model, "messages": _messages(text), "temperature": 0}
        try:
            reply = client.chat.completions.create(**request, response_format=RESPONSE_FORMAT)
        except BadRequestError:  # the server may know no schemas
            reply = client.chat.completions.create(**request)
        content = reply.choices[0].message.content
        return content if isinstance(content, str) else ""

    def _targets(self, answer: str, text: str, where: str) -> list[StyleTarget]:
        """The targets in the model's answer; AtelierError if it does not fit the instruction."""
        try:
            return [target for entry in _listed(answer) for target in _read(entry, text)]
        except ValueError as error:
            raise AtelierError(
                f"The model {self.model!r} at {where} {error}; ask again, or choose another model"
            ) from None


def _key() -> str:
    key = os.environ.get("OPENAI_API_KEY", "").strip()
    if not (key.isascii() and key.isprintable()):  # HTTP would refuse it, and quote it
        raise AtelierError("OPENAI_API_KEY holds signs that no key has; set it again")
    return key


def _shown(url: str) -> str:
    """The address without user, password and query, which may be secrets."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host = None
    if not host or parts.scheme not in ("http", "https"):
        raise AtelierError(
            "The endpoint's address in base_url (or OPENAI_BASE_URL) is no web address; write it "
            "as http://127.0.0.1:8000/v1"
        )
    name = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{name}{f':{port}' if port else ''}{parts.path}"


def _messages(text: str) -> list[dict[str, str]]:
    messages = [{"role": "system", "content": TASK}]
    for instruction, targets in EXAMPLES:
        answer = {"targets": [dict(zip(FIELDS, target, strict=True)) for target in targets]}
        messages.append({"role": "user", "content": instruction})
        messages.append({"role": "assistant", "content": json.dumps(answer)})
    return [*messages, {"role": "user", "content": text}]


def _listed(answer: str) -> list[Any]:
    """What "targets" lists in the answer's last JSON object that has it; ValueError if nothing.

    Models like to talk around their JSON, and those that think aloud end with what counts.
    """
    decoder, listed, position = JSONDecoder(), None, 0
    answer = answer[-LONGEST:]
    while (position := answer.find("{", position)) >= 0:
        try:
            value, position = decoder.raw_decode(answer, position)
        except (ValueError, RecursionError):
            position += 1
            continue
        listed = value.get("targets", listed)
    if listed is None:
        raise ValueError('answered without JSON of the form {"targets": [...]}')
    if not (isinstance(listed, list) and listed):
        raise ValueError("listed no targets")
    return listed


def _read(entry: Any, text: str) -> list[StyleTarget]:
    """A listed target, in the instruction's spelling; ValueError says what is wrong with it."""
    if not isinstance(entry, dict) or not {"object", "style"} <= entry.keys():
        raise ValueError("gave a target without object and style")
    weight = entry.get("weight", 1)
    if type(weight) not in (int, float) or not 0 < weight < MOST_WEIGHT:
        raise ValueError("gave a target whose weight is no number above 0, or a vast one")
    name, style = (_span(entry[field], field, text) for field in ("object", "style"))
    if not (name or style):
        raise ValueError("gave a target that names neither object nor style")
    parts = targets_of(name, style)
    if parts != [StyleTarget(name, style)]:  # a blend that the model has left in one piece
        return parts
    return [StyleTarget(name, style, float(weight))]


def _span(phrase: Any, field: str, text: str) -> str:
    """The phrase as the instruction spells it, whole words if there; ValueError if it does not."""
    if not isinstance(phrase, str):
        raise ValueError(f"gave a target whose {field} is no text")
    if field == "object" and (phrase.lower() == BACKGROUND or REST.fullmatch(phrase)):
        return BACKGROUND
    # Models straighten the apostrophes that phones curl.
    letters = re.sub("['\u2019]", "['\u2019]", re.escape(" ".join(phrase.split())))
    for pattern in (rf"\b{letters}\b", letters):
        if found := re.search(pattern, text, re.IGNORECASE):
            return found[0]
    raise ValueError(f"gave a target whose {field} is no part of the instruction")
