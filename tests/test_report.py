"""The report: means by hand, text that stays text, a folder that is whole, and a real browser."""

import html
import json
import math
import os
import re
import time

import numpy as np
import pytest
from PIL import Image

from datamodules.support.errors import AtelierError
from evaluation.report import page_model, plots, published, tables
from evaluation.report.details import Details, thinned
from evaluation.report.write import MARK, as_script, write_report
from evaluation.tables.groups import Cell, grouped
from evaluation.tables.numbers import duration
from evaluation.tables.results import ResultTable
from evaluation.tables.run import Run
from evaluation.tables.writers import latex
from experiments.cli import main
from tests.support.run_folders import write_run

HALF = "\ud83d"  # of a character: JSON can hold it, UTF-8 cannot
EVIL = "</script><img src=x onerror=alert(1)>\"'@MODEL@ &amp; <b>"
JUDGE = "style_patch.bridge-lite2"


def run(folder="a", method="Soulstyler", metrics=None, **given):
    told = {"set": "demo", "labels": {}, "unavailable": {}, "seconds": 60.0, "failure": ""}
    told |= {"encoder": "bridge-lite0", "command": "atelier stylize x"} | given
    return Run(folder=folder, method=method, metrics=metrics or {}, **told)


def entry(folder="a", method="Soulstyler", metrics=None, **given):
    one = run(folder, method, metrics, **given)
    return page_model.Entry(one, Details(), None, one.failure, f"runs/{folder}", group=method)


