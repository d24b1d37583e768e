"""The guard, around a small app that answers as Gradio does."""

import base64
import json

import pytest
from starlette.testclient import TestClient

from experiments.studio import bodies
from experiments.studio.guard import Guard
from experiments.studio.sessions import Sessions
from experiments.studio.users import Users, line_of

ANNE, BERT = "a" * 32, "b" * 32
JOIN, DATA = "/gradio_api/queue/join", "/gradio_api/queue/data"


class App:
    """Answers with what it has got; `answers` are bodies by address, `kinds` their types."""

    def __init__(self):
        self.answers, self.kinds, self.scopes, self.bodies = {}, {}, [], []

    async def __call__(self, scope, receive, send):
        self.scopes.append(scope)
        body, more = b"", scope["method"] == "POST"
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise ConnectionError
            body += message.get("body", b"")
            more = message.get("more_body", False)
        self.bodies.append(body)
        kind = self.kinds.get(scope["path"], "application/json")
        head = {"type": "http.response.start", "status": 200}
        await send(head | {"headers": [(b"content-type", kind.encode())]})
        answer = self.answers.get(scope["path"], b"{}")
        for part in (answer[:20], answer[20:]):
            await send({"type": "http.response.body", "body": part, "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    def header(self, name):
        return dict(self.scopes[-1]["headers"]).get(name.encode(), b"").decode()


class Place:
    def __init__(self, root, **settings):
        self.sessions = Sessions(root / "sessions")
        self.cache, self.app = root / "cache", App()
        self.cache.mkdir()
        self.guard = Guard(self.app, self.sessions, self.cache, **settings)

    def client(self, session=None, **settings):
        headers = {"x-atelier-session": session} if session else {}
        settings = {"base_url": "http://127.0.0.1:7860"} | settings
        return TestClient(self.guard, headers=headers, **settings)


@pytest.fixture
def place(tmp_path):
    place = Place(tmp_path)
    yield place
    place.sessions.close()


def cached(place, name="secret.png"):
    file = place.cache / name
    file.write_bytes(b"picture")
    return file


def test_a_new_visitor_gets_a_session_in_a_cookie_that_scripts_cannot_read(place):
    client = place.client()
    answer = client.get("/")
    cookie = answer.headers["set-cookie"]
    assert cookie.endswith("; Path=/; HttpOnly; SameSite=Strict")
    session = place.app.header("x-atelier-session")
    assert cookie.startswith(f"atelier={session};") and len(session) == 32
    again = client.get("/config")
    assert "set-cookie" not in again.headers
    assert place.app.header("x-atelier-session") == session


def test_the_cookie_is_secure_where_the_page_is(place):
    answer = place.client(base_url="https://127.0.0.1").get("/")
    assert answer.headers["set-cookie"].endswith("; Secure")


def test_other_sites_may_show_the_page_where_the_owner_says_so(tmp_path):
    place = Place(tmp_path, ancestors=["https://huggingface.co"])
    answer = place.client().get("/")
    assert "frame-ancestors https://huggingface.co" in answer.headers["content-security-policy"]
    assert answer.headers["set-cookie"].endswith("; SameSite=None; Secure; Partitioned")
    place.sessions.close()


def test_a_link_on_another_site_leads_to_the_session_that_was_there(place):
    answer = place.client().get("/", headers={"sec-fetch-site": "cross-site"})
    assert 'http-equiv="refresh"' in answer.text and "set-cookie" not in answer.headers
    assert not place.app.scopes


@pytest.mark.parametrize("session", ["x" * 32, "../../etc", "A" * 32, "a" * 31, "a" * 65])
def test_a_malformed_session_is_refused(place, session):
    assert place.client(session).get("/").status_code == 400
    answer = place.client().get("/", headers={"cookie": f"atelier={session}"})
    assert answer.status_code == 400 and not place.app.scopes


def test_a_header_that_comes_twice_is_refused(place):
    pairs = [("x-atelier-session", ANNE), ("x-atelier-session", BERT)]
    assert place.client().get("/", headers=pairs).status_code == 400


@pytest.mark.parametrize(
    "headers",
    [{"host": "evil.example"}, {"origin": "https://evil.example"}, {"origin": "null"}],
    ids=str,
)
def test_other_sites_are_refused(place, headers):
    answer = place.client(ANNE).post(JOIN, headers=headers, json={})
    assert answer.status_code == 403 and not place.app.scopes


def test_an_origin_that_the_owner_names_is_let_in(tmp_path):
    place = Place(tmp_path, origins=["https://studio.example.org"])
    headers = {"host": "studio.example.org", "origin": "https://studio.example.org"}
    assert place.client(ANNE).post(JOIN, headers=headers, json={}).status_code == 200
    place.sessions.close()


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/gradio_api/proxy=https://example.org/x"),
        ("GET", "/monitoring"),
        ("GET", "/gradio_api/runs"),
        ("GET", "/gradio_api/deep_link"),
        ("POST", "/gradio_api/vibe-edit/"),
        ("POST", "/login"),
        ("GET", "/gradio_api/stream/a/b/1/playlist-file"),
        ("POST", "/gradio_api/process_recording"),
        ("DELETE", "/gradio_api/queue/join"),
        ("OPTIONS", "/"),
        ("GET", "/docs"),
    ],
)
def test_what_the_page_does_not_need_is_not_there(place, method, path):
    assert place.client(ANNE).request(method, path).status_code == 404
    assert not place.app.scopes


