"""The user study: blind and balanced pairs, votes that are not lost, scores, and a real browser."""

import base64
import http.client
import io
import json
import re
import signal
import sqlite3
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from math import log

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from datamodules.support.errors import AtelierError
from evaluation.study import pairs as pairing
from evaluation.study.answer_key import read_key
from evaluation.study.page import write_study
from evaluation.study.ratings import bootstrap, bradley_terry, interval, outcomes, rate, wilson
from evaluation.study.runs import read_works
from evaluation.study.server import LARGEST_BODY, StudyServer
from evaluation.study.votes import QUESTIONS, Vote, VoteStore, merged, read_file
from experiments.cli import main
from tests.support.cli import start
from tests.support.run_folders import write_run

SYSTEMS = ("Brushwerk", "Cliptomat", "Glazurit")
PHOTOS = {"lagoon": (64, 48), "chimney": (48, 64)}  # object: the picture's width and height


def picture(size, colours):
    """A smooth picture, so that JPEG keeps it small."""
    x, y = np.meshgrid(*(np.linspace(0, 1, side) for side in size))
    random = np.random.default_rng(colours)
    values = sum(
        wave[:, None, None] * (x, y, x * y)[i] for i, wave in enumerate(random.random((3, 3)))
    )
    return Image.fromarray((values * 85).astype(np.uint8).transpose(1, 2, 0))


def make_run(folder, system, name="lagoon", style="embers", seed=0, **config):
    """A run folder as `atelier stylize` leaves it, as far as a study reads it."""
    size = PHOTOS.get(name, (64, 48))
    output = picture(size, [2, *map(ord, system), seed])
    output.info["pnginfo"] = note = PngImagePlugin.PngInfo()
    note.add_text("comment", f"made by {system}")  # which Pillow would copy into a JPEG
    pictures = {"content.png": picture(size, [1, len(name)]), "output.png": output}
    return write_run(
        folder, pictures, [(name, style)], config={"data": config}, result={"method": system}
    )


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Three systems on two photos."""
    root = tmp_path_factory.mktemp("runs")
    for system in SYSTEMS:
        for name in PHOTOS:
            make_run(root / f"folder-{system}-{name}", system, name)
    return root


@pytest.fixture
def study(runs, tmp_path):
    """A study's folder: six pairs."""
    write_study(pairing.make_pairs(read_works([str(runs)])), tmp_path / "study", seed=0)
    return tmp_path / "study"


@pytest.fixture
def served(study):
    """A server of that study in a thread of its own."""
    with StudyServer(study, port=0) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


# ---- pairs ----


def test_pairs_are_of_one_task_and_two_systems(runs):
    works = read_works([str(runs)])
    pairs = pairing.make_pairs(works)
    assert len(works) == 6
    assert len(pairs) == len({pair.id for pair in pairs}) == 6
    assert all(pair.a.task == pair.b.task and pair.a.system != pair.b.system for pair in pairs)
    assert [pair.id for pair in pairs] == sorted(pair.id for pair in pairs)


def test_pairs_hang_on_the_seed_and_not_on_the_order_of_the_runs(runs):
    works = read_works([str(runs)])
    pairs = pairing.make_pairs(works, 4, seed=1)
    assert pairing.make_pairs(works[::-1], 4, seed=1) == pairs
    assert pairing.make_pairs(works, 4, seed=2) != pairs


def test_another_object_style_photo_or_style_picture_is_another_task(tmp_path):
    make_run(tmp_path / "a", "One")
    Image.new("RGB", (40, 40), "red").save(tmp_path / "style.png")
    make_run(tmp_path / "b", "Two", style="snow")
    make_run(tmp_path / "c", "Two", style_image=str(tmp_path / "style.png"))
    make_run(tmp_path / "d", "Two", name="harbour")
    with pytest.raises(AtelierError, match="No two of the 4 runs"):
        pairing.make_pairs(read_works([str(tmp_path)]))
    make_run(tmp_path / "e", "Two", style=" Embers ")
    assert len(pairing.make_pairs(read_works([str(tmp_path)]))) == 1


def test_a_name_on_the_command_line_wins_and_needs_no_result(tmp_path):
    one, other = (make_run(tmp_path / name, "Same", seed=i) for i, name in enumerate("ab"))
    with pytest.raises(AtelierError, match="different systems"):
        pairing.make_pairs(read_works([str(one), str(other)]))
    (other / "result.json").unlink()
    (other / "config.yaml").unlink()
    works = read_works([str(one), f"theirs={other}", str(one)])
    assert [work.system for work in works] == ["Same", "theirs"]
    with pytest.raises(AtelierError, match="NAME="):
        read_works([str(other)])


