"""A small server for one study: its page and its votes. Nothing else in the folder is reachable.

GET /                  the page
GET /votes?rater=CODE  {"votes": [{"pair", "question", "answer"}, ...]}, the rater's own
POST /votes            {"rater", "pair", "question", "answer"}, answered once it is on the disk
"""

from __future__ import annotations

import json
import socketserver
import sqlite3
import sys
from collections.abc import Iterable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socket import AF_INET, AF_INET6, gaierror, gethostname
from urllib.parse import parse_qs, urlsplit

from datamodules.support import web
from datamodules.support.errors import AtelierError
from evaluation.study.answer_key import PAGE, VOTES, read_key
from evaluation.study.votes import RATER, VoteError, VoteStore, check_vote

LARGEST_BODY = 4096  # bytes; a vote has about 100
HEADERS = web.HEADERS | {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; img-src data:; style-src 'unsafe-inline'; "
    "script-src 'unsafe-inline'; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
}


class StudyServer(ThreadingHTTPServer):
    """Serves the study in a folder; `with` it, then `serve_forever()`.

    origins: addresses such as https://study.example.org by which raters reach it from elsewhere,
             through a proxy; this machine's own is always allowed.
    Raises AtelierError for a folder without a study, and for an address that is not available.
    """

    daemon_threads = True

    def __init__(
        self, folder: Path, host: str = "127.0.0.1", port: int = 8000, origins: Iterable[str] = ()
    ) -> None:
        self.key = read_key(folder)
        self.origins = web.places(origins)
        self.local = host in web.LOOPBACK
        self.address_family = AF_INET6 if ":" in host else AF_INET
        try:
            self.page = (folder / PAGE).read_bytes()
        except OSError as error:
            raise AtelierError(f"{folder / PAGE} is missing; make the study again") from error
        self.store = VoteStore(folder / VOTES, self.key.study)
        try:
            super().__init__((host, port), _Handler)
        except (gaierror, OverflowError) as error:
            raise AtelierError(f"There is no address {host}:{port} here; mend --host") from error
        except OSError as error:
            raise AtelierError(
                f"Cannot listen on {host}:{port} ({error.strerror}); choose another --port"
            ) from error

    def server_bind(self) -> None:
        socketserver.TCPServer.server_bind(self)  # HTTPServer's would wait for a name server
        self.server_name, self.server_port = self.server_address[:2]

    @property
    def url(self) -> str:
        """The address to open in a browser."""
        host = gethostname() if self.server_name in ("0.0.0.0", "::") else self.server_name
        return f"http://{f'[{host}]' if ':' in host else host}:{self.server_port}/"

    def server_close(self) -> None:
        super().server_close()
        self.store.close()

    def handle_error(self, request: object, client_address: object) -> None:
        """Print one line, unless the browser has just hung up."""
        error = sys.exception()
        if not isinstance(error, ConnectionError | TimeoutError):
            print(f"atelier: a request failed: {error!r}", file=sys.stderr)


class _RefusedError(Exception):
    """A refused request, with the status and the sentence of its answer."""

    def __init__(self, status: HTTPStatus, why: str) -> None:
        super().__init__(why)
        self.status = status


class _Handler(BaseHTTPRequestHandler):
    server: StudyServer
    server_version, sys_version = "atelier", ""
    timeout = 30  # s, after which a client that has stopped frees its thread

    def do_GET(self) -> None:
        self._answered(self._get)

    do_HEAD = do_GET  # noqa: N815

    def do_POST(self) -> None:
        self._answered(self._post)

    def _answered(self, action: object) -> None:
        try:
            self._check_host()
            kind, body = action()
            self._send(HTTPStatus.OK, kind, body)
        except _RefusedError as error:
            self._send_json(error.status, {"error": str(error)})
        except ValueError as error:  # an invalid address or header
            self._send_json(HTTPStatus.BAD_REQUEST, {"error": str(error)})
        except sqlite3.Error as error:
            self._send_json(HTTPStatus.INTERNAL_SERVER_ERROR, {"error": f"not stored: {error}"})

    def _check_host(self) -> None:
        """Refuse other sites: they must not post votes, nor point their names at this server."""
        host, origin = self.headers.get("Host", ""), self.headers.get("Origin")
        if why := web.foreign(host, origin, self.server.local, self.server.origins):
            raise _RefusedError(HTTPStatus.FORBIDDEN, why)

    def _get(self) -> tuple[str, bytes]:
        address = urlsplit(self.path)
        if address.path in ("/", f"/{PAGE}"):
            return "text/html; charset=utf-8", self.server.page
        if address.path != "/votes":
            raise _RefusedError(HTTPStatus.NOT_FOUND, "there is only the page and /votes")
        (rater,) = parse_qs(address.query).get("rater", [""])[:1]
        if not RATER.fullmatch(rater):
            raise _RefusedError(
                HTTPStatus.BAD_REQUEST, "?rater= is 4 to 40 letters, digits and dashes"
            )
        votes = self.server.store.votes(rater)
        rows = [{"pair": v.pair, "question": v.question, "answer": v.answer} for v in votes]
        return "application/json", json.dumps({"votes": rows}).encode()

    def _post(self) -> tuple[str, bytes]:
        body = self._body()
        if urlsplit(self.path).path != "/votes":
            raise _RefusedError(HTTPStatus.NOT_FOUND, "votes go to /votes")
        try:
            self.server.store.put(check_vote(json.loads(body), self.server.key))
        except VoteError as error:
            raise _RefusedError(HTTPStatus.BAD_REQUEST, str(error)) from error
        except (ValueError, RecursionError) as error:
            raise _RefusedError(HTTPStatus.BAD_REQUEST, "the body is not JSON") from error
        return "application/json", b'{"stored": true}'

    def _body(self) -> bytes:
        length = self.headers.get("Content-Length", "")
        if not (length.isascii() and length.isdigit()):
            raise _RefusedError(HTTPStatus.LENGTH_REQUIRED, "the body's length is missing")
        # A client reads the answer only after sending everything: part of a long body is discarded.
        body = self.rfile.read(min(int(length[:9]), 2**20))
        if len(body) > LARGEST_BODY:
            raise _RefusedError(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"more than {LARGEST_BODY} bytes"
            )
        # A form on another site can post text without permission, but not JSON.
        if self.headers.get_content_type() != "application/json":
            raise _RefusedError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "votes are application/json")
        return body

    def _send_json(self, status: HTTPStatus, value: dict) -> None:
        self._send(status, "application/json", json.dumps(value).encode())

    def _send(self, status: HTTPStatus, kind: str, body: bytes) -> None:
        self.send_response(status)
        for name, value in HEADERS.items():
            self.send_header(name, value)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Log method, path and status, but not the rater's code nor, as promised, the address."""
        status = code.value if isinstance(code, HTTPStatus) else code
        path = urlsplit(self.path).path
        sys.stderr.write(f"{self.log_date_time_string()}  {status} {self.command} {path!r}\n")

    def log_message(self, format: str, *args: object) -> None:
        sys.stderr.write(f"{self.log_date_time_string()}  {format % args!r}\n")