def test_a_file_in_a_session_s_folder_is_served_to_it_alone(place):
    file = place.sessions.of(ANNE).new_file("photo", ".png")
    file.write_bytes(b"picture")
    address = f"/gradio_api/file={file}"
    assert place.client(ANNE).get(address).status_code == 200
    assert place.client(BERT).get(address).status_code == 403
    assert place.client().get(address).status_code == 403


@pytest.mark.parametrize(
    "path",
    [
        "/etc/passwd",
        "https://example.org/x.png",
        "relative.png",
        "{folder}/../../cache/secret.png",
        "{folder}/link.png",
        "{folder}",
    ],
)
def test_other_files_are_not_served(place, path):
    secret, folder = cached(place), place.sessions.of(ANNE).folder
    (folder / "link.png").symlink_to(secret)
    for form in ("file=", "file/"):
        address = f"/gradio_api/{form}{path.format(folder=folder)}".replace("..", "%2e%2e")
        assert place.client(ANNE).get(address).status_code == 403


def test_an_upload_is_served_to_the_session_that_has_sent_it(place):
    file = cached(place, "a b.png")
    place.app.answers["/gradio_api/upload"] = json.dumps([str(file)]).encode()
    place.client(ANNE).post("/gradio_api/upload", content=b"picture")
    assert place.client(ANNE).get(f"/gradio_api/file={file}").status_code == 200
    assert place.client(BERT).get(f"/gradio_api/file={file}").status_code == 403


def event_of(file):
    """An event with a difference, in which Gradio names the file without a key."""
    output = {"data": [["replace", ["path"], str(file)]]}
    return f"data: {json.dumps({'msg': 'process_generating', 'output': output})}\n\n".encode()


def test_what_the_app_hands_out_in_an_event_is_served_to_that_session(place):
    file = cached(place)
    place.app.answers[DATA] = b"event: x\n" + event_of(file)
    place.app.kinds[DATA] = "text/event-stream; charset=utf-8"
    place.client(ANNE).get(DATA, headers={"accept-encoding": "br"})
    assert place.app.header("accept-encoding") == ""  # compressed, nobody could look into it
    assert place.client(ANNE).get(f"/gradio_api/file={file}").status_code == 200
    assert place.client(BERT).get(f"/gradio_api/file={file}").status_code == 403


def test_what_the_page_shows_at_first_is_served(place):
    file = cached(place)
    config = json.dumps({"value": {"url": f"/gradio_api/file={file}"}})
    place.app.answers["/"] = f"<script>window.gradio_config = {config};</script>".encode()
    place.app.kinds["/"] = "text/html"
    place.client(ANNE).get("/")
    assert place.client(ANNE).get(f"/gradio_api/file={file}").status_code == 200


def test_an_answer_cannot_hand_out_files_beside_the_app_s_own(place):
    place.app.answers["/gradio_api/upload"] = b'["/etc/passwd"]'
    place.client(ANNE).post("/gradio_api/upload", content=b"x")
    assert place.client(ANNE).get("/gradio_api/file=/etc/passwd").status_code == 403


def test_a_request_cannot_name_another_session_s_file(place):
    file = place.sessions.of(ANNE).new_file("photo", ".png")
    file.write_bytes(b"picture")
    body = {"data": [{"composite": {"path": str(file), "meta": {"_type": "gradio.FileData"}}}]}
    assert place.client(ANNE).post(JOIN, json=body).status_code == 200
    assert json.loads(place.app.bodies[-1]) == body
    assert place.client(BERT).post(JOIN, json=body).status_code == 403
    for path in ("https://example.org/x.png", 7, "/etc/passwd"):
        assert place.client(ANNE).post(JOIN, json={"data": [{"path": path}]}).status_code == 403