def test_few_pairs_are_balanced_over_systems_photos_and_sides(tmp_path):
    systems = [f"S{i}" for i in range(4)]
    for system in systems:
        for name in ("sea", "tower", "garden", "bicycle"):
            for seed in range(2):
                make_run(tmp_path / f"{system}-{name}-{seed}", system, name, seed=seed)
    works = read_works([str(tmp_path)])
    pairs = pairing.make_pairs(works, 24, seed=3)
    met = Counter(frozenset((pair.a.system, pair.b.system)) for pair in pairs)
    assert set(met.values()) == {4}
    assert set(Counter(pair.a.task for pair in pairs).values()) == {6}
    shown = Counter(work for pair in pairs for work in (pair.a, pair.b))
    assert set(shown) == set(works)
    left = Counter((pair.a.system, pair.b.system) for pair in pairs)
    assert set(left.values()) == {2}
    odd = pairing.make_pairs(works, 18, seed=3)
    net = Counter(pair.a.system for pair in odd)
    net.subtract(pair.b.system for pair in odd)
    assert max(map(abs, net.values())) <= 3


# ---- the page ----


def test_the_page_names_nobody_and_loads_nothing(study, runs):
    page = (study / "index.html").read_text()
    key = (study / "study.json").read_text()
    names = [*SYSTEMS, *(run.name for run in runs.iterdir()), str(runs), "result.json"]
    for name in names:
        assert name.lower() not in page.lower()
    assert all(name in key for name in SYSTEMS)
    assert not re.search(r'(src|href)="(?!data:)|https?://|@import|url\(', page)
    assert "default-src 'none'" in page  # which the browser obeys
    pictures = re.findall(r"data:image/jpeg;base64,([\w+/=]+)", page)
    assert len(pictures) == 2 + 6  # each photo and each output once
    for encoded in pictures:
        data = base64.b64decode(encoded)
        assert not any(system.encode() in data for system in SYSTEMS)
        image = Image.open(io.BytesIO(data))
        assert not image.getexif()
        assert "comment" not in image.info


def test_words_cannot_break_out_of_the_page(tmp_path):
    evil = "</script><script>alert(1)</script>"
    for system in ("One", "Two"):
        make_run(tmp_path / system, system, style=evil)
    write_study(pairing.make_pairs(read_works([str(tmp_path)])), tmp_path / "study", seed=0)
    page = (tmp_path / "study/index.html").read_text()
    assert evil not in page
    assert page.count("<script") == page.count("</script>") == 2


def test_outputs_are_shown_at_the_photos_size_or_refused(tmp_path):
    for system in ("One", "Two"):
        make_run(tmp_path / system, system)
    picture((128, 96), [9]).save(tmp_path / "One/output.png")
    pairs = pairing.make_pairs(read_works([str(tmp_path)]))
    write_study(pairs, tmp_path / "study", seed=0)
    encoded = re.findall(r"base64,([\w+/=]+)", (tmp_path / "study/index.html").read_text())
    assert {Image.open(io.BytesIO(base64.b64decode(e))).size for e in encoded} == {(64, 48)}
    picture((64, 64), [9]).save(tmp_path / "One/output.png")
    with pytest.raises(AtelierError, match="64x64"):
        read_works([str(tmp_path)])


def test_a_study_with_votes_is_not_replaced_by_another(study, runs):
    key = read_key(study)
    VoteStore(study / "votes.sqlite", key.study).close()
    works = read_works([str(runs)])
    write_study(pairing.make_pairs(works), study, seed=0)  # the same again is welcome
    with pytest.raises(AtelierError, match="another study"):
        write_study(pairing.make_pairs(works, 3), study, seed=0)
    assert read_key(study) == key


# ---- votes ----


def test_one_vote_per_rater_pair_and_question_survives_reopening(tmp_path):
    store = VoteStore(tmp_path / "votes.sqlite", "s")
    store.put(Vote("anna", "p", "style", "A"))
    store.put(Vote("anna", "p", "photo", "same"))
    store.put(Vote("bert", "p", "style", "B"))
    store.put(Vote("anna", "p", "style", "B"))
    store.close()
    store = VoteStore(tmp_path / "votes.sqlite", "s")
    assert store.votes("anna") == [
        Vote("anna", "p", "photo", "same"),
        Vote("anna", "p", "style", "B"),
    ]
    assert len(store.votes()) == 3
    store.close()
    with pytest.raises(AtelierError, match="another study"):
        VoteStore(tmp_path / "votes.sqlite", "t")
    (tmp_path / "other").write_text("not a database, but a text that is long enough")
    with pytest.raises(AtelierError, match="cannot be used"):
        VoteStore(tmp_path / "other", "s")


