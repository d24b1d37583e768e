"""Shipped sets, and pictures by content or name."""

import json
import logging
from pathlib import Path

import pytest

import evaluation
from datamodules.benchmarks.manifest import read_manifest
from datamodules.benchmarks.sets import list_sets, load_set
from datamodules.images import load_picture
from datamodules.support.errors import AtelierError
from experiments.run.registry import METHODS
from tests.support.cli import ROOT
from tests.support.sets import STYLE, boat, load_own, paint

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


CASES = ROOT.parent / "shared" / "cases" / "images"


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