def make_run(folder, number, failed=False, style="fire", **scores):
    """A run folder as a sweep leaves it."""
    method = ("soulstyler", "sem_cs")[number % 2]
    labels = {"method": method, "picture": "lagoon", "object": "boat", "style": style.rstrip(HALF)}
    labels |= {"seed": number // 6, "model.tau": (0.5, 0.7, 0.9)[number % 3]}
    job = {"id": folder.name, "set": "demo", "labels": labels}
    job["command"] = f"atelier stylize lagoon.png --seed {number}"
    if failed:
        write_run(folder, job=job, failure={"reason": "no memory left", "tries": 2})
        return
    y, x = np.mgrid[:96, :128]
    photo = np.stack([x * 2, y * 2, 128 + 0 * x], axis=-1).astype(np.uint8)
    output = photo // 2 + np.array([120, 40, (number * 9) % 120], dtype=np.uint8)
    arrays = {"content.png": photo, "output.png": output}
    arrays["mask.png"] = ((x > 40) * 255).astype(np.uint8)
    metrics = {JUDGE: 0.1 + number / 100, "leakage": number / 50, "dists": None} | scores
    result = {"method": {"soulstyler": "Soulstyler", "sem_cs": "SemCS"}[method], "metrics": metrics}
    result |= {"encoder": "bridge-lite0", "steps": 3, "seed": number, "seconds": {"optimise": 2.5}}
    result |= {"unavailable": {"dists": "no weights of VGG-16"}, "versions": {"torch": "2"}}
    write_run(
        folder,
        {name: Image.fromarray(array) for name, array in arrays.items()},
        [("boat", style)],
        {"seed_everything": number, "data": {"image": "lagoon.png"}},
        [{"total": 10.0}, {"total": 8.0}, {"total": 5.5}],
        result,
        job,
    )
    os.utime(folder / "result.json", (1763700000, 1763700000))


@pytest.fixture
def runs(tmp_path):
    """Eleven whole runs and a failed one, by two methods at three thresholds."""
    for number in range(12):
        folder = tmp_path / "runs" / "deep" / f"{number:016x}"
        style = {3: EVIL, 4: f"fire {HALF}"}.get(number, "fire")
        make_run(folder, number, number == 5, style)
    return tmp_path / "runs"


# ---- numbers ----


def test_own_scores_and_empty_ones_are_no_main_scores():
    metrics = {"own_style_patch.x": 1.0, "leakage": 0.0, "style_patch.y": 0.5, "dists": None}
    assert page_model.main_scores([run(metrics=metrics)]) == ["style_patch.y", "leakage"]
    assert page_model.all_scores([run(metrics=metrics)])[-1] == "own_style_patch.x"


def test_thresholds_are_numbers_that_differ_and_no_seeds():
    rows = [(0.5, 0, True), (0.7, 1, False), (0.7, 2, False)]
    entries = [entry(labels={"model.tau": t, "seed": s, "flag": b, "n": 3}) for t, s, b in rows]
    assert page_model.thresholds(entries) == {"model.tau": [0.5, 0.7]}
    assert page_model.varying(entries) == {
        "model.tau": ["0.5", "0.7"],
        "seed": ["0", "1", "2"],
        "flag": ["no", "yes"],
    }


def test_runs_of_several_encoders_are_never_averaged():
    entries = page_model.with_groups([entry(encoder="x"), entry(encoder="y")], {"Soulstyler": "S"})
    assert list(page_model.by_group(entries)) == ["S · x", "S · y"]
    (alone,) = page_model.with_groups([entry()], {})
    assert alone.group == "Soulstyler"


def test_a_method_is_known_by_its_file_and_by_its_class():
    assert entry(method="SemCS", labels={"method": "sem_cs"}).labels["method"] == "SemCS"
    assert entry(method="SemCS", labels={"method": "sem_cs_ref"}).labels["method"] == "sem_cs_ref"


def test_a_curve_is_the_mean_at_every_threshold():
    rows = [(0.5, 0.1), (0.5, 0.3), (0.7, 0.4), (0.7, None)]
    entries = [entry(labels={"model.tau": t}, metrics={JUDGE: v}) for t, v in rows]
    line = plots.curve(entries, "model.tau", JUDGE)["Soulstyler"]
    assert [(x, line[x].mean, line[x].n) for x in line] == [(0.5, 0.2, 2), (0.7, 0.4, 1)]
    (curves,) = plots.curves(entries, plots.looks_of(["Soulstyler"]))
    figure = curves["panels"][0]["figure"]
    band, mean = figure["data"]
    assert mean["x"] == [0.5, 0.7]
    assert band["y"] == pytest.approx([0.2 + 0.02**0.5, 0.4, 0.4, 0.2 - 0.02**0.5], abs=1e-5)
    assert figure["layout"]["shapes"][0]["x0"] == 0.7
    assert "0.7" in figure["layout"]["annotations"][0]["text"]


def test_the_tradeoff_shows_what_is_kept():
    entries = [
        entry(metrics={JUDGE: 0.2, "leakage": 0.25}),
        entry(metrics={JUDGE: 0.3, "leakage": None}),
        entry(failure="broken", metrics={JUDGE: 0.3, "leakage": 0.1}),
        entry("b", "SemCS", metrics={JUDGE: 0.4, "leakage": 0.5}),
    ]
    (one,) = plots.tradeoffs(entries, plots.looks_of(["SemCS", "Soulstyler"]))
    points = [(t["x"], t["y"], t["customdata"]) for t in one["figure"]["data"]]
    assert points == [([0.5], [0.4], [2]), ([0.75], [0.2], [0])]
    assert (one["shown"], one["missing"]) == (2, 1)


def test_losses_are_thinned_and_keep_their_ends():
    totals = [step / 2 for step in range(1001)]
    for points in (2, 49, 50, 1000, 1001, 2000):
        losses = thinned(totals, points)
        assert 2 <= len(losses) <= points
        assert (losses[0], losses[-1]) == (0, 500)
        assert losses == sorted(set(losses))
    assert thinned([math.nan, 2.0]) == [None, 2]
    assert thinned([]) == []


@pytest.mark.parametrize(
    ("seconds", "words"), [(41.2, "41 s"), (700, "12 min"), (3540, "59 min"), (11100, "3 h 05 min")]
)
def test_time_in_words(seconds, words):
    assert duration(seconds) == words


# ---- what papers publish ----


def test_published_numbers_stand_in_the_files():
    methods = published.read_methods()
    (paper, row), *_ = methods.of("CLIPstyler")
    assert (row.values["patch_clip"], row.values["user_content"]) == (0.2515, 4.18)
    assert "supplement" in paper.source
    double = {row.name: row.values for row in methods.tables[-1].rows}
    assert double["Sem-CS"] == {"dists": 0.33, "nima": 5.52, "user_share": 51.7}
    assert methods.columns["dists"].higher_is_better
    assert len(published.read_parsers()["rows"]) == 10


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("nima: 5.52", "nima: 55.2", "not 1 to 10"),
        ("nima: 5.52", "mood: 5.52", "no column"),
        ("nima: 5.52", "nima: good", r'tables\[4\].rows\[2\]: nima is "good"; give a number'),
        ("nima: 5.52", "nima: .nan", "nima is NaN; give a number"),
        ("source: Sem-CS", "origin: Sem-CS", r"tables\[3\]: there is no key 'origin', only source"),
        ("low: -1, high: 1,", "low: 1, high: 1,", "columns.patch_clip: .*give low < high"),
        ('{name: full, method: "", preference: 3.92}', '{name: full, method: ""}', "no numbers"),
        ("tables:", "tables: [", "line .*the table of published numbers cannot be read"),
    ],
)
def test_wrong_published_numbers_are_refused(tmp_path, old, new, why):
    text = published.METHODS.read_text().replace(old, new)
    (tmp_path / "methods.yaml").write_text(text)
    with pytest.raises(AtelierError, match=why):
        published.read_methods(tmp_path / "methods.yaml")