def test_downloaded_votes_are_checked(study):
    key = read_key(study)
    pair, path = next(iter(key.pairs)), study.parent / "votes.json"
    vote = {"pair": pair, "question": "style", "answer": "A"}
    path.write_text(json.dumps({"study": key.study, "rater": "anna", "votes": [vote]}))
    assert read_file(path, key) == [Vote("anna", pair, "style", "A")]
    path.write_text(json.dumps({"study": "other", "rater": "anna", "votes": [vote]}))
    with pytest.raises(AtelierError, match="another study"):
        read_file(path, key)
    bad = vote | {"answer": "C"}
    path.write_text(json.dumps({"study": key.study, "rater": "anna", "votes": [bad]}))
    with pytest.raises(AtelierError, match="answers: A, B, same"):
        read_file(path, key)
    path.write_text("[]")
    with pytest.raises(AtelierError, match="not a file of votes"):
        read_file(path, key)


# ---- the server ----


def ask(server, method, path, body=None, **headers):
    """Status and JSON (or the page's text) of one request."""
    connection = http.client.HTTPConnection(*server.server_address, timeout=10)
    if body is not None and not isinstance(body, bytes):
        body = json.dumps(body).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    kind = {"Content-Type": "application/json"} if method == "POST" else {}
    connection.request(method, path, body, {**kind, **named})
    response = connection.getresponse()
    text = response.read().decode()
    connection.close()
    is_json = response.headers.get_content_type() == "application/json"
    return response.status, json.loads(text) if is_json else text


def test_parallel_votes_are_all_kept(served, study):
    pairs = list(read_key(study).pairs)
    votes = [
        Vote(f"rater-{r}", pair, question, "AB"[r % 2])
        for r in range(8)
        for pair in pairs
        for question in QUESTIONS
    ]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda v: ask(served, "POST", "/votes", v._asdict()), votes))
    assert answers == [(200, {"stored": True})] * len(votes)
    with sqlite3.connect(study / "votes.sqlite") as file:
        rows = file.execute("SELECT rater, pair, question, answer FROM votes").fetchall()
    assert sorted(rows) == sorted(map(tuple, votes))
    _, own = ask(served, "GET", "/votes?rater=rater-3")
    assert len(own["votes"]) == 12
    assert all(vote["answer"] == "B" and "rater" not in vote for vote in own["votes"])


def test_the_server_refuses_what_is_no_vote(served, study):
    good = Vote("anna", next(iter(read_key(study).pairs)), "style", "A")._asdict()
    cases = {
        400: [good | change for change in ({"pair": "x"}, {"question": "x"}, {"answer": "x"})]
        + [good | {"rater": "a"}, good | {"rater": "a b c d"}, good | {"answer": None}]
        + [good | {"more": "x"}, [], b"{", b"\xff", b"[" * 4000, {}],
        413: [b" " * (LARGEST_BODY + 1), b" " * 200_000],
    }
    for status, bodies in cases.items():
        for body in bodies:
            assert ask(served, "POST", "/votes", body)[0] == status, body
    refused = [
        (403, {"Origin": "https://elsewhere.example"}),
        (403, {"Origin": "null"}),
        (403, {"Host": "rebound.example:80"}),
        (415, {"Content_Type": "text/plain"}),
        (400, {"Origin": "http://[", "Host": "localhost"}),
    ]
    for status, headers in refused:
        assert ask(served, "POST", "/votes", good, **headers)[0] == status, headers
    assert served.store.votes() == []
    own = f"127.0.0.1:{served.server_port}"
    assert ask(served, "POST", "/votes", good, Host=own, Origin=f"http://{own}")[0] == 200
    served.origins.add("study.example.org")
    assert ask(served, "POST", "/votes", good, Origin="https://study.example.org")[0] == 200


