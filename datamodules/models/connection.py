"""Whether a server can be reached: allowed by the user, and answering at once.

Proxies are those of HTTPS_PROXY, HTTP_PROXY and NO_PROXY, here as in all clients.
"""

from __future__ import annotations

import os
import urllib.error
import urllib.request
from http.client import HTTPException

PROBE_SECONDS = 3.0  # a server that does not answer by then counts as unreachable
FORBIDDING = ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")  # as huggingface_hub reads them
TRUE = {"1", "ON", "YES", "TRUE"}


def forbidding_variable() -> str | None:
    """The variable that forbids connections to model hubs, such as HF_HUB_OFFLINE=1."""
    return next((name for name in FORBIDDING if os.environ.get(name, "").upper() in TRUE), None)


def online(address: str) -> bool:
    """Whether connections are allowed and the server at a URL answers at once."""
    return not forbidding_variable() and answers(address)


def answers(address: str) -> bool:
    """Whether the server at a URL answers within PROBE_SECONDS."""
    try:
        request = urllib.request.Request(address, method="HEAD")
        urllib.request.urlopen(request, timeout=PROBE_SECONDS).close()
    except urllib.error.HTTPError as error:
        return error.code < 500 and error.code not in (403, 407)
    except (OSError, ValueError, HTTPException):  # the last two: not a URL, not a web server
        return False
    return True
