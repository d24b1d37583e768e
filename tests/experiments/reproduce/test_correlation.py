"""The study of what encoders know of style, on an untrained CLIP of the real format."""

import csv
import html
import json
import re
from dataclasses import replace

import pytest

from datamodules.support.errors import AtelierError
from experiments.correlation import maps
from experiments.correlation.pictures import photo
from experiments.reproduce import base, correlation
from lightning_modules.generators.painter_styles import catalogue

pytestmark = pytest.mark.usefixtures("no_network")
SIGLIP = "ViT-B-16-SigLIP/webli"


@pytest.fixture
def results(tmp_path, monkeypatch):
    monkeypatch.setattr(base, "RESULTS", tmp_path / "results")
    monkeypatch.setattr(maps, "SEEDS", (0,))  # this and the next line for time
    monkeypatch.setattr(maps, "INNER", 2)
    return tmp_path / "results"


def test_a_clip_checkpoint_gives_every_table_and_missing_weights_a_reason(
    tiny_clip, results, tmp_path, capsys
):
    clip = f"tiny-clip/{tiny_clip[0]}"
    styles = [replace(style, words=style.words[:1]) for style in catalogue()[0][20:32]]
    photos = [photo("chelsea", 64), photo("coffee", 64)]
    correlation.write(*correlation.measure([clip, SIGLIP], styles, photos))

    measured, absent = correlation.read(results / "correlation.csv")
    assert (measured["encoder"], absent["encoder"]) == (clip, SIGLIP)
    assert 0 <= float(measured["AUC ↑"]) <= 1
    assert absent["AUC ↑"] == measured["not measured"] == ""
    assert "webli are not on this machine" in absent["not measured"]
    assert "atelier weights fetch open_clip:ViT-B-16-SigLIP/webli" in capsys.readouterr().err
    rows = {
        name: correlation.read(results / "correlation" / f"{name}.csv")
        for name in correlation.TABLES
    }
    assert {name: len(each) for name, each in rows.items()} == {
        "recognition": 8, "explanation": 6, "new_styles": 10, "strength": 4, "styles": 12
    }  # fmt: skip

    page = correlation.draw(tmp_path / "page")
    assert (page.parent / "plotly.min.js").stat().st_size > 1e6
    text = page.read_text(encoding="utf-8")
    assert "http" not in text  # nothing is loaded from elsewhere
    figures = json.loads(re.search(r"const figures = (.*);\n", text)[1])
    assert {*re.findall(r'data-figure="([^"]+)"', html.unescape(text))} == figures.keys()
    assert "webli are not on this machine" in text


def test_without_any_encoder_the_tables_stay_as_they_are(results):
    with pytest.raises(AtelierError, match="left as they are"):
        correlation.write(*correlation.measure([SIGLIP, "bridge-lite9"], [], []))
    assert not results.exists()


def test_committed_tables_have_the_rows_that_the_summary_is_from():
    first = correlation.read(base.RESULTS / "correlation.csv")[0]
    for name in correlation.TABLES:
        with (base.RESULTS / "correlation" / f"{name}.csv").open(encoding="utf-8") as stream:
            assert next(csv.DictReader(stream))["encoder"] == first["encoder"]