def test_the_server_shows_the_page_and_nothing_else(served, study):
    status, page = ask(served, "GET", "/")
    assert (status, page) == (200, (study / "index.html").read_text())
    assert ask(served, "HEAD", "/index.html")[0] == 200
    ask(served, "GET", "/votes?rater=anna")
    for path in ("/study.json", "/votes.sqlite", "/../study.json", "/%2e%2e/", "//[", "/votes/x"):
        assert ask(served, "GET", path)[0] in (400, 404), path
    assert ask(served, "GET", "/votes")[0] == 400
    assert ask(served, "GET", "/votes?rater=%27--")[0] == 400
    assert ask(served, "DELETE", "/votes")[0] == 501


def test_serve_stops_cleanly_and_says_when_the_port_is_taken(study, tmp_path):
    process = start("study", "serve", study, "--port", 0, cwd=tmp_path)
    try:
        port = process.stdout.readline().strip().rstrip("/").rpartition(":")[2]
        with pytest.raises(AtelierError, match="choose another --port"):
            StudyServer(study, port=int(port))
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=20)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 0, errors
    assert "Traceback" not in errors


# ---- scores ----


def test_wilson_agrees_with_published_values():
    # 8 of 10; 81 of 263 and 0 of 20 from Newcombe (1998), table I, method 3
    assert wilson(8, 10) == pytest.approx((0.4902, 0.9433), abs=5e-5)
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert wilson(0, 20) == pytest.approx((0, 0.1611), abs=5e-5)


def test_resampling_raters_sees_that_their_votes_hang_together():
    # ten raters of ten votes each, who are all for or all against: ten votes' worth, not a hundred
    won, total = np.repeat([10.0, 0.0], 5), np.full(10, 10.0)
    low, high = bootstrap(won, total)
    assert (low, high) == bootstrap(won, total)
    assert (low, high) == pytest.approx((0.2, 0.8), abs=0.01)
    assert interval(won, total)[2] == "bootstrap over raters"
    assert interval(won[:4], total[:4])[2] == "Wilson"
    agreed = interval(np.full(6, 4.0), np.full(6, 4.0))
    assert agreed == (*wilson(24, 24), "Wilson")
    assert interval(np.zeros(3), np.zeros(3)) == (None, None, "")


def test_bradley_terry_of_two_systems_is_the_log_odds():
    scores = bradley_terry(np.array([[0, 30], [10, 0]]), prior=0)
    assert scores == pytest.approx([log(3) / 2, -log(3) / 2])
    always = bradley_terry(np.array([[0, 20], [0, 0]]))
    assert always[0] - always[1] == pytest.approx(log(20.1 / 0.1))


def test_bradley_terry_recovers_what_votes_were_drawn_from():
    true = np.array([1.0, 0.3, -0.4, -0.9])
    chance = 1 / (1 + np.exp(true[None] - true[:, None]))
    random, wins = np.random.default_rng(0), np.zeros((4, 4))
    for i in range(4):
        for j in range(i):
            wins[i, j] = random.binomial(4000, chance[i, j])
            wins[j, i] = 4000 - wins[i, j]
    scores = bradley_terry(wins)
    assert scores == pytest.approx(true, abs=0.06)
    assert scores.sum() == pytest.approx(0, abs=1e-9)
    apart = np.zeros((4, 4))  # systems that never met, and one that nobody saw
    apart[0, 1] = 50
    assert np.isfinite(bradley_terry(apart)).all()


def test_a_tie_is_half_a_win_for_each():
    pairs = {"p": ("X", "Y"), "q": ("Y", "X")}
    votes = [
        Vote("anna", "p", "style", "A"),
        Vote("anna", "q", "style", "same"),
        Vote("bert", "p", "style", "same"),
        Vote("bert", "q", "style", "B"),
    ]
    assert outcomes(votes, pairs, ["X", "Y"], ["anna", "bert"]).sum(0).tolist() == [[0, 3], [1, 0]]
    best, worst = rate(votes, pairs, ["Y", "X"])
    assert (best.system, best.wins, best.ties, best.losses) == ("X", 2, 2, 0)
    assert (worst.system, worst.wins, worst.ties, worst.losses) == ("Y", 0, 2, 2)
    assert (best.share, best.of_all, best.interval) == (0.75, 0.75, "Wilson")
    assert best.score == pytest.approx(log(3.1 / 1.1) / 2)
    assert best.against_average + worst.against_average == pytest.approx(1)
    unseen = rate(votes[:1], pairs, ["X", "Y", "Z"])
    assert next(row for row in unseen if row.system == "Z").share is None
    assert merged([*votes, Vote("anna", "p", "style", "B")])[0].answer == "B"


