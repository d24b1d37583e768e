"""A client of chat models behind OpenAI-compatible endpoints: messages in, the answer's text out.

The endpoint may be anyone's: OpenAI's, or a local server such as vLLM, llama.cpp or Ollama. The key
is read from the environment and put into the request, and nowhere else. Since servers quote keys in
their errors, no message of ours repeats a server's words.
"""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from datamodules.support.errors import AtelierError
from datamodules.support.extras import require_extra

if TYPE_CHECKING:
    from openai import OpenAI

DEFAULT_URL = "https://api.openai.com/v1"  # the openai library's
LONGEST = 20_000  # characters of an answer; only the end of a longer one is parsed

# The meaning of an HTTP status and the remedy, as the end of a sentence.
REFUSALS = {
    401: "refuses the key in OPENAI_API_KEY, or its absence (401); set one that is valid there",
    403: "does not allow requests with the key in OPENAI_API_KEY (403); set one that has access",
    404: "has no model {model!r}, or is not at this address (404); check model and base_url",
    429: "is overloaded, or the key's quota is used up (429), after {attempts}; wait, or check the "
    "account",
}


class EndpointError(AtelierError):
    """An error of the endpoint itself, in contrast to an unusable answer of its model."""


class ChatModel:
    """A model behind an endpoint; the key is read from OPENAI_API_KEY, a local server needs none.

    who:      the user of the model, as error messages begin: "APIParser".
    model:    the model's name at the endpoint.
    base_url: the endpoint; "" = OPENAI_BASE_URL, else OpenAI's.
    timeout:  seconds without a response, > 0, after which an attempt has failed.
    retries:  further attempts, >= 0, after a timeout, a refused connection, 429 or 500, with
              growing pauses.

    Raises AtelierError for settings that are out of range or would reveal a password.
    """

    def __init__(self, who: str, model: str, base_url: str, timeout: float, retries: int) -> None:
        if not model.strip():
            raise AtelierError(f"{who} has no model; give the model's name at the endpoint")
        if not 0 < timeout < math.inf or retries < 0:
            raise AtelierError(
                f"{who} has timeout {timeout:g} and retries {retries}; the timeout must be "
                "above 0 and the retries at least 0"
            )
        if "@" in base_url or "?" in base_url:
            raise AtelierError(
                "base_url contains a user, password or query, and settings are written to files; "
                "give the bare address, and the key in OPENAI_API_KEY"
            )
        self.model = model
        self.base_url = base_url
        self.timeout = timeout
        self.retries = retries

    def address(self) -> str:
        """The endpoint's URL without secrets, for messages and files.

        Raises AtelierError for an invalid address, a key that cannot be one, and without openai.
        """
        require_extra("openai", "api")
        read_key()
        return _without_secrets(self._url())

    def _url(self) -> str:
        return self.base_url or os.environ.get("OPENAI_BASE_URL", "").strip() or DEFAULT_URL

    def ask(self, messages: list[dict[str, str]], response_format: dict[str, Any]) -> str:
        """The text of the model's answer, "" if it has none.

        response_format: as `schema` makes it. Raises EndpointError if the request fails.
        """
        where = self.address()
        import openai

        # EndpointError is raised outside the handlers, so that the original error, which may quote
        # the key, is not chained to it.
        try:
            with openai.OpenAI(
                api_key=read_key() or "none",  # the library insists on one
                base_url=self._url(),
                timeout=self.timeout,
                max_retries=self.retries,
            ) as client:
                return self._answer(client, messages, response_format)
        except openai.APITimeoutError:
            reason = (
                f"gave no answer within {self.timeout:g} s, in {self._attempts()}; "
                "check that its server is running, or raise timeout"
            )
        except openai.APIConnectionError:
            reason = "cannot be reached; check base_url, and that a server is running there"
        except openai.APIStatusError as error:
            reason = self._refusal(error.status_code)
        except (openai.OpenAIError, ValueError, LookupError, AttributeError, TypeError):
            reason = "does not answer like a chat endpoint; check base_url (it often ends in /v1)"
        raise EndpointError(f"The endpoint {where} {reason}")

    def _refusal(self, status: int) -> str:
        """The meaning of an HTTP status and the remedy, as the end of a sentence."""
        if status >= 500:
            return (
                f"fails ({status}), after {self._attempts()}; try later, or read its server's log"
            )
        other = f"refuses the request ({status}); check that its model {{model!r}} can chat"
        return REFUSALS.get(status, other).format(model=self.model, attempts=self._attempts())

    def _attempts(self) -> str:
        return f"{self.retries + 1} attempts" if self.retries else "1 attempt"

    def _answer(
        self, client: OpenAI, messages: list[dict[str, str]], response_format: dict[str, Any]
    ) -> str:
        from openai import BadRequestError

        request = {"model": self.model, "messages": messages, "temperature": 0}
        try:
            reply = client.chat.completions.create(**request, response_format=response_format)
        except BadRequestError:  # the server may not support schemas
            reply = client.chat.completions.create(**request)
        content = reply.choices[0].message.content
        return content if isinstance(content, str) else ""


def read_key() -> str:
    """The key in OPENAI_API_KEY, "" for none; AtelierError if it cannot be sent by HTTP."""
    key = os.environ.get("OPENAI_API_KEY", "").strip()
    if not (key.isascii() and key.isprintable()):  # HTTP would refuse it, and quote it
        raise AtelierError("OPENAI_API_KEY contains characters that no key has; set it again")
    return key


def _without_secrets(url: str) -> str:
    """The URL without user, password and query. Raises AtelierError for an invalid one."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host = None
    if not host or parts.scheme not in ("http", "https"):
        raise AtelierError(
            "The endpoint's address in base_url (or OPENAI_BASE_URL) is no web address; write one "
            "like http://127.0.0.1:8000/v1"
        )
    name = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{name}{f':{port}' if port else ''}{parts.path}"


def schema(name: str, properties: dict[str, Any]) -> dict[str, Any]:
    """The response format that demands a JSON object with exactly these properties."""
    demand = {"name": name, "strict": True, "schema": strict_object(properties)}
    return {"type": "json_schema", "json_schema": demand}


def strict_object(properties: dict[str, Any]) -> dict[str, Any]:
    """The JSON schema of an object with exactly these properties."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def json_objects(answer: str) -> Iterator[dict[str, Any]]:
    """The JSON objects in an answer, in order, whatever surrounds them.

    Models like to talk around their JSON, and the last object of a model that thinks aloud counts.
    """
    return (value for value, _ in _decoded(answer, "{"))


def json_values(answer: str) -> Iterator[dict[str, Any] | list[Any]]:
    """The JSON objects and the arrays of objects in an answer, in order, whatever surrounds them.

    Objects of an array that breaks off do not count, since others may be missing.
    """
    for value, before in _decoded(answer, "[{"):
        if isinstance(value, dict) and before not in ("[", ","):
            yield value
        if isinstance(value, list) and all(isinstance(item, dict) for item in value):
            yield value


def _decoded(answer: str, opening: str) -> Iterator[tuple[Any, str]]:
    """The JSON values that begin with one of the characters in `opening`, and the sign before."""
    decoder, position = json.JSONDecoder(), 0
    answer = answer[-LONGEST:]
    while start := re.compile(f"[{re.escape(opening)}]").search(answer, position):
        position = start.start() + 1
        try:
            value, position = decoder.raw_decode(answer, start.start())
        except (ValueError, RecursionError):
            continue
        yield value, answer[: start.start()].rstrip()[-1:]