def test_published_rows_stand_beside_ours():
    entries = [entry(method="SemCS", metrics={"dists": 0.31, JUDGE: 0.1})]
    shown = tables.methods_part(entries, published.read_methods())
    rows = [re.sub("<.*?>", "|", row) for row in shown.split("<tr")[2:]]
    assert any("SemCS" in row and "0.31" in row for row in rows)
    assert any("paper" in row and "double text" in row and "0.33" in row for row in rows)
    assert not any("VQGAN" in row for row in rows)
    assert shown.index("DISTS") < shown.index("s per run")


def test_the_page_and_the_latex_table_mark_the_same_cells():
    # Background PSNR: the best tie. Leakage: one is best. DISTS: a single one has a number, and
    # nothing to be better than.
    rows = {
        "CLIPstyler": {"leakage": 0.1, "background_psnr": 40.0, "dists": None},
        "SemCS": {"leakage": 0.3, "background_psnr": 20.0, "dists": 0.2},
        "Soulstyler": {"leakage": 0.2, "background_psnr": 40.0, "dists": None},
    }
    scores = ["leakage", "background_psnr", "dists"]
    entries = [entry(method, method, metrics) for method, metrics in rows.items()]
    groups = grouped([entry.run for entry in entries], ["method"])
    written = latex.write(ResultTable(["method"], scores, groups))
    in_latex = {
        (line.split(" & ")[0], score)
        for line in written.splitlines()[5:-2]
        for score, cell in zip(scores, line.split(" & ")[2:], strict=True)
        if "textbf" in cell
    }
    html_rows = tables.methods_part(entries, published.read_methods()).split("<tr")[1:]
    heads = [cell.split("</th>")[0] for cell in html_rows[0].split("<th")[1:]]
    columns = {score: _column(heads, page_model.MAIN[score]) for score in scores}
    in_html = {
        (method, score)
        for row in html_rows
        for method in rows
        if f'data-group="{method}"' in row
        for score, place in columns.items()
        if "<b>" in row.split("<td>")[place]
    }
    assert in_html == in_latex
    assert in_latex == {
        ("CLIPstyler", "leakage"),
        ("CLIPstyler", "background_psnr"),
        ("Soulstyler", "background_psnr"),
    }