# ---- the command ----


def test_the_command_makes_and_scores(runs, tmp_path, capsys):
    out = tmp_path / "study"
    assert main(["study", "make", "--pairs", "5", "--out", str(out), str(runs)]) == 0
    assert capsys.readouterr().out == f"{out / 'index.html'}\n"
    key, file = read_key(out), tmp_path / "votes.json"
    assert len(key.pairs) == 5
    assert main(["study", "score", str(out)]) == 2
    assert "no votes" in capsys.readouterr().err
    votes = [{"pair": pair, "question": "photo", "answer": "same"} for pair in key.pairs]
    file.write_text(json.dumps({"study": key.study, "rater": "anna", "votes": votes}))
    assert main(["study", "score", str(out), str(file)]) == 0
    table = capsys.readouterr().out
    assert all(name in table for name in (*SYSTEMS, "50.0%", "5 votes of 1 rater.", "Wilson"))
    assert main(["study", "score", str(out), "--json", str(file)]) == 0
    rows = json.loads(capsys.readouterr().out)["questions"]["photo"]
    assert [row["share"] for row in rows] == [0.5] * 3
    assert sum(row["of_all"] for row in rows) == pytest.approx(1)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["make", "nowhere"], "no finished run at nowhere"),
        (["make", "=x"], "NAME=FOLDER"),
        (["make", "x", "--pairs", "0"], "give 1 or more"),
        (["make", "x", "--loud"], "has no option --loud"),
        (["make"], "RUN"),
        ([], "ACTION"),
        (["serve", "nowhere"], "no study at nowhere"),
        (["serve", "nowhere", "too"], "takes no word 'too'"),
        (["score", "nowhere"], "no study at nowhere"),
    ],
)
def test_bad_input_is_said_in_one_line(arguments, sentence, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["study", *arguments]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert re.search(sentence, said.err), said.err
    assert said.err.count("\n") == 1


# ---- a real browser ----


class Rater:
    """What a person does at the page."""

    def __init__(self, driver):
        self.driver = driver

    def find(self, selector):
        return self.driver.find_element("css selector", selector)

    def wait(self, condition, what):
        deadline = time.monotonic() + 10
        while not condition():
            assert time.monotonic() < deadline, f"{what}; {self.driver.get_log('browser')}"
            time.sleep(0.02)

    def shows(self, selector, text):
        self.wait(lambda: self.find(selector).text == text, f"{selector} is not {text!r}")

    def click(self, selector):
        self.find(selector).click()

    def answer(self, question, answer):
        self.click(f"#question-{question} button[data-answer={answer}]")

    def press(self, keys):
        from selenium.webdriver import ActionChains

        ActionChains(self.driver).send_keys(keys).perform()

    @property
    def pair(self):
        return self.driver.execute_script("return order[at].id")

    def pressed(self):
        chosen = self.driver.find_elements("css selector", ".answers button[aria-pressed=true]")
        return [button.get_attribute("data-answer") for button in chosen]


def stored(study):
    with sqlite3.connect(study / "votes.sqlite") as file:
        rows = file.execute("SELECT pair, question, answer FROM votes").fetchall()
    return {(pair, question): answer for pair, question, answer in rows}


def begin(rater, url, code):
    """Past the welcome page, and that what it shows is whole."""
    rater.driver.get(url)
    assert "6 pairs" in rater.find("#welcome").text
    box = rater.find("#code")
    assert re.fullmatch("[a-z0-9]{4}-[a-z0-9]{4}", box.get_attribute("value"))
    box.clear()
    box.send_keys("?\n")
    assert "4 to 40 letters" in rater.find("#problem").text
    box.clear()
    box.send_keys(code)
    rater.click("#start")
    rater.shows("#count", "1 of 6")
    images = rater.driver.find_elements("css selector", "#stage img")
    assert [i.get_attribute("alt") for i in images] == ["The photo", "Picture A", "Picture B"]
    assert all(int(i.get_attribute("naturalWidth")) in (48, 64) for i in images)
    assert re.search(r"the (lagoon|chimney) as: embers", rater.find("#wish").text)


@pytest.mark.slow
@pytest.mark.xdist_group("browser")
def test_a_rater_votes_in_a_real_browser(browser, served, study, capsys):
    """By mouse and by keyboard, with a reload, a change of mind and a server that goes away."""
    rater, votes = Rater(browser), {}
    begin(rater, served.url, "Anna-1")
    assert not rater.find("#next").is_enabled()
    rater.answer("style", "A")
    rater.answer("photo", "same")
    votes |= {(rater.pair, "style"): "A", (rater.pair, "photo"): "same"}
    rater.click("#next")
    rater.shows("#count", "2 of 6")
    votes |= {(rater.pair, "style"): "B", (rater.pair, "photo"): "A"}
    rater.press("ba\n")
    rater.shows("#count", "3 of 6")
    votes[rater.pair, "style"] = "same"
    rater.press("n")
    rater.shows("#state", "Saved")
    assert stored(study) == votes

    third = rater.pair
    browser.refresh()
    rater.shows("#count", "3 of 6")
    assert (rater.pair, rater.pressed()) == (third, ["same"])
    votes[third, "photo"] = "B"
    rater.press("b\ue003")  # and Backspace: back to the second pair
    rater.shows("#count", "2 of 6")
    assert rater.pressed() == ["B", "A"]
    rater.answer("style", "same")
    votes[rater.pair, "style"] = "same"
    rater.click("figure.A .pic")
    assert rater.find("#zoom img").get_attribute("alt") == "Picture A"
    rater.press("\ue014\ue014a")  # right, right, and a letter that is no vote in here
    assert rater.find("#zoom img").get_attribute("alt") == "The photo"
    rater.press("\ue00c")  # Escape
    assert rater.pressed() == ["same", "A"]

    # Another device, that is another browser without memory: the server knows how far one is.
    rater.shows("#state", "Saved")
    browser.execute_script("localStorage.clear()")
    browser.refresh()
    assert rater.find("#code").get_attribute("value") != "anna-1"
    rater.find("#code").clear()
    rater.find("#code").send_keys("anna-1\n")
    rater.shows("#count", "4 of 6")
    finish_while_the_disk_fails(rater, served, votes)
    assert stored(study) == votes
    assert {v.rater for v in served.store.votes()} == {"anna-1"}
    assert main(["study", "score", str(study), "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert (result["raters"], result["votes"]) == (1, 12)
    for question in QUESTIONS:
        ties = [answer for (_, q), answer in votes.items() if q == question].count("same")
        assert sum(row["ties"] for row in result["questions"][question]) == 2 * ties
        assert sum(row["wins"] for row in result["questions"][question]) == 6 - ties
    assert not [line for line in browser.get_log("browser") if "500" not in line["message"]]


def finish_while_the_disk_fails(rater, served, votes):
    """The last three pairs; votes that the server cannot keep are kept here, and sent again."""
    kept, served.store.put = served.store.put, failing
    for _ in range(3):
        votes |= {(rater.pair, "style"): "A", (rater.pair, "photo"): "B"}
        rater.press("ab\n")
    rater.shows("#count", "Done")
    rater.wait(lambda: "Not saved (6)" in rater.find("#state").text, "the failure is not said")
    assert "6 answers have not reached" in rater.find("#done").text
    served.store.put = kept
    rater.shows("#state", "Saved")
    assert "You can close this page" in rater.find("#done").text


def failing(vote):
    raise sqlite3.OperationalError("database or disk is full")


@pytest.mark.slow
@pytest.mark.xdist_group("browser")
def test_the_page_alone_gives_a_file_of_votes(browser, study, tmp_path, capsys):
    rater = Rater(browser)
    begin(rater, (study / "index.html").as_uri(), "bert-2")
    order = browser.execute_script("return order.map(pair => pair.id)")
    other = browser.execute_script("return shuffled(study.pairs, 'carl-3').map(pair => pair.id)")
    assert sorted(order) == sorted(other) == sorted(read_key(study).pairs)
    assert order != other
    rater.press("ab\n")
    rater.shows("#state", "Saved in this browser")
    browser.refresh()
    rater.shows("#count", "2 of 6")
    assert browser.execute_script("return order.map(pair => pair.id)") == order
    for _ in range(5):
        rater.press("ab\n")
    assert "only in this browser" in rater.find("#done").text
    rater.click("#download")
    file = tmp_path / "votes-bert-2.json"
    rater.wait(lambda: file.exists() and file.stat().st_size, "no file is downloaded")
    votes = read_file(file, read_key(study))
    assert Counter((v.question, v.answer) for v in votes) == {("style", "A"): 6, ("photo", "B"): 6}
    assert not (study / "votes.sqlite").exists()
    assert main(["study", "score", str(study), str(file)]) == 0
    assert "12 votes of 1 rater." in capsys.readouterr().out
