"""Whether a server can be reached: allowed by the user, and answering at once.

Proxies are those of HTTPS_PROXY, HTTP_PROXY and NO_PROXY, here as in all clients.
"""

from __future__ import annotations

import os
import threading
import urllib.error
import urllib.request
from collections.abc import Sequence
from http.client import HTTPException
from pathlib import Path
from urllib.parse import urlsplit

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
    """Whether the server at a URL answers within PROBE_SECONDS.

    A server that did not is not asked again by this process, and no server but one of this machine
    where there is no way into any network.
    """
    server = urlsplit(address).netloc
    if server in _silent or not (_is_here(server) or urllib.request.getproxies() or _has_route()):
        return False
    # The lookup of a name knows no time limit of its own, and may take half a minute.
    answer: list[bool] = []
    asking = threading.Thread(target=lambda: answer.append(_answers(address)), daemon=True)
    asking.start()
    asking.join(PROBE_SECONDS + 1)
    if answer != [True]:
        _silent.add(server)
    return answer == [True]


_silent: set[str] = set()  # servers that did not answer


def _is_here(server: str) -> bool:
    host = urlsplit(f"//{server}").hostname or ""
    return host in ("localhost", "::1") or host.startswith("127.")


def _has_route(tables: Sequence[str] = ("/proc/net/route", "/proc/net/ipv6_route")) -> bool:
    """Whether the system's tables of routes lead beyond this machine; yes where there are none."""
    try:
        lines = [line for table in tables for line in Path(table).read_text().splitlines()]
    except OSError:
        return True
    names = (line.split() for line in lines if not line.startswith("Iface"))
    return any("lo" not in (words[0], words[-1]) for words in names)


def _answers(address: str) -> bool:
    try:
        request = urllib.request.Request(address, method="HEAD")
        urllib.request.urlopen(request, timeout=PROBE_SECONDS).close()
    except urllib.error.HTTPError as error:
        return error.code < 500 and error.code not in (403, 407)
    except (OSError, ValueError, HTTPException):  # the last two: not a URL, not a web server
        return False
    return True
