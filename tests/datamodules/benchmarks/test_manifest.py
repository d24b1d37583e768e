"""Manifests that people write."""

import pytest

from datamodules.support.errors import AtelierError
from tests.support.cli import ROOT
from tests.support.sets import STYLE, boat, load_own


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"title": None}, "own.yaml: the key title is missing; give a text"),
        ({"titel": "x"}, "there is no key 'titel', .*did you mean title"),
        ({"kind": "sound"}, 'kind is "sound"; give pictures or parsing'),
        ({"kind": "parsing"}, "there is no key 'methods'"),
        ({"methods": "soulstyler"}, "methods is .*; give a list of texts"),
        ({"pictures": {}}, "pictures is {}; give a mapping"),
        ({"pictures": {911: {}}}, "pictures: the key 911 is no text; put it in quotes"),
        ({"pictures": {"boat": "boat.png"}}, "pictures.boat: .* is no mapping"),
        ({"pictures": boat(licence=None)}, "pictures.boat: the key licence is missing"),
        (
            {"pictures": boat(sha256={"a.png": "12"})},
            'pictures.boat.sha256: a.png is "12"; give 64 hexadecimal digits',
        ),
        ({"pictures": boat(sha256={})}, "sha256 is {}"),
        ({"pictures": boat(sha256=None)}, "the key sha256 is missing"),
        ({"pictures": boat(objekt="x")}, "did you mean object"),
        ({"styles": []}, r"styles is \[\]; give a list"),
        ({"styles": [STYLE, {"style": "ice"}]}, r"styles\[2\]: the key seed is missing"),
        ({"styles": [{**STYLE, "seed": True}]}, "seed is true; give a whole number"),
        ({"styles": [{**STYLE, "seed": "1"}]}, 'seed is "1"'),
        ({"styles": [{**STYLE, "style": " "}]}, 'style is " "; give a text'),
        ({"published": [1]}, "published is .*; give a mapping"),
        ({"published": {"own": {"rows": {}}}}, "published.own: the key source is missing"),
        (
            {"published": {"own": {"source": "x", "rows": {"a": {"dists": "high"}}}}},
            'published.own.rows.a: dists is "high"; give a number',
        ),
        (
            {"published": {"file": "a.yaml", "own": {"source": "x", "rows": {}}}},
            "published: file excludes other keys; leave own out",
        ),
        ({"methods": ["soulstyler", 3]}, r"methods\[2\] is 3; give a text"),
    ],
)
def test_a_malformed_manifest_says_which_key(tmp_path, own, changes, sentence):
    own(**changes)
    with pytest.raises(AtelierError, match=sentence):
        load_own(tmp_path)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("a: [1", r"own.yaml, line \d: the manifest cannot be read"),
        ("title: a\ntitle: b\n", "line 1: .*the key 'title' is there twice"),
        ("- a", r"own.yaml: \[\"a\"\] is no mapping; give the keys title"),
        ("", "null is no mapping"),
    ],
)
def test_what_is_no_manifest_is_said(tmp_path, own, text, sentence):
    own().write_text(text, encoding="utf-8")
    with pytest.raises(AtelierError, match=sentence):
        load_own(tmp_path)


def test_the_documented_manifest_is_valid(tmp_path, own):
    page = (ROOT / "docs" / "benchmarks.md").read_text(encoding="utf-8")
    own().write_text(page.split("```yaml\n")[1].split("```")[0], encoding="utf-8")
    assert len(load_own(tmp_path).missing) == 1


def test_a_parsing_set_needs_its_file(tmp_path, own):
    own(kind="parsing", methods=None, pictures=None, styles=None, instructions="gone.jsonl")
    with pytest.raises(AtelierError, match=r"instructions is .*; give a JSON-lines file"):
        load_own(tmp_path)
