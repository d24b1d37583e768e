"""Runs by the recipe in a picture: the same bytes, other photos, and recipes of strangers."""

import json
import shutil
import sys
from contextlib import suppress
from copy import deepcopy

import atelier
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from datamodules.images import save_png
from datamodules.reading.opening import resolve
from datamodules.recipes import read_recipe
from datamodules.run_folder import ENHANCED, FULL, OUTPUT
from datamodules.support.errors import AtelierError
from experiments.run.from_picture import from_picture
from experiments.run.trusted import WORDS, refuse_untrusted
from tests.support.cli import assert_refused

PHOTO = "my cat (1).png"


@pytest.fixture(scope="module")
def made(tmp_path_factory, mask):
    """A folder with a photo, its mask, and the folder `run` of a run on both."""
    folder = tmp_path_factory.mktemp("made")
    Image.open(resolve("skimage:chelsea")).save(folder / PHOTO)
    shutil.copy(mask, folder / "mask.png")
    settings = {"model.patches.count": 2, "run.keep_every": 0}
    options = {"object": "cat", "style": "fire", "mask": str(folder / "mask.png")}
    atelier.stylize(
        folder / PHOTO,
        **options,
        size=64,
        full_size=80,
        steps=2,
        seed=3,
        out=folder / "run",
        settings=settings,
    )
    return folder


@pytest.fixture
def beside(made, tmp_path):
    """A folder with the picture, and the photo and the mask beside it."""
    for name in (PHOTO, "mask.png", f"run/{OUTPUT}"):
        shutil.copy(made / name, tmp_path)
    return tmp_path


def changed(folder, change, name="changed.png"):
    """A picture with the recipe of another one, changed."""
    with Image.open(folder / OUTPUT) as picture:
        recipe = json.loads(picture.info["atelier"])
    change(recipe)
    save_png(Image.new("RGB", (8, 8)), folder / name, json.dumps(recipe))
    return str(folder / name)


def test_the_recipe_repeats_all_pictures_byte_for_byte(made, cli, tmp_path):
    done = cli("stylize", "--from", made / "run" / FULL, "--out", "again", "--no-wandb", cwd=made)
    assert done.returncode == 0, done.stderr
    for name in (OUTPUT, FULL, ENHANCED):
        assert (made / "again" / name).read_bytes() == (made / "run" / name).read_bytes(), name
        assert Image.open(made / "run" / name).info["atelier"]
    assert "atelier" not in Image.open(made / "run" / "mask.png").info


def test_the_recipe_names_no_folder_and_nothing_of_the_machine(made):
    recipe = read_recipe(str(made / "run" / OUTPUT))
    assert str(made) not in json.dumps(recipe.config) + json.dumps(recipe.files)
    assert recipe.config.keys() == {"seed_everything", "model", "data", "trainer"}
    assert recipe.config["data"]["full_size"] == 80
    assert [entry["name"] for entry in recipe.files["data.image"]] == [PHOTO]


def test_another_photo_and_other_options_go_over_the_recipe(beside):
    Image.open(resolve("skimage:coffee")).save(beside / "cup.png")
    picture = beside / OUTPUT
    with pytest.raises(AtelierError, match=r"mask .* belongs to its own photo; .* --mask"):
        atelier.stylize(beside / "cup.png", recipe=picture)
    over = {"mask": beside / "mask.png", "style": "ice", "full_size": 0, "steps": 1}
    Image.open(beside / "mask.png").resize((600, 400)).save(beside / "mask.png")
    with pytest.warns(atelier.AtelierWarning) as warned:
        result = atelier.stylize(beside / "cup.png", recipe=picture, out=beside / "other", **over)
    said = " ".join(str(one.message) for one in warned)
    assert f"cup.png is another one than the recipe's, {PHOTO}" in said
    assert "mask.png is another one than the recipe's, mask.png" in said
    assert (result.targets[0].object, result.targets[0].style) == ("cat", "ice")
    assert result.record.steps == 1 and result.record.seed == 3


def test_files_are_found_by_their_content(beside, monkeypatch):
    picture = str(beside / OUTPUT)
    files = from_picture(picture, {})[1]
    assert files["data.image"] == str(beside / PHOTO)
    assert files["data.mask"] == [str(beside / "mask.png")]
    (beside / "mask.png").write_bytes(b"another")
    with pytest.raises(AtelierError, match=r"mask.png is another file by now; give --mask"):
        from_picture(picture, {})
    (beside / PHOTO).unlink()
    with pytest.raises(AtelierError, match=r"neither in the current folder nor beside"):
        from_picture(picture, {})
    monkeypatch.chdir(beside)
    packaged = {"name": "skimage:chelsea", "sha256": read_recipe(picture).files["data.image"]}
    packaged["sha256"] = (
        __import__("hashlib").sha256(resolve("skimage:chelsea").read_bytes()).hexdigest()
    )

    def change(recipe):
        recipe["files"] = {"data.image": [packaged]}
        recipe["config"]["data"].update(mask="", image="skimage:chelsea")

    assert from_picture(changed(beside, change), {})[1] == {"data.image": "skimage:chelsea"}