def test_a_tab_of_another_session_cannot_be_heard_or_cancelled(place):
    assert place.client(ANNE).post(JOIN, json={"session_hash": "tab"}).status_code == 200
    assert place.client(ANNE).get(f"{DATA}?session_hash=tab").status_code == 200
    bert = place.client(BERT)
    assert bert.get(f"{DATA}?session_hash=tab").status_code == 403
    assert bert.get("/gradio_api/heartbeat/tab").status_code == 403
    assert bert.post("/gradio_api/cancel", json={"session_hash": "tab"}).status_code == 403


def test_an_event_of_the_api_belongs_to_who_has_asked_for_it(place):
    place.app.answers["/gradio_api/call/paint"] = b'{"event_id": "e1"}'
    place.client(ANNE).post("/gradio_api/call/paint", json={"data": []})
    assert place.client(ANNE).get("/gradio_api/call/paint/e1").status_code == 200
    assert place.client(BERT).get("/gradio_api/call/paint/e1").status_code == 403


@pytest.mark.parametrize("body", [b"{", b"[" * 100_000, b"\xff"], ids=("open", "deep", "bytes"))
def test_a_damaged_body_is_refused(place, body):
    assert place.client(ANNE).post(JOIN, content=body).status_code == 400


def test_a_large_upload_is_refused_by_its_length_and_while_it_comes(place, monkeypatch):
    monkeypatch.setattr(bodies, "LARGEST_UPLOAD", 1000)
    parts = [b"x" * 400] * 4
    for content in (b"".join(parts), iter(parts)):
        answer = place.client(ANNE).post("/gradio_api/upload", content=content)
        assert answer.status_code == 413 and "scale the picture down" in answer.json()["error"]
    assert place.client(ANNE).post("/gradio_api/upload", content=b"x" * 900).status_code == 200


def test_an_upload_is_refused_where_the_disk_is_nearly_full(place, monkeypatch):
    monkeypatch.setattr(bodies, "ROOM", 2**62)
    answer = place.client(ANNE).post("/gradio_api/upload", content=b"x")
    assert answer.status_code == 507 and "nearly full" in answer.json()["error"]
    assert not place.app.scopes


def test_a_large_request_is_refused(place):
    body = json.dumps({"data": ["x" * (bodies.LARGEST_BODY + 1)]}).encode()
    for content in (body, iter([body])):
        assert place.client(ANNE).post(JOIN, content=content).status_code == 413


def test_every_answer_has_the_headers_of_safety(place):
    client = place.client(ANNE)
    for answer in (client.get("/"), client.get("/docs"), client.get("/assets/index-1a2b.js")):
        headers = answer.headers
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
    assert "immutable" in client.get("/assets/index-1a2b.js").headers["cache-control"]
    assert client.get("/").headers["cache-control"] == "no-store"
    report = client.get("/report/index.html").headers["content-security-policy"]
    assert "frame-ancestors 'self'" in report


@pytest.mark.parametrize(
    ("kind", "shown"), [("image/png", True), ("image/svg+xml", False), ("text/html", False)]
)
def test_only_pictures_are_shown_and_other_files_are_downloads(place, kind, shown):
    file = place.sessions.of(ANNE).new_file("photo", ".x")
    file.write_bytes(b"x")
    place.app.kinds[f"/gradio_api/file={file}"] = kind
    answer = place.client(ANNE).get(f"/gradio_api/file={file}")
    assert ("attachment" not in answer.headers.get("content-disposition", "")) == shown
    assert answer.headers["cache-control"] == "no-store"


def test_only_users_with_their_passwords_come_in(tmp_path):
    name, salt, digest = line_of("anne", "Grüße").split(":")
    place = Place(tmp_path, users=Users({name: (salt, digest)}))
    assert place.client().get("/").headers["www-authenticate"].startswith("Basic")
    for words, status in (("anne:Grüße", 200), ("anne:no", 401), ("bert:Grüße", 401), ("", 401)):
        code = base64.b64encode(words.encode()).decode()
        answer = place.client().get("/", headers={"authorization": f"Basic {code}"})
        assert answer.status_code == status
    assert place.client().get("/", headers={"authorization": "Basic %"}).status_code == 401
    place.sessions.close()
