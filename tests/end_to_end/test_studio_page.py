"""The studio in a real browser: one server, and what people do with its page."""

import json
import shutil
import signal
import sys

import numpy as np
import pytest
from PIL import Image
from skimage import data as photos

from datamodules.run_folder import RunFolder
from tests.support.cli import ROOT
from tests.support.pages import blocks, process
from tests.support.studio import Visitor, serving
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("studio")]
SIZE = 64  # px
SVG = '<svg xmlns="http://www.w3.org/2000/svg"><script>window.hacked = 1</script></svg>'
INSTRUCTION = "#instruction textarea, #instruction input"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """10 s: Gradio, and two processes that load the embedded networks."""
    with serving(tmp_path_factory.mktemp("studio") / "visitors") as server:
        yield server


@pytest.fixture
def photo(tmp_path):
    """A cat, in a file."""
    file = tmp_path / "cat.png"
    Image.fromarray(photos.chelsea()).resize((SIZE * 3 // 2, SIZE)).save(file)
    return file


@pytest.fixture
def visitor(server, browser):
    """A person at the page, whose paintings are small."""
    visitor = Visitor(browser, server.url)
    visitor.settings(steps=3, size=SIZE)
    return visitor


def describe(visitor, photo, **settings):
    """Give a photo and an instruction; return once there is a mask."""
    visitor.settings(**settings)
    visitor.upload(photo)
    visitor.wait(lambda: visitor.find("#photo img"), "there is no photo")
    visitor.write(INSTRUCTION, "Turn the cat to fire")
    visitor.wait(lambda: visitor.find(".mask-ready"), "there is no mask")


def last_run(server, visitor, before):
    """The run that the page shows once it is finished."""
    visitor.shows("#status", "time:")
    (run,) = set(server.runs()) - set(before)
    return RunFolder(run)


def test_from_an_upload_to_a_download_only_what_was_brushed_changes(
    server, visitor, photo, tmp_path
):
    """20 s: a server, a browser, two paintings."""
    visitor.upload(photo)
    visitor.paste(INSTRUCTION, "Turn the picture to fire")
    visitor.wait(lambda: visitor.find(".mask-ready"), "there is no mask")
    visitor.click(".mask-invert")
    visitor.shows(".mask-say", "has changed")
    visitor.set_range(".mask-size", 35)
    visitor.stroke((0.2, 0.25), (0.4, 0.25))
    before = server.runs()
    visitor.click("#paint")
    run = last_run(server, visitor, before)
    photo_, output = (
        np.asarray(Image.open(run.path / name).convert("RGB"), dtype=int)
        for name in ("content.png", "output.png")
    )
    change = abs(output - photo_).max(-1)
    height, width = change.shape
    assert change[: height // 2, : width * 6 // 10].max() > 20
    # Beyond the soft edge of the mask there is no change at all.
    assert change[height * 3 // 4 :].max() == change[:, width * 4 // 5 :].max() == 0
    visitor.click("#download-picture")
    wait_until(lambda: list(tmp_path.glob("output*.png")), "no download")
    (download,) = tmp_path.glob("output*.png")
    assert download.read_bytes() == (run.path / "output.png").read_bytes()
    asked = {url for url in visitor.requests() if url.startswith(("http", "ws"))}
    assert asked and all(url.startswith(server.url) for url in asked)


def test_a_painting_is_stopped_and_goes_on(server, visitor, photo):
    describe(visitor, photo, steps=500)
    before = server.runs()
    visitor.click("#paint")
    visitor.shows("#status", "Step")
    visitor.click("#stop")
    run = last_run(server, visitor, before)
    steps = run.result.steps
    assert 0 < steps < 500
    assert visitor.find("#curves svg")
    visitor.write("#more-steps input", "2")
    visitor.click("#more")
    visitor.wait(lambda: RunFolder(run.path).result.steps == steps + 2, "it does not go on")


def test_a_closed_tab_ends_its_painting(server, visitor, photo):
    describe(visitor, photo, steps=5000)
    visitor.click("#paint")
    visitor.shows("#status", "Step")
    visitor.driver.get("about:blank")
    again = Visitor(visitor.driver, server.url)
    before = server.runs()
    describe(again, photo, steps=2, size=SIZE)
    again.click("#paint")
    assert last_run(server, again, before).result.steps == 2


def test_bad_uploads_and_texts_are_refused_in_a_sentence(visitor, tmp_path):
    """Markup in an instruction stays text on the page."""
    file = tmp_path / "text.png"
    file.write_text("This is no picture.")
    visitor.upload(file)
    visitor.shows("#about-mask .warning", "not a picture")
    visitor.wait(lambda: not visitor.find("#photo img"), "what was refused is still there")
    drawing = tmp_path / "drawing.svg"
    drawing.write_text(SVG)
    visitor.upload(drawing)
    visitor.shows("#about-mask .warning", "vector drawing")
    visitor.wait(lambda: not visitor.find("#photo img"), "what was refused is still there")
    visitor.paste(INSTRUCTION, "Turn the <img src=x onerror='window.hacked = 1'> to fire")
    visitor.shows("#rows", "fire")
    visitor.paste(INSTRUCTION, "Turn the cat to fire " * 240)
    visitor.shows("#about-mask .warning", "has 1200 words")
    assert visitor.driver.execute_script("return window.hacked") is None


def test_the_page_says_that_its_server_was_killed_and_started_again(browser, tmp_path):
    """20 s: two servers. It does so even before its first question, and until somebody acts."""
    browser.execute_cdp_cmd("Network.enable", {})
    browser.execute_cdp_cmd("Network.setBlockedURLs", {"urls": ["*/server"]})
    with serving(tmp_path / "visitors") as server:
        visitor = Visitor(browser, server.url)
        server.end(signal.SIGKILL)
        visitor.shows("#server-bar", "does not answer")
    browser.execute_cdp_cmd("Network.setBlockedURLs", {"urls": []})
    with serving(tmp_path / "visitors", server.port) as server:
        visitor.shows("#server-bar", "was started again")
        visitor = Visitor(browser, server.url)
        visitor.shows("#server-bar", "was started again")
        visitor.write(INSTRUCTION, "fire")
        visitor = Visitor(browser, server.url)
        second_question = (
            "return performance.getEntriesByName(location.origin + '/server').length > 1"
        )
        visitor.wait(lambda: browser.execute_script(second_question), "the page does not ask")
        assert not visitor.text("#server-bar")
    assert server.errors.read_text().splitlines()[-1:] == ["stopped"]
    assert "ERROR" not in server.errors.read_text()  # for the page that was open


def test_rows_are_added_and_what_is_not_found_is_drawn(server, visitor, photo):
    """20 s: two searches and a painting."""
    describe(visitor, photo)
    visitor.choose_in_cell(0, "Add row below")
    visitor.fill_cell((1, 0), "zeppelin")
    visitor.shows("#about-mask .warning", '"zeppelin" was not found')
    visitor.shows("#about-mask .warning", "draw it with the brush")
    visitor.fill_cell((1, 2), "ice")
    visitor.click("#paint")
    visitor.shows("#status .warning", "'zeppelin' has no mask yet")
    visitor.pick("#area", "cat")
    visitor.shows("#about-mask", "cat: ")
    visitor.pick("#area", "zeppelin")
    visitor.wait(lambda: "cat: " not in visitor.text("#about-mask"), "no other mask")
    visitor.set_range(".mask-size", 35)
    visitor.stroke((0.2, 0.25), (0.4, 0.25))
    visitor.shows("#about-mask", "zeppelin: changed by hand")
    before = server.runs()
    visitor.click("#paint")
    run = last_run(server, visitor, before)
    assert [(t.object, t.style, t.weight) for t in run.targets] == [
        ("cat", "fire", 1),
        ("zeppelin", "ice", 1),
    ]
    visitor.choose_in_cell(1, "Delete row")
    visitor.wait(lambda: not visitor.is_displayed("#area"), "there are still two areas")


def test_two_sessions_do_not_see_each_other(server):
    """Files of one are refused to the other, and to nobody's session."""
    import httpx

    first, second = (httpx.Client(headers={"X-Atelier-Session": c * 32}) for c in "ab")
    files = {"files": ("cat.png", b"not yet decoded", "image/png")}
    (path,) = first.post(f"{server.url}gradio_api/upload", files=files).json()
    address = f"{server.url}gradio_api/file={path}"
    assert first.get(address).status_code == 200
    assert second.get(address).status_code == 403
    assert httpx.get(address).status_code == 403
    much = {"files": ("much.png", b"0" * (60 * 2**20), "image/png")}
    assert first.post(f"{server.url}gradio_api/upload", files=much).status_code == 413


def test_programs_ask_as_the_page_about_it_shows(server, photo, monkeypatch):
    """10 s: both examples of docs/studio.md, the first at a small size."""
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(photo.parent))  # for what the client downloads
    page = (ROOT / "docs" / "studio.md").read_text(encoding="utf-8")
    examples = {
        block.language: block.text.replace("http://127.0.0.1:7860", server.url.rstrip("/"))
        for block in blocks(page)
        if "127.0.0.1:7860" in block.text and block.language in ("python", "sh")
    }
    Image.open(photo).convert("RGB").save(photo.parent / "cat.jpg")
    small = examples["python"].replace("30, 0, 384", f"2, 0, {SIZE}")
    assert small != examples["python"]
    small += "import json; print('\\n' + json.dumps([picture, mask, about]))"
    *_, results = process([sys.executable, "-c", small], photo.parent).splitlines()
    picture, mask, about = json.loads(results)
    assert about["targets"] == [{"object": "cat", "style": "fire"}] and about["steps"] == 2
    assert Image.open(picture).size == Image.open(photo).size
    assert max(Image.open(mask).size) == SIZE
    if not (shutil.which("curl") and shutil.which("openssl")):
        pytest.skip("needs curl and openssl")
    answer = process(["bash", "-ec", examples["sh"]], photo.parent)
    assert "event: complete" in answer and '"object": "cat"' in answer