def test_a_new_sentence_takes_the_place_of_the_old_request(beside):
    config, _ = from_picture(str(beside / OUTPUT), {"data.instruction": "Turn the cat to ice"})
    assert not {"object", "style", "targets"} & config["data"].keys()


def write(folder, name, content):
    (folder / name).write_bytes(content)
    return folder / name


def jpeg(folder):
    Image.open(folder / OUTPUT).save(folder / "a.jpg")
    return folder / "a.jpg"


def saved_again(folder):
    Image.open(folder / OUTPUT).save(folder / "a.png")
    return folder / "a.png"


def with_text(folder, text, compressed=False):
    chunks = PngInfo()
    chunks.add_itxt("atelier", text, zip=compressed)
    Image.new("RGB", (8, 8)).save(folder / "a.png", pnginfo=chunks)
    return folder / "a.png"


@pytest.mark.parametrize(
    ("picture", "sentence"),
    [
        (lambda f: f / "none.png", "There is no picture at"),
        (jpeg, "has no recipe"),
        (saved_again, "has no recipe"),
        (lambda f: write(f, "a.png", b"no picture at all"), "is not a picture"),
        (lambda f: write(f, "a.png", (f / OUTPUT).read_bytes()[:-3000]), "cannot be read"),
        (lambda f: with_text(f, "{"), "is damaged"),
        (lambda f: with_text(f, "[" * 100_000), "is damaged"),
        (lambda f: with_text(f, '{"format": 1}'), "is damaged"),
        (lambda f: with_text(f, '{"format": 2}'), "update Atelier"),
        (lambda f: with_text(f, " " * 2_000_000), "is damaged"),
        (lambda f: with_text(f, " " * 2_000_000, compressed=True), "cannot be read"),
    ],
)
def test_a_picture_without_a_whole_recipe_is_refused(beside, cli, picture, sentence):
    assert_refused(cli("stylize", "--from", picture(beside)), sentence)


def places(node, path=()):
    """The places of all values in a configuration."""
    for key, value in node.items() if isinstance(node, dict) else enumerate(node):
        yield (*path, key)
        if isinstance(value, dict | list):
            yield from places(value, (*path, key))


def replaced(config, place, value):
    config = deepcopy(config)
    node = config
    for key in place[:-1]:
        node = node[key]
    node[place[-1]] = value
    return config


TRAP = {"class_path": "trap.Trap"}


def test_no_value_in_a_recipe_imports_a_module_or_names_a_file_or_a_repository(
    made, tmp_path, monkeypatch
):
    from experiments.run.lightning_cli import AtelierCLI

    (tmp_path / "trap.py").write_text("class Trap: pass\n")
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    recipe = read_recipe(str(made / "run" / OUTPUT))
    values = ("trap.Trap", TRAP, [TRAP], json.dumps(TRAP), "../x/y", "hf:stranger/model")
    free = []  # what is not refused
    for place in [place for place in places(recipe.config) if len(place) > 1]:
        for value in values:
            with suppress(AtelierError):
                config = replaced(recipe.config, place, value)
                refuse_untrusted(config, "a.png", recipe.files)
                free.append(place)
    words = {("data", name.partition(".")[2]) for name in WORDS if name.startswith("data.")}
    files = {("data", name) for name in ("image", "style_image", "mask")} | {("data", "mask", 0)}
    assert {*free} <= words | files
    targets = [{"object": "cat", "style": json.dumps(TRAP)}]
    for place, value in ((("data", "targets"), targets), (("data", "style"), json.dumps(TRAP))):
        with suppress(AtelierError):
            AtelierCLI.refuse_wrong(replaced(recipe.config, place, value))
    assert "trap" not in sys.modules


def test_a_recipe_of_ones_own_class_or_parser_is_refused_with_the_way_out(beside):
    def own_class(recipe):
        recipe["config"]["model"]["class_path"] = "tests.support.tiny.TinyEncoder"

    with pytest.raises(AtelierError, match=r"names the class tests\.support\.tiny.* --config"):
        from_picture(changed(beside, own_class), {})

    def asks_a_server(recipe):
        recipe["config"]["data"]["parser"] = {
            "class_path": "datamodules.parsing.api.APIParser",
            "init_args": {"model": "m"},
        }

    picture = changed(beside, asks_a_server)
    with pytest.raises(AtelierError, match="with --parser"):
        from_picture(picture, {})
    assert "parser" not in from_picture(picture, {"data.parser": "rules"})[0]["data"]


def test_a_recipe_comes_alone(beside, cli):
    done = cli("stylize", "--from", beside / OUTPUT, "--method", "clipstyler")
    assert_refused(done, "leave --method, --models, --config and --onnx out")
