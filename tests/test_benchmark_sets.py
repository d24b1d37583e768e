"""Benchmark sets: shipped manifests, pictures found by content or name, folders of one's own."""

import hashlib
import json
import logging
import unicodedata
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image

import evaluation
from datamodules.benchmarks.manifest import read_manifest
from datamodules.benchmarks.own_folder import folder_set
from datamodules.benchmarks.sets import list_sets, load_set
from datamodules.images import load_picture
from datamodules.support.errors import AtelierError
from experiments.run.registry import METHODS
from tests.support.cli import ROOT

SETS = {
    "clipstyler",
    "demo",
    "generative_artisan",
    "instructions",
    "sem_cs_double",
    "sem_cs_single",
    "soulstyler",
}
WHOLE = {  # pictures, entries when all pictures are there
    "clipstyler": (6, 42),
    "demo": (3, 6),
    "generative_artisan": (3, 9),
    "sem_cs_double": (5, 10),
    "sem_cs_single": (5, 10),
    "soulstyler": (13, 260),
}
SEEDS = [0, 2, 3, 7, 6, 0, 5, 4, 1, 0, 0, 2, 0, 2, 3, 2, 0, 2, 3, 2]  # of Soulstyler's 20 styles
STYLE = {"style": "fire", "seed": 0}
CASES = ROOT.parent / "shared" / "cases" / "images"


def paint(path, shade=0, size=(40, 36)):
    """A small picture of its own content; returns its sha256."""
    path.parent.mkdir(parents=True, exist_ok=True)
    values = np.full((size[1], size[0], 3), shade, np.uint8)
    Image.fromarray(values).save(path)
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture
def own(tmp_path):
    """Manifests in a folder of the test's; `own(**keys)` writes one with the name "own"."""
    (tmp_path / "manifests").mkdir()

    def write(**changes):
        manifest = {
            "title": "Own",
            "source": "nowhere",
            "methods": ["soulstyler"],
            "pictures": {
                "boat": {
                    "sha256": {"boat.png": "unknown"},
                    "source": "a folder",
                    "licence": "not stated; not shipped",
                    "object": "a boat",
                }
            },
            "styles": [{"style": "fire", "seed": 3}],
        }
        manifest = {k: v for k, v in {**manifest, **changes}.items() if v is not None}
        path = tmp_path / "manifests" / "own.yaml"
        path.write_text(yaml.safe_dump(manifest, sort_keys=False), encoding="utf-8")
        return path

    return write


def load_own(tmp_path, pictures=None):
    return load_set("own", pictures, tmp_path / "manifests")


def boat(**keys):
    """The pictures of a manifest, with the one picture's keys changed."""
    picture = {"sha256": {"boat.png": "unknown"}, "source": "a folder", "licence": "not stated"}
    return {"boat": {k: v for k, v in {**picture, **keys}.items() if v is not None}}


# The shipped manifests


def test_the_sets_are_the_files():
    assert set(list_sets()) == SETS


@pytest.mark.parametrize("name", sorted(SETS))
def test_every_manifest_is_valid_and_names_what_there_is(name):
    loaded = load_set(name)
    assert loaded.name == name
    assert loaded.title
    assert loaded.source
    assert loaded.kind == ("parsing" if name == "instructions" else "pictures")
    assert all((METHODS / f"{method}.yaml").is_file() for method in loaded.methods)
    assert bool(loaded.methods) == (loaded.kind == "pictures")
    published = Path(evaluation.__file__).parent / "published"
    if loaded.published.file:
        assert (published / loaded.published.file).is_file()


@pytest.mark.parametrize("name", sorted(WHOLE))
def test_in_an_empty_folder_only_the_demo_is_whole(tmp_path, name):
    pictures, entries = WHOLE[name]
    for folder in (None, tmp_path):
        loaded = load_set(name, folder)
        if name == "demo":
            assert (len(loaded.entries), loaded.missing) == (entries, {})
            continue
        assert loaded.entries == ()
        assert len(loaded.missing) == pictures
        for picture, sentence in loaded.missing.items():
            assert sentence.startswith(f"{picture} is not ")
            assert "\n" not in sentence
            assert ("--pictures DIR" if folder is None else str(tmp_path)) in sentence