def _column(heads, title):
    """Place of our column among the cells after the row's heading."""
    ours = [f">{title} <" in head and "published" not in head for head in heads]
    return ours.index(True)


def test_parsers_stand_beside_the_papers_ten():
    ours = {"rows": [{"parser": "rules", "exact": 0.951}, {"parser": "x", "error": "no <b>"}]}
    shown = tables.parsers_part(ours, published.read_parsers())
    assert "0.95" in shown
    assert "no &lt;b&gt;" in shown
    assert shown.count('class="paper"') == 10
    assert "evaluate-parsers" in tables.parsers_part(None, published.read_parsers())


# ---- text stays text ----


def test_scripts_hold_any_text():
    made = as_script({"style": EVIL + "\u2028"})
    assert not set("<>&\u2028") & set(made)
    assert json.loads(made) == {"style": EVIL + "\u2028"}


def test_failures_and_notes_are_escaped():
    bad = entry(failure=EVIL, command=EVIL, labels={"style": EVIL})
    shown = tables.failures_part([bad])
    shown += tables.overview_part(page_model.overview([bad, entry(unavailable={EVIL: EVIL})]), {})
    assert "<img" not in shown
    assert html.escape(EVIL, quote=True) in shown


def test_plots_show_names_as_they_are():
    looks = plots.looks_of(["<b>x</b>"])
    lines = {"<b>x</b>": {0.5: Cell(1, None, 1), 0.7: Cell(2, None, 1)}}
    assert plots.curve_figure(lines, "a<i>", looks)["data"][0]["name"] == "&lt;b&gt;x&lt;/b&gt;"


# ---- the folder ----


def contents(folder):
    return {p.relative_to(folder): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_the_same_runs_give_the_same_report(runs, tmp_path, capsys):
    assert main(["report", str(runs), "-o", str(tmp_path / "a"), "--title", EVIL]) == 0
    assert capsys.readouterr().out == f"{tmp_path / 'a' / 'index.html'}\n"
    first = contents(tmp_path / "a")
    assert main(["report", str(runs), "-o", str(tmp_path / "a"), "--title", EVIL]) == 0
    assert contents(tmp_path / "a") == first
    text = (tmp_path / "a" / "index.html").read_text()
    assert "<img src=x" not in text
    assert len(list((tmp_path / "a" / "runs").iterdir())) == 11
    # One photo and one mask; eleven results, which are small enough to be seen whole on a card,
    # but are kept better than a thumbnail.
    assert len(list((tmp_path / "a" / "pictures").iterdir())) == 2 + 2 * 11
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".")] == []


def test_a_broken_picture_is_a_failed_run(runs, tmp_path):
    next(runs.rglob("output.png")).write_bytes(b"no picture")
    text = write_report(runs, tmp_path / "r").read_text()
    assert "<dd>10</dd>" in text
    assert "<dd>2</dd>" in text


def test_a_single_run_and_runs_that_all_failed_have_a_report(runs, tmp_path):
    one = next(runs.rglob("output.png")).parent
    assert "<dd>1</dd>" in write_report(one, tmp_path / "one").read_text()
    bare = tmp_path / "bare" / "a"
    bare.mkdir(parents=True)
    (bare / "failure.json").write_text('{"reason": "the lamp went out"}')
    text = write_report(bare.parent, tmp_path / "bare-report").read_text()
    assert "the lamp went out" in text
    assert "No threshold differs" in text


def test_what_is_no_report_stays(runs, tmp_path, capsys):
    other = tmp_path / "other"
    other.mkdir()
    (other / "thesis.txt").write_text("years of work")
    assert main(["report", str(runs), "-o", str(other)]) == 2
    said = capsys.readouterr().err
    assert "is no report" in said
    assert said.count("\n") == 1
    (runs / MARK).touch()
    assert main(["report", str(runs / "deep"), "-o", str(runs)]) == 2
    assert len(list(runs.rglob("result.json"))) == 11


