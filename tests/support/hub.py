"""A model hub on this machine: what huggingface_hub and torchvision ask of theirs, and a proxy.

The hub's answers follow the client's code: repositories by their API, files by `resolve`, large
ones by a redirect to another host, as the hub's CDN is. Below /models/ lie plain files,
torchvision's. A request for a whole URL is that of a client whose proxy the stand-in is.
"""

import hashlib
import json
import re
import threading
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

import pytest

COMMIT = "c0" * 20
UNSET = ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_TOKEN", "HF_HUB_CACHE", "HF_TOKEN_PATH")
LARGE = 1000  # bytes from which a file is stored apart, under its SHA-256


class Request(NamedTuple):
    """One request: method, the target as it was sent, and headers by lower-case name."""

    method: str
    target: str
    headers: dict


class Hub:
    """The server. All attributes may be changed between requests.

    repositories: files by name by repository. files: plain files by name. gated: repositories that
    only the token `member` may download; `stale` is one that is valid no more. cuts: by a
    file's name, the bytes after which its next connections break off. sizes: by name, the size that
    is stated instead of the real one. corrupt: names of files that arrive with a byte changed.
    ranges: whether files are sent from any byte on. failing: the API answers nothing but errors.
    """

    def __init__(self):
        self.repositories, self.files = {}, {}
        self.gated, self.member, self.stale = set(), "hf_member", "hf_stale"
        self.cuts, self.sizes, self.corrupt = {}, {}, set()
        self.ranges, self.failing = True, False
        self.requests = []
        handler = type("Handler", (_Handler,), {"hub": self})
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.server.daemon_threads = True
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True)
        self.thread.start()
        self.port = self.server.server_port
        self.url = f"http://127.0.0.1:{self.port}"

    def environment(self, folder):
        """Variables of a process that finds this hub and empty caches below a folder."""
        return {
            "HF_ENDPOINT": self.url,
            "ATELIER_TORCHVISION_URL": self.url,
            "HF_HOME": str(folder / "hf"),
            "TORCH_HOME": str(folder / "torch"),
            "ATELIER_CACHE": str(folder / "atelier"),
            "NO_PROXY": "127.0.0.1,localhost",
            **dict.fromkeys(UNSET),
        }

    def requests_for(self, part, method="GET"):
        """Requests of a method whose target contains a text."""
        return [r for r in self.requests if r.method == method and part in r.target]

    def size_of(self, name, content):
        """The size of a file that listings and headers state."""
        return self.sizes.get(name, len(content))

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join(5)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hub: Hub

    def log_message(self, *args):
        pass

    def do_CONNECT(self):
        self._note()
        self._reply(403, b"no way out")

    def do_HEAD(self):
        self._route()

    def do_GET(self):
        self._route()

    def _route(self):
        self._note()
        path = unquote(urlsplit(self.path).path)
        for pattern, answer in ROUTES.items():
            if match := re.fullmatch(pattern, path):
                return answer(self, *match.groups())
        return self._reply(404, b"nothing here")

    def _note(self):
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.hub.requests.append(Request(self.command, self.path, headers))

    def _reply(self, status, body=b"", **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _refuse(self, status, code, message):
        """Refuse as the hub does, but carelessly: the body repeats the access token."""
        body = json.dumps({"error": f"{message} {self.headers.get('Authorization', '')}"})
        headers = {"X_Error_Code": code} if code else {}
        self._reply(status, body.encode(), X_Error_Message=message, **headers)

    def _token(self):
        return self.headers.get("Authorization", "").removeprefix("Bearer ")

    def root(self):
        self._reply(200, b"a hub")

    def information(self, repository):
        if (files := self._files(repository)) is not None:
            siblings = [{"rfilename": entry.pop("path")} | entry for entry in self._tree(files)]
            body = {"id": repository, "sha": COMMIT, "siblings": siblings}
            self._reply(200, json.dumps(body).encode(), Content_Type="application/json")

    def tree(self, repository):
        if (files := self._files(repository)) is not None:
            body = [{"type": "file"} | entry for entry in self._tree(files)]
            self._reply(200, json.dumps(body).encode(), Content_Type="application/json")

    def _files(self, repository):
        if self.hub.failing:
            return self._refuse(400, "", "Cannot be read")
        if self._token() == self.hub.stale:
            return self._refuse(401, "", "Invalid credentials in Authorization header")
        if repository not in self.hub.repositories:
            return self._refuse(401, "RepoNotFound", "Repository not found")
        return self.hub.repositories[repository]

    def _tree(self, files):
        for name, content in files.items():
            size = self.hub.size_of(name, content)
            entry = {"path": name, "size": size, "oid": _git_hash(content)}
            if len(content) >= LARGE:
                sha = _sha256(content)
                entry["lfs"] = {"oid": sha, "sha256": sha, "size": size, "pointerSize": 130}
            yield entry

    def resolve(self, repository, revision, name):
        if (files := self._files(repository)) is None:
            return
        if repository in self.hub.gated and self._token() != self.hub.member:
            status = 403 if self._token() else 401
            self._refuse(status, "GatedRepo", f"Access to {repository} is restricted")
        elif name not in files:
            self._refuse(404, "EntryNotFound", "Entry not found")
        elif len(files[name]) < LARGE:
            etag = f'"{_git_hash(files[name])}"'
            self._send(files[name], name, X_Repo_Commit=COMMIT, ETag=etag)
        else:
            sha = _sha256(files[name])
            self._reply(
                302,
                X_Repo_Commit=COMMIT,
                X_Linked_Size=str(self.hub.size_of(name, files[name])),
                X_Linked_Etag=f'"{sha}"',
                Location=f"http://localhost:{self.hub.port}/cdn/{sha}/{name}",
            )

    def storage(self, sha, name):
        contents = (c for files in self.hub.repositories.values() for c in files.values())
        content = next(c for c in contents if _sha256(c) == sha)
        self._send(content, name, ETag=f'"{sha}"')

    def plain(self, name):
        if name not in self.hub.files:
            return self._reply(404)
        return self._send(self.hub.files[name], name)

    def _send(self, content, name, **headers):
        """A file or the range of it that was asked for, cut where `cuts` says."""
        if name in self.hub.corrupt:
            content = bytes([content[0] ^ 1]) + content[1:]
        span = re.match(r"bytes=(\d+)-", self.headers.get("Range", ""))
        begin = int(span[1]) if span and self.hub.ranges else 0
        if begin and begin >= len(content):
            return self._reply(416)
        body, size = content[begin:], self.hub.size_of(name, content)
        self.send_response(206 if begin else 200)
        if begin:
            self.send_header("Content-Range", f"bytes {begin}-{len(content) - 1}/{len(content)}")
        self.send_header("Content-Length", str(size - begin))
        for header, value in headers.items():
            self.send_header(header.replace("_", "-"), value)
        self.send_header("Connection", "close")
        self.end_headers()
        if self.command == "HEAD":
            return None
        cuts = self.hub.cuts.get(name)
        self.wfile.write(body[: cuts.pop(0)] if cuts else body)
        return None


ROUTES = {
    "/": _Handler.root,
    r"/api/models/([^/]+/[^/]+)(?:/revision/[^/]+)?": _Handler.information,
    r"/api/models/([^/]+/[^/]+)/tree/[^/]+": _Handler.tree,
    r"/([^/]+/[^/]+)/resolve/([^/]+)/(.+)": _Handler.resolve,
    r"/cdn/([0-9a-f]{64})/(.+)": _Handler.storage,
    r"/models/([^/]+)": _Handler.plain,
}


@cache
def _sha256(content):
    return hashlib.sha256(content).hexdigest()


@cache
def _git_hash(content):
    """The name that git gives a file's content."""
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


@pytest.fixture
def hub():
    """A hub without any files."""
    server = Hub()
    yield server
    server.stop()


@pytest.fixture
def at_hub(hub, tmp_path, monkeypatch):
    """The same hub, which this process asks, with empty caches below tmp_path."""
    for name, value in hub.environment(tmp_path).items():
        if value is None:
            monkeypatch.delenv(name, raising=False)
        else:
            monkeypatch.setenv(name, value)
    # huggingface_hub has read its variables already.
    files = f"{hub.url}/{{repo_id}}/resolve/{{revision}}/{{filename}}"
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", hub.url)
    monkeypatch.setattr("huggingface_hub.constants.HUGGINGFACE_CO_URL_TEMPLATE", files)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hf" / "hub"))
    monkeypatch.setattr("huggingface_hub.constants.HF_TOKEN_PATH", str(tmp_path / "hf" / "token"))
    return hub