@pytest.mark.parametrize("name", sorted(set(WHOLE) - {"demo"}))
def test_with_all_pictures_a_set_is_whole(tmp_path, monkeypatch, name):
    """Files of the published names, their contents taken for the published ones."""
    manifest = read_manifest(list_sets()[name])
    digests = {}
    for shade, picture in enumerate(manifest.pictures.values()):
        file, digest = next(reversed(picture.sha256.items()))
        path = tmp_path / file
        paint(path, shade)
        digests[path] = digest if digest != "unknown" else f"{shade}"
    monkeypatch.setattr("datamodules.benchmarks.pictures.sha256", digests.__getitem__)
    loaded = load_set(name, tmp_path)
    assert loaded.missing == {}
    assert len(loaded.entries) == WHOLE[name][1]
    assert all(Path(entry.image).is_file() for entry in loaded.entries)
    assert len({(e.picture, *e.settings.values()) for e in loaded.entries}) == WHOLE[name][1]
    if name == "soulstyler":
        assert [e.seed for e in loaded.entries] == SEEDS * 13


def test_demo_entries_can_be_run():
    entries = load_set("demo").entries
    assert entries[0].settings == {"data.object": "cat", "data.style": "fire"}
    assert entries[0].labels == {"picture": "chelsea", "object": "cat", "style": "fire"}
    assert [e.seed for e in entries] == [0, 4] * 3
    assert all(load_picture(e.image).width > 400 for e in entries)


def test_double_text_has_a_background():
    styles = read_manifest(list_sets()["sem_cs_double"]).styles
    assert [(s.style, s.background_style) for s in styles] == [
        ("Red Rocks", "Snowy"),
        ("Pop Art", "Starry Night By Vincent Van Gogh"),
    ]


def test_published_numbers_are_those_of_the_papers():
    single = load_set("sem_cs_single").published.tables["sem_cs_single"]
    assert single.rows["sem_cs"] == {"dists": 0.34, "nima_mean": 5.34, "user_study": 38.4}
    clipstyler = load_set("clipstyler").published.tables["clipstyler"]
    assert clipstyler.rows["clipstyler"]["style_patch"] == 0.2515
    assert "Results" in single.source


def test_the_parsing_set_points_to_its_instructions():
    loaded = load_set("instructions")
    lines = loaded.instructions.read_text(encoding="utf-8").splitlines()
    assert len([json.loads(line) for line in lines]) == 100
    assert (loaded.entries, loaded.missing) == ((), {})


@pytest.mark.skipif(not CASES.is_dir(), reason="the published pictures are not on this machine")
def test_the_published_pictures_have_the_manifests_digests():
    loaded = load_set("soulstyler", CASES)
    assert {e.picture for e in loaded.entries} == {"ship", "1", "house", "Napoleon", "car", "tjl"}
    assert len(loaded.entries) == 120
    assert len(loaded.missing) == 7
    taj = next(e for e in loaded.entries if e.picture == "tjl")
    assert Path(taj.image).name == "taj_mahal.jpeg"


def test_an_unknown_name_is_said_with_the_nearest():
    with pytest.raises(AtelierError, match=r"no benchmark set 'soulstiler'.*mean soulstyler\?"):
        load_set("soulstiler")


# Finding pictures


def test_what_is_not_given_is_neither_set_nor_labelled(tmp_path, own):
    paint(tmp_path / "p" / "boat.png")
    own(pictures=boat(), styles=[{**STYLE, "background_style": "snow"}])
    (entry,) = load_own(tmp_path, tmp_path / "p").entries
    assert entry.settings == {"data.style": "fire", "data.background_style": "snow"}
    assert entry.labels == {"picture": "boat", "style": "fire", "background_style": "snow"}


def test_a_picture_is_found_by_content_whatever_its_name(tmp_path, own):
    digest = paint(tmp_path / "p" / "deep" / "er" / "IMG_1.PNG")
    own(pictures=boat(sha256={"boat.png": digest}))
    (entry,) = load_own(tmp_path, tmp_path / "p").entries
    assert Path(entry.image).name == "IMG_1.PNG"
    assert Path(entry.image).is_absolute()
    assert entry.seed == 3