def test_a_report_that_fails_leaves_the_earlier_one(runs, tmp_path, monkeypatch):
    write_report(runs, tmp_path / "r")
    before = contents(tmp_path / "r")
    monkeypatch.setattr("evaluation.report.write.page", lambda *parts: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        write_report(runs, tmp_path / "r")
    assert contents(tmp_path / "r") == before
    assert sorted(p.name for p in tmp_path.iterdir()) == ["r", "runs"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["nowhere"], "no folder nowhere"),
        (["empty"], "empty"),
        (["bad"], "parsers.json"),
        (["empty", "--loud"], "has no option --loud"),
        ([], "DIR"),
    ],
)
def test_bad_input_is_said_in_one_line(arguments, sentence, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "parsers.json").write_text("[1]")
    assert main(["report", *arguments]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert re.search(sentence, said.err), said.err
    assert not (tmp_path / "report").exists()


# ---- a real browser ----


class Reader:
    """What a person does at the page."""

    def __init__(self, driver):
        self.driver = driver

    def find(self, selector):
        return self.driver.find_element("css selector", selector)

    def all(self, selector):
        return self.driver.find_elements("css selector", selector)

    def js(self, script, *values):
        return self.driver.execute_script(script, *values)

    def wait(self, condition, what):
        deadline = time.monotonic() + 10
        while not condition():
            assert time.monotonic() < deadline, f"{what}; {self.driver.get_log('browser')}"
            time.sleep(0.02)

    def press(self, keys):
        from selenium.webdriver import ActionChains

        ActionChains(self.driver).send_keys(keys).perform()

    def screen(self, width, height, scheme):
        media = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
        screen = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)

    def requests(self):
        """Addresses of everything that the browser has asked for since the last call."""
        messages = [json.loads(e["message"])["message"] for e in self.driver.get_log("performance")]
        sent = [m["params"] for m in messages if m["method"] == "Network.requestWillBeSent"]
        return [params["request"]["url"] for params in sent]


ARROW_RIGHT, ESCAPE, TAB = "\ue014", "\ue00c", "\ue004"


@pytest.mark.slow
@pytest.mark.xdist_group("browser")
def test_a_report_in_a_real_browser(browser, runs, tmp_path):
    """From disk: filters, a run by keyboard, plots, dark and narrow; nothing else is asked for."""
    page = write_report(runs, tmp_path / "report", EVIL)
    reader = Reader(browser)
    reader.screen(1280, 900, "light")
    reader.requests()
    browser.get(page.as_uri())
    assert browser.title == EVIL
    assert reader.find("#count").text == "11 pictures"
    assert len(reader.all(".card img[loading=lazy][width][height]")) == 11
    assert "onerror" not in reader.js("return [...document.images].map(i => i.outerHTML).join()")
    filter_the_cards(reader)
    open_a_run(reader)
    follow_an_address(reader, page)
    look_at_the_plots(reader)
    read_in_the_dark_on_a_phone(reader)
    # Requests of the new tab page are the browser's own.
    asked = {url.partition(":")[0] for url in reader.requests()} - {"chrome", "data"}
    assert asked == {"file"}
    assert browser.get_log("browser") == []


def filter_the_cards(reader):
    reader.find("#search").send_keys("boat sem-cs")
    reader.wait(lambda: reader.find("#count").text.startswith("5 of 11"), "no search")
    reader.find("#count .link").click()
    facet = '.facet[data-name="model.tau"]'
    reader.find(f"{facet} summary").send_keys("\n")
    reader.find(f'{facet} input[value="0.7"]').send_keys(" ")
    assert reader.find("#count").text.startswith("4 of 11")
    assert "f.model.tau=0.7" in reader.driver.current_url
    reader.press(ESCAPE)
    assert reader.js("return document.activeElement.parentElement.dataset.name") == "model.tau"
    assert not reader.find(f"{facet} fieldset").is_displayed()
    reader.js("arguments[0].value = 'leakage down'; arguments[0].onchange()", reader.find("#sort"))
    values = [float(v.text.split("leakage ")[1]) for v in reader.all(".card .value")]
    assert values == sorted(values, reverse=True)


