"""A chat model behind an OpenAI-compatible endpoint: messages in, the text of its answer out.

The endpoint may be anyone's: OpenAI's own, or a local server such as vLLM, llama.cpp or Ollama.
Nothing it says is repeated in a message, since servers quote keys: the key comes from the
environment alone, goes into the request, and nowhere else.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from datamodules.support.errors import AtelierError

if TYPE_CHECKING:
    from openai import OpenAI

OWN_URL = "https://api.openai.com/v1"  # the library's default
LONGEST = 20_000  # characters of an answer; of a longer one only the end is read

# What an endpoint's status means and what to do about it.
REFUSALS = {
    401: "refuses the key in OPENAI_API_KEY, or its absence (401); set one that is valid there",
    403: "does not let this key in OPENAI_API_KEY ask (403); set one that may",
    404: "has no model {model!r}, or is not at this address (404); check model and base_url",
    429: "has no room or quota left for this key (429), even after {retries} retries; wait, or "
    "check the account",
}


class EndpointError(AtelierError):
    """The endpoint has failed, whatever its model might have answered."""


class ChatModel:
    """A model behind an endpoint; the key is read from OPENAI_API_KEY, a local server needs none.

    who:      what asks, as error messages begin: "APIParser".
    model:    the model's name at the endpoint.
    base_url: the endpoint, by default OPENAI_BASE_URL, else OpenAI's own.
    timeout:  seconds of silence, > 0, after which a try has failed.
    retries:  further tries, >= 0, after a timeout, no connection, 429 or 500, with growing pauses.
    """

    def __init__(self, who: str, model: str, base_url: str, timeout: float, retries: int) -> None:
        if not model.strip():
            raise AtelierError(f"{who} has no model to ask; give its name at the endpoint")
        if not 0 < timeout < math.inf or retries < 0:
            raise AtelierError(
                f"{who} has timeout {timeout:g} and retries {retries}; the timeout must be "
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

    def address(self) -> str:
        """The endpoint, as messages and files may show it.

        Raises AtelierError for an address that is none and for a key that cannot be one.
        """
        read_key()
        return _shown(self._url())

    def _url(self) -> str:
        return self.base_url or os.environ.get("OPENAI_BASE_URL", "").strip() or OWN_URL

    def ask(self, messages: list[dict[str, str]], response_format: dict[str, Any]) -> str:
        """What the model answers, "" if it is no text.

        Raises EndpointError, in our own words, if the asking fails.
        """
        import openai

        where = self.address()
        # Raised outside the handler: the original, which may quote the key, is not chained to it.
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
        raise EndpointError(f"The endpoint {where} {reason}")

    def _refusal(self, status: int) -> str:
        """What an HTTP status means, as the end of a sentence."""
        if status >= 500:
            return (
                f"fails ({status}), even after {self.retries} retries; try later, or look into "
                "its server's log"
            )
        unknown = f"refuses the request ({status}); check that its model {{model!r}} can chat"
        return REFUSALS.get(status, unknown).format(model=self.model, retries=self.retries)

    def _answer(
        self, client: OpenAI, messages: list[dict[str, str]], response_format: dict[str, Any]
    ) -> str:
        from openai import BadRequestError

        request = {"model": self.model, "messages": messages, "temperature": 0}
        try:
            reply = client.chat.completions.create(**request, response_format=response_format)
        except BadRequestError:  # the server may know no schemas
            reply = client.chat.completions.create(**request)
        content = reply.choices[0].message.content
        return content if isinstance(content, str) else ""


def read_key() -> str:
    """The key in the environment, "" if there is none; AtelierError if HTTP could not carry it."""
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


def schema(name: str, properties: dict[str, Any]) -> dict[str, Any]:
    """The response format that asks for a JSON object with exactly these properties."""
    asked = {"name": name, "strict": True, "schema": strict_object(properties)}
    return {"type": "json_schema", "json_schema": asked}


def strict_object(properties: dict[str, Any]) -> dict[str, Any]:
    """The JSON schema of an object that has exactly these properties."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def json_objects(answer: str) -> Iterator[dict[str, Any]]:
    """The JSON objects in an answer, in order, whatever stands around them.

    Models like to talk around their JSON, and those that think aloud end with what counts.
    """
    decoder, position = json.JSONDecoder(), 0
    answer = answer[-LONGEST:]
    while (position := answer.find("{", position)) >= 0:
        try:
            value, position = decoder.raw_decode(answer, position)
        except (ValueError, RecursionError):
            position += 1
            continue
        yield value