def test_a_picture_is_found_by_name_whatever_its_extension(tmp_path, own, caplog):
    paint(tmp_path / "p" / "deep" / "Boat.bmp")
    own()
    with caplog.at_level(logging.WARNING):
        (entry,) = load_own(tmp_path, tmp_path / "p").entries
    assert entry.image.endswith("Boat.bmp")
    assert entry.settings == {"data.object": "a boat", "data.style": "fire"}
    assert "names alone" in caplog.text
    assert "boat (Boat.bmp)" in caplog.text


def test_content_goes_before_name(tmp_path, own):
    paint(tmp_path / "p" / "boat.png", 1)  # e.g. a mask beside the picture
    digest = paint(tmp_path / "p" / "z.png", 2)
    own(pictures=boat(sha256={"1.png": "unknown", "boat.png": digest}))
    paint(tmp_path / "p" / "1.png", 3)
    (entry,) = load_own(tmp_path, tmp_path / "p").entries
    assert Path(entry.image).name == "z.png"


def test_wrong_content_is_named_with_both_digests(tmp_path, own):
    digest = paint(tmp_path / "p" / "boat.png")
    own(pictures={**boat(sha256={"boat.png": "f" * 64}), "car": boat()["boat"]})
    paint(tmp_path / "p" / "boat.png")
    loaded = load_own(tmp_path, tmp_path / "p")
    assert set(loaded.missing) == {"boat"}
    assert digest[:12] in loaded.missing["boat"]
    assert "f" * 12 in loaded.missing["boat"]
    assert {entry.picture for entry in loaded.entries} == {"car"}  # the rest goes on


def test_several_files_of_an_unchecked_name_are_not_guessed(tmp_path, own):
    paint(tmp_path / "p" / "a" / "boat.png", 1)
    paint(tmp_path / "p" / "b" / "boat.png", 2)
    own()
    assert "could be any of" in load_own(tmp_path, tmp_path / "p").missing["boat"]
    paint(tmp_path / "p" / "b" / "boat.png", 1)  # twice the same is no question
    assert load_own(tmp_path, tmp_path / "p").missing == {}


def test_an_unchecked_file_that_is_no_picture_is_named(tmp_path, own):
    own()
    (tmp_path / "p").mkdir()
    (tmp_path / "p" / "boat.png").write_text("no picture")
    assert "is not a picture" in load_own(tmp_path, tmp_path / "p").missing["boat"]


def test_a_packaged_picture_that_changed_is_named(tmp_path, own):
    own(pictures=boat(skimage="chelsea", sha256={"chelsea.png": "0" * 64}))
    assert "not with 000000000000" in load_own(tmp_path).missing["boat"]
    own(pictures=boat(skimage="dog", sha256={"dog.png": "0" * 64}))
    assert "is not installed" in load_own(tmp_path).missing["boat"]


def test_a_folder_that_is_none_is_refused(tmp_path):
    with pytest.raises(AtelierError, match=r"There is no folder .*nowhere; give --pictures"):
        load_set("soulstyler", tmp_path / "nowhere")


# Malformed manifests


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


# A folder of one's own


@pytest.fixture
def photos(tmp_path):
    """A folder with two pictures, a text and a folder."""
    paint(tmp_path / "photos" / "car.jpg", 1)
    paint(tmp_path / "photos" / "boat.png", 2)
    paint(tmp_path / "photos" / "deeper" / "hidden.png", 3)
    (tmp_path / "photos" / "notes.txt").write_text("none")
    return tmp_path / "photos"


def listed(tmp_path, *lines, encoding="utf-8"):
    (tmp_path / "list.txt").write_text("\n".join(lines), encoding=encoding)
    return tmp_path / "list.txt"


def pairs(loaded):
    return [(entry.picture, entry.settings["data.instruction"]) for entry in loaded.entries]