def open_a_run(reader):
    reader.find(".card").send_keys("\n")
    reader.wait(lambda: reader.all("#tell pre"), "no details")
    assert reader.js("return document.activeElement.id") == "split"
    reader.press(ARROW_RIGHT * 5)
    assert reader.js("return getComputedStyle(slide).getPropertyValue('--at')") == "55%"
    assert reader.js("return [...slide.querySelectorAll('img')].every(i => i.naturalWidth == 128)")
    reader.press("m")
    assert reader.find("#slide .over").get_attribute("alt").startswith("The mask")
    first = reader.find("#run-count").text
    reader.press("n")
    reader.wait(lambda: "2 of 4" in reader.find("#run-count").text, f"still {first}")
    reader.wait(lambda: reader.all("#tell pre"), "no details")
    reader.js("document.querySelector('.config').open = true")
    assert "seed_everything" in reader.find(".config pre").text
    assert "atelier stylize lagoon.png" in reader.find("#tell .command code").text
    reader.find("#tell .command .copy").click()
    reader.wait(lambda: reader.find("#tell .command .copy").text == "Copied", "not copied")
    assert len(reader.all("#losses svg")) == 1
    for _ in range(15):
        reader.press(TAB)
        assert reader.js("return document.querySelector('dialog').contains(document.activeElement)")
    close_the_run(reader)


def close_the_run(reader):
    """And wait until its card has the focus, because the page scrolls there."""
    reader.press(ESCAPE)
    focused = "return document.activeElement.className"
    reader.wait(lambda: reader.js(focused) == "card", "the card has no focus")
    assert not reader.find("#run").is_displayed()


def follow_an_address(reader, page):
    """A run's own address opens it, with a style that would like to be markup."""
    reader.driver.get("about:blank")
    reader.driver.get(f"{page.as_uri()}#gallery?run=deep%2F{3:016x}")
    reader.wait(lambda: reader.find("#run").is_displayed(), "not opened")
    reader.wait(lambda: reader.all("#tell pre"), "no details")
    assert reader.find("#run-title").text == f"boat → {EVIL}"
    close_the_run(reader)


def look_at_the_plots(reader):
    reader.js("document.getElementById('tradeoff').scrollIntoView()")
    reader.wait(lambda: reader.all("#points .point"), "no points")
    assert len(reader.all("#points .point")) == 11
    reader.wait(lambda: len(reader.all("#panels .main-svg")) >= 2, "no curves")
    assert "paper: t = 0.7" in reader.find("#panels").text
    reader.find("#tradeoff .legend button").send_keys("\n")
    reader.wait(lambda: len(reader.all("#points .point")) < 11, "the legend does nothing")
    reader.find("#tradeoff .legend button").send_keys("\n")
    reader.js("document.querySelector('#points').emit('plotly_click', {points: [{customdata: 0}]})")
    reader.wait(lambda: reader.find("#run").is_displayed(), "a point opens nothing")
    close_the_run(reader)


def read_in_the_dark_on_a_phone(reader):
    def colour():
        return reader.js("return getComputedStyle(document.documentElement).backgroundColor")

    light = colour()
    reader.screen(390, 844, "dark")
    reader.wait(lambda: colour() != light, "it stays light")
    for number in range(len(reader.all("details"))):
        reader.js("document.querySelectorAll('details')[arguments[0]].open = true", number)
    wide = "return document.documentElement.scrollWidth"
    assert reader.js(wide) == 390
    reader.js("document.querySelector('.card').click()")
    reader.wait(lambda: reader.all("#tell pre"), "no details")
    assert reader.js("return document.querySelector('.inside').scrollWidth") <= 390
    assert reader.js(wide) == 390
