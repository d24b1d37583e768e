"""Files of a plain web server, such as torchvision's: resumed after a cut, checked, never partial.

The bytes gather in FILE.part, which a later call continues; FILE appears when it is whole. Proxies
are those of HTTPS_PROXY and HTTP_PROXY.
"""

from __future__ import annotations

import http.client
import time
import urllib.error
import urllib.request
from pathlib import Path

from datamodules.support.errors import AtelierError
from datamodules.support.files import sha256

SECONDS = 20.0  # without a byte, after which a connection counts as cut
TRIES = 5  # in a row that bring no byte
PAUSE = 1.0  # seconds before the next try
CHUNK = 2**20  # bytes
CUT = (ConnectionError, TimeoutError, http.client.HTTPException, urllib.error.URLError)


class CutError(ConnectionError):
    """The connection ended before the file."""


def size(url: str) -> int | None:
    """The size of a file on a server in bytes; None if the server does not say."""
    request = urllib.request.Request(url, method="HEAD")
    with urllib.request.urlopen(request, timeout=SECONDS) as response:
        return _length(response)


def download(url: str, target: Path, digest: str) -> None:
    """Download a file, with a progress bar on stderr; continue where an earlier call was cut.

    digest: first digits of its SHA-256; "" = not checked. Raises AtelierError if the file differs,
    which is then deleted, OSError or HTTPException if the server or the disk fails.
    """
    from filelock import FileLock

    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f"{target.name}.part")
    with FileLock(target.with_name(f".{target.name}.lock")):
        if target.is_file():  # by another process in the meantime
            return
        _complete(url, part)
        if not sha256(part).startswith(digest):
            part.unlink()
            raise AtelierError(
                f"{url} is not the file that it should be: its SHA-256 does not begin with "
                f"{digest}; it was deleted; fetch it again, from another network or mirror if "
                "this happens twice"
            )
        part.replace(target)


def _complete(url: str, part: Path) -> None:
    """Continue a partial file to its end, in as many connections as that takes."""
    failures = 0
    while True:
        before = _bytes(part)
        try:
            return _continue(url, part)
        except CUT as error:
            status = getattr(error, "code", 500)
            if status == http.client.REQUESTED_RANGE_NOT_SATISFIABLE:
                return None  # there are no bytes beyond those that are here
            failures = failures + 1 if _bytes(part) <= before else 0
            if status < 500 or failures == TRIES:
                raise
        time.sleep(PAUSE)


def _continue(url: str, part: Path) -> None:
    """Append the rest of a file in one connection. Raises CutError if it ends too early."""
    from tqdm import tqdm

    begin = _bytes(part)
    request = urllib.request.Request(url, headers={"Range": f"bytes={begin}-"} if begin else {})
    with urllib.request.urlopen(request, timeout=SECONDS) as response:
        if response.status != http.client.PARTIAL_CONTENT:
            begin = 0  # the server sends all of it once more
        length = _length(response)
        total = None if length is None else begin + length
        bar = tqdm(
            desc=part.stem, total=total, initial=begin, unit="B", unit_scale=True, disable=None
        )  # None: only on a terminal, as the hub's
        with part.open("ab" if begin else "wb") as file, bar:
            while chunk := response.read(CHUNK):
                file.write(chunk)
                bar.update(len(chunk))
    if total is not None and _bytes(part) < total:
        raise CutError(f"the connection ended after {_bytes(part)} of {total} bytes")


def _bytes(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _length(response: http.client.HTTPResponse) -> int | None:
    length = response.headers.get("Content-Length", "")
    return int(length) if length.isdigit() else None