def test_every_picture_gets_every_instruction(tmp_path, photos):
    lines = ["# mine", "", "Turn the car to fire", "  Make it look like #ff0000  "]
    loaded = folder_set(photos, listed(tmp_path, *lines, lines[2], encoding="utf-8-sig"))
    assert pairs(loaded) == [
        ("boat", "Turn the car to fire"),
        ("boat", "Make it look like #ff0000"),
        ("car", "Turn the car to fire"),
        ("car", "Make it look like #ff0000"),
    ]
    assert loaded.name == "photos"
    assert loaded.kind == "pictures"
    assert loaded.missing == {}
    assert loaded.entries[0].image == str(photos / "boat.png")
    assert loaded.entries[0].labels == {"picture": "boat", "instruction": "Turn the car to fire"}


def test_a_line_can_name_one_picture(tmp_path, photos):
    lines = ["BOAT.png: Turn the boat to fire", "Pop art: make it so", "plane.jpg: Turn it to gold"]
    loaded = folder_set(photos, listed(tmp_path, *lines))
    assert pairs(loaded) == [
        ("boat", "Turn the boat to fire"),
        ("boat", "Pop art: make it so"),
        ("car", "Pop art: make it so"),
    ]
    assert "has no picture plane.jpg" in loaded.missing["plane.jpg"]


def test_weird_names_are_only_names(tmp_path):
    accent = unicodedata.normalize("NFD", "été.png")  # as macOS writes it
    names = ["a: b.png", "b.png", "b.JPG", " sp ace'\"$.png", "--x.png", "кот.webp", accent]
    for shade, name in enumerate(names):
        paint(tmp_path / "photos" / name, shade)
    lines = ["a: b.png: one", "été.png: two", "b.png: three", "b.JPG: four", "кот.webp: five"]
    loaded = folder_set(tmp_path / "photos", listed(tmp_path, *lines))
    assert loaded.missing == {}
    assert set(pairs(loaded)) == {
        ("a: b", "one"),
        (accent.removesuffix(".png"), "two"),
        ("b.png", "three"),  # its stem is not its own
        ("b.JPG", "four"),
        ("кот", "five"),
    }
    whole = folder_set(tmp_path / "photos", listed(tmp_path, "Turn it to fire"))
    assert len({entry.picture for entry in whole.entries}) == len(names)


def test_pictures_that_cannot_be_read_are_named_and_the_rest_goes_on(tmp_path, photos):
    (photos / "bad.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    (photos / "phone.heic").write_bytes(b"ftypheic")
    (photos / "._car.jpg").write_bytes(b"what a system keeps beside a picture")
    paint(photos / "tiny.png", size=(8, 8))
    (photos / "gone.png").symlink_to(photos / "nowhere.png")
    loaded = folder_set(photos, listed(tmp_path, "Turn it to fire"))
    assert set(loaded.missing) == {"bad", "phone", "tiny"}
    assert "too small" in loaded.missing["tiny"]
    assert [name for name, _ in pairs(loaded)] == ["boat", "car"]
    only = folder_set(photos, listed(tmp_path, "car.jpg: Turn it to fire"))
    assert only.missing == {}  # nothing was asked of the others


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [([], "has no instructions"), (["", "# only this", "  "], "has no instructions")],
)
def test_an_empty_list_is_refused(tmp_path, photos, lines, sentence):
    with pytest.raises(AtelierError, match=sentence):
        folder_set(photos, listed(tmp_path, *lines))


def test_a_list_that_cannot_be_read_is_refused(tmp_path, photos):
    with pytest.raises(AtelierError, match=r"no instructions to read at .*nowhere.txt"):
        folder_set(photos, tmp_path / "nowhere.txt")
    with pytest.raises(AtelierError, match="not a UTF-8 text"):
        folder_set(photos, listed(tmp_path, "Turn it to fire", encoding="utf-16"))
    with pytest.raises(AtelierError, match="no instructions to read"):
        folder_set(photos, tmp_path)


def test_a_folder_without_pictures_is_refused(tmp_path):
    lines = listed(tmp_path, "Turn it to fire")
    (tmp_path / "empty").mkdir()
    with pytest.raises(AtelierError, match="has no pictures"):
        folder_set(tmp_path / "empty", lines)
    with pytest.raises(AtelierError, match="There is no folder"):
        folder_set(tmp_path / "nowhere", lines)
    with pytest.raises(AtelierError, match="There is no folder"):
        folder_set(lines, lines)
