"""A model hub on this machine: what huggingface_hub and torchvision ask of theirs, and a proxy.

The hub's answers follow the client's code: repositories by their API, files by `resolve`, large ones
by a redirect to another address, as the hub's CDN is. Below /models/ lie plain files, torchvision's.
Requests with a whole URL are those of a client that takes the stand-in for its proxy.
"""

import hashlib
import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

import pytest

COMMIT = "c0" * 20
LARGE = 1000  # bytes from which a file is stored apart, under its SHA-256


class Request(NamedTuple):
    """One request: method, the target as it was sent, and headers."""

    method: str
    target: str
    headers: dict


class Hub:
    """The server. All attributes may be changed between requests.

    repositories: files by name by repository. files: plain files by name. gated: repositories that
    only `member` may download. cuts: bytes after which the next connections for a path that ends
    with the key break off. sizes: the size that is stated for such a path, instead of the real one;
    None = none. altered: names of files that arrive with their first byte changed.
    """

    def __init__(self):
        self.repositories, self.files = {}, {}
        self.gated, self.member = set(), "hf_member"
        self.cuts, self.sizes, self.altered = {}, {}, set()
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
            **dict.fromkeys(("HF_HUB_OFFLINE", "HF_TOKEN", "HF_HUB_CACHE")),
        }

    def asked(self, part, method="GET"):
        """Requests of a method whose target contains a text."""
        return [r for r in self.requests if r.method == method and part in r.target]

    def stated(self, name, content):
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
        self.hub.requests.append(Request("CONNECT", self.path, dict(self.headers)))
        self._reply(403, b"no way out")

    def do_HEAD(self):
        self._route()

    def do_GET(self):
        self._route()

    def _route(self):
        self.hub.requests.append(Request(self.command, self.path, dict(self.headers)))
        path = unquote(urlsplit(self.path).path)
        for pattern, answer in ROUTES.items():
            if match := re.fullmatch(pattern, path):
                return answer(self, *match.groups())
        return self._reply(404, b"nothing here")

    def _reply(self, status, body=b"", **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _refuse(self, status, code, message=""):
        # A careless server might repeat what it was sent.
        heard = self.headers.get("Authorization", "")
        self._reply(status, X_Error_Code=code, X_Error_Message=f"{message} {heard}".strip())

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
        if repository not in self.hub.repositories:
            self._refuse(401, "RepoNotFound", "Repository not found")
        return self.hub.repositories.get(repository)

    def _tree(self, files):
        for name, content in files.items():
            size = self.hub.stated(name, content)
            entry = {"path": name, "size": size, "oid": _git_hash(content)}
            if len(content) >= LARGE:
                sha = hashlib.sha256(content).hexdigest()
                entry["lfs"] = {"oid": sha, "sha256": sha, "size": size, "pointerSize": 130}
            yield entry

    def resolve(self, repository, revision, name):
        if (files := self._files(repository)) is None:
            return
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        if repository in self.hub.gated and token != self.hub.member:
            self._refuse(
                403 if token else 401, "GatedRepo", f"Access to {repository} is restricted"
            )
        elif name not in files:
            self._refuse(404, "EntryNotFound", "Entry not found")
        elif len(files[name]) < LARGE:
            etag = f'"{_git_hash(files[name])}"'
            self._send(files[name], name, X_Repo_Commit=COMMIT, ETag=etag)
        else:
            sha = hashlib.sha256(files[name]).hexdigest()
            self._reply(
                302,
                X_Repo_Commit=COMMIT,
                X_Linked_Size=str(self.hub.stated(name, files[name])),
                X_Linked_Etag=f'"{sha}"',
                Location=f"http://localhost:{self.hub.port}/cdn/{sha}/{name}",
            )

    def storage(self, sha, name):
        contents = (c for files in self.hub.repositories.values() for c in files.values())
        content = next(c for c in contents if hashlib.sha256(c).hexdigest() == sha)
        self._send(content, name, ETag=f'"{sha}"')

    def plain(self, name):
        if name not in self.hub.files:
            return self._reply(404)
        return self._send(self.hub.files[name], name)

    def _send(self, content, name, **headers):
        """A file or the range of it that was asked for, cut where `cuts` says."""
        if name in self.hub.altered:
            content = bytes([content[0] ^ 1]) + content[1:]
        begin = int((re.match(r"bytes=(\d+)-", self.headers.get("Range", "")) or [0, 0])[1])
        if begin and begin >= len(content):
            return self._reply(416)
        body, stated = content[begin:], self.hub.stated(name, content)
        self.send_response(206 if begin else 200)
        if begin:
            self.send_header("Content-Range", f"bytes {begin}-{len(content) - 1}/{len(content)}")
        if stated is not None:
            self.send_header("Content-Length", str(stated - begin))
        for header, value in headers.items():
            self.send_header(header.replace("_", "-"), value)
        self.end_headers()
        self.close_connection = True
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


def _git_hash(content):
    """The name that git gives a file's content."""
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


@pytest.fixture
def hub():
    """A hub without any files."""
    server = Hub()
    yield server
    server.stop()
