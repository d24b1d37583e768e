"""Rules of the small web servers: from which sites they take requests, and headers of answers."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from urllib.parse import urlsplit

LOOPBACK = ("127.0.0.1", "localhost", "::1")
HEADERS = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def places(origins: Iterable[str]) -> set[str]:
    """HOST or HOST:PORT of addresses such as https://study.example.org."""
    return {urlsplit(origin).netloc or origin for origin in origins}


def foreign(host: str, origin: str | None, local: bool, others: Collection[str]) -> str:
    """A sentence that refuses a request of another site, "" for one of our own.

    Other sites must neither send anything nor point their names at this server.

    host, origin: headers of the request. local: whether the server listens on this machine alone.
    others: HOST or HOST:PORT by which it is reached through a proxy. Raises ValueError for an
    invalid address.
    """
    if local and host not in others and urlsplit(f"//{host}").hostname not in LOOPBACK:
        return f"not served as {host}; see --origin"
    if origin and urlsplit(origin).netloc not in {host or None, *others}:
        return f"nothing is taken from {origin}; see --origin"
    return ""
