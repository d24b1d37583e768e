"""The two caches: in the process, and on the disk."""

import json
import logging
import os
from pathlib import Path

import pytest
import torch

from datamodules.models.cache import TensorFile, cache_dir, identity, on_disk, once_per_process
from datamodules.parsing.language_models import CHECKSUMS, ModelFolder
from datamodules.support.errors import AtelierError


def test_equal_arguments_give_one_object():
    @once_per_process
    def load(name, size=1):
        return [name, size]

    assert load("a") is load("a")
    assert load("a") is not load("b") and load("a") is not load("a", size=2)
    assert load.__wrapped__("a") is not load("a")
    first = load("a")
    load.cache_clear()
    assert load("a") is not first


def test_a_file_that_has_changed_is_read_again(tmp_path):
    read = once_per_process(lambda path: path.read_text() if path.exists() else None)
    file = tmp_path / "x"
    assert read(file) is None
    file.write_text("one")
    assert read(file) == "one"
    file.write_text("two")
    os.utime(file, ns=(1, 1))
    assert read(file) == "two"


def test_the_least_recently_used_value_makes_room():
    computed = []

    @once_per_process(at_most=2)
    def compute(x):
        computed.append(x)
        return x

    for x in (1, 2, 1, 3, 1, 2):
        compute(x)
    assert computed == [1, 2, 3, 2]


class Tensors:
    """Tensors that are computed once; counts how often they were."""

    def __init__(self, folder):
        self.folder, self.times = folder, 0

    @on_disk(
        TensorFile(), lambda self, scale: self.folder / f"x-{identity(scale)[:16]}.safetensors"
    )
    def compute(self, scale):
        self.times += 1
        return {"a": scale * torch.arange(8.0), "b": torch.ones(2, 3).T}


def test_tensors_are_computed_once_per_machine(tmp_path):
    first, later = Tensors(tmp_path), Tensors(tmp_path)
    for computing in (first, later, later):
        assert torch.equal(computing.compute(2.0)["a"], 2 * torch.arange(8.0))
        assert torch.equal(computing.compute(2.0)["b"], torch.ones(3, 2))
    assert (first.times, later.times) == (1, 0)


def test_what_a_value_depends_on_is_in_its_name(tmp_path):
    tensors = Tensors(tmp_path)
    assert not torch.equal(tensors.compute(1.0)["a"], tensors.compute(2.0)["a"])
    assert len([*tmp_path.iterdir()]) == 2
    assert identity("a", [1]) != identity("a", [2]) and len(identity()) == 64


def test_damaged_tensors_are_computed_anew(tmp_path, caplog):
    tensors = Tensors(tmp_path)
    tensors.compute(1.0)
    (path,) = tmp_path.iterdir()
    whole = path.read_bytes()
    flipped = whole[:-1] + bytes([whole[-1] ^ 1])
    renamed = whole.replace(b'"a"', b'"c"')
    for number, damaged in enumerate((flipped, whole[:-4], b"", b"{", renamed), 1):
        path.write_bytes(damaged)
        assert torch.equal(tensors.compute(1.0)["a"], torch.arange(8.0))
        assert (tensors.times, len(caplog.records)) == (number + 1, number)
        assert "damaged" in caplog.records[-1].getMessage()
        assert path.read_bytes() == whole
    assert [*tmp_path.iterdir()] == [path]


def test_tensors_that_cannot_be_written_are_used_all_the_same(tmp_path, caplog):
    (tmp_path / "file").write_text("in the way")
    tensors = Tensors(tmp_path / "file")
    with caplog.at_level(logging.WARNING):
        assert torch.equal(tensors.compute(1.0)["a"], torch.arange(8.0))
    assert "set ATELIER_CACHE" in caplog.text


class Part:
    """A model or a tokenizer, as far as saving goes."""

    def __init__(self, file):
        self.file = file

    def save_pretrained(self, folder):
        folder.mkdir(exist_ok=True)
        (folder / self.file).write_text(f"all of {self.file}")


@pytest.fixture
def convert(tmp_path):
    """A conversion into tmp_path/cache/model, and how often it was made."""
    conversions = []

    @on_disk(ModelFolder(), lambda: tmp_path / "cache" / "model")
    def converted():
        conversions.append(1)
        return Part("model.safetensors"), Part("tokenizer.json")

    return converted, conversions


def test_an_intact_model_folder_is_used_as_it_is(convert, tmp_path):
    converted, conversions = convert
    folder = converted()
    assert converted() == folder == tmp_path / "cache" / "model" and len(conversions) == 1
    assert set(json.loads((folder / CHECKSUMS).read_text())) == {
        "model.safetensors",
        "tokenizer.json",
    }
    assert [*folder.parent.iterdir()] == [folder]


@pytest.mark.parametrize(
    "damage",
    [
        lambda folder: (folder / "model.safetensors").write_text("all of models"),
        lambda folder: (folder / "model.safetensors").unlink(),
        lambda folder: (folder / CHECKSUMS).write_text("[1,"),
        lambda folder: (folder / CHECKSUMS).write_text("[1]"),
        lambda folder: (folder / CHECKSUMS).unlink(),
    ],
)
def test_a_damaged_model_folder_is_made_anew(convert, damage):
    converted, conversions = convert
    damage(converted())
    folder = converted()
    assert len(conversions) == 2
    assert (folder / "model.safetensors").read_text() == "all of model.safetensors"
    assert ModelFolder().read(folder) == folder


def test_a_cache_folder_that_cannot_be_made_is_refused_before_the_work(tmp_path):
    (tmp_path / "file").write_text("in the way")
    conversions = []

    @on_disk(ModelFolder(), lambda: tmp_path / "file" / "model")
    def converted():
        conversions.append(1)

    with pytest.raises(AtelierError, match=r"Cannot write .*file.*; set ATELIER_CACHE"):
        converted()
    assert not conversions


@pytest.mark.parametrize(
    ("atelier", "xdg", "folder"),
    [("/a", "/b", "/a"), ("", "/b", "/b/atelier"), ("", "", str(Path.home() / ".cache/atelier"))],
)
def test_the_cache_folder_is_the_users_choice(monkeypatch, atelier, xdg, folder):
    monkeypatch.setenv("ATELIER_CACHE", atelier)
    monkeypatch.setenv("XDG_CACHE_HOME", xdg)
    assert cache_dir() == Path(folder)
