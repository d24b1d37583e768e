"""The guard around Gradio's own app."""

import json

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from experiments.studio.guard import Guard
from experiments.studio.sessions import Sessions

pytestmark = pytest.mark.xdist_group("gradio")  # one worker imports it, which takes seconds

ANNE, BERT = "a" * 32, "b" * 32
PNG = b"\x89PNG\r\n\x1a\n" + bytes(100)


@pytest.fixture(scope="module")
def guard(tmp_path_factory):
    """The guard around a page that shows the file which it gets."""
    gradio = pytest.importorskip("gradio")
    root = tmp_path_factory.mktemp("studio")
    with pytest.MonkeyPatch.context() as patch, Sessions(root) as sessions:
        patch.setenv("GRADIO_TEMP_DIR", str(root))
        patch.setenv("GRADIO_ANALYTICS_ENABLED", "False")
        with gradio.Blocks() as blocks:
            upload, text, shown = gradio.File(), gradio.Textbox(), gradio.Image(type="filepath")

            def show(file, request: gradio.Request):
                return request.headers["x-atelier-session"], file

            upload.upload(show, upload, [text, shown], api_name="show")
        app = gradio.mount_gradio_app(FastAPI(), blocks, path="/", ssr_mode=False)
        with TestClient(Guard(app, sessions, root), base_url="http://127.0.0.1") as client:
            yield client


def headers(session):
    return {"x-atelier-session": session}


def test_the_page_and_what_it_loads_are_served(guard):
    page = guard.get("/", headers=headers(ANNE))
    assert page.status_code == 200 and "window.gradio_config" in page.text
    assert page.headers["cache-control"] == "no-store"
    for path in ("/config", "/theme.css", "/gradio_api/info", "/gradio_api/startup-events"):
        assert guard.get(path, headers=headers(ANNE)).status_code == 200
    for path in ("/monitoring", "/gradio_api/runs", "/gradio_api/deep_link", "/docs"):
        assert guard.get(path, headers=headers(ANNE)).status_code == 404


def test_an_upload_goes_to_the_app_and_comes_back_to_its_session_alone(guard):
    files = {"files": ("cat.png", PNG, "image/png")}
    answer = guard.post("/gradio_api/upload", files=files, headers=headers(ANNE))
    (path,) = answer.json()
    body = {"data": [{"path": path, "meta": {"_type": "gradio.FileData"}}]}
    assert guard.post("/gradio_api/call/show", json=body, headers=headers(BERT)).status_code == 403
    answer = guard.post("/gradio_api/call/show", json=body, headers=headers(ANNE))
    address = f"/gradio_api/call/show/{answer.json()['event_id']}"
    assert guard.get(address, headers=headers(BERT)).status_code == 403
    events = guard.get(address, headers=headers(ANNE)).text
    assert "event: complete" in events
    session, shown = json.loads(events.split("data: ")[-1])
    assert session == ANNE
    for file in (path, shown["path"]):
        served = guard.get(f"/gradio_api/file={file}", headers=headers(ANNE))
        assert served.content == PNG and served.headers["content-type"] == "image/png"
        assert guard.get(f"/gradio_api/file={file}", headers=headers(BERT)).status_code == 403


def test_an_upload_that_is_too_large_is_refused(guard):
    def parts():
        yield b'--x\r\nContent-Disposition: form-data; name="files"; filename="a.png"\r\n\r\n'
        for _ in range(52):
            yield bytes(2**20)
        yield b"\r\n--x--\r\n"

    own = headers(ANNE) | {"content-type": "multipart/form-data; boundary=x"}
    answer = guard.post("/gradio_api/upload", content=parts(), headers=own)
    assert answer.status_code == 413 and "50 MB" in answer.json()["error"]
