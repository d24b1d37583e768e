"""Encoders, generators and sets under names that an installed package adds."""

import pytest
import yaml
from PIL import Image

from datamodules.support import outside
from datamodules.support.errors import AtelierError
from experiments.run.configuration import compose, with_settings
from experiments.run.own_code import forget
from tests.support.cli import assert_refused

ENTRIES = """
[atelier.encoders]
tiny = tests.support.tiny:TinyEncoder
[atelier.generators]
small = tests.support.training:TinyOnePass
[atelier.sets]
walk = gallery.walk
"""
SET = {
    "title": "A walk",
    "source": "me",
    "methods": ["gatys"],
    "pictures": {"a": {"sha256": {"a.png": "unknown"}, "source": "me", "licence": "mine"}},
    "styles": [{"style": "fire", "seed": 0}],
}


@pytest.fixture
def install(tmp_path, monkeypatch):
    """A function that installs a package of a name with these entry points into a new folder."""

    def package(name):
        about = tmp_path / "site" / f"{name}-1.0.dist-info"
        about.mkdir(parents=True)
        (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        (about / "entry_points.txt").write_text(ENTRIES)
        outside._entries.cache_clear()

    monkeypatch.syspath_prepend(tmp_path / "site")
    yield package
    monkeypatch.undo()
    outside._entries.cache_clear()
    forget()


def test_encoders_and_generators_are_settings_by_their_names(cli, install):
    install("gallery")
    config = with_settings(compose("gatys"), {"model.encoder": "tiny", "model.generator": "small"})
    parts = config["model"]["init_args"]
    assert parts["encoder"]["class_path"] == "tests.support.tiny.TinyEncoder"
    assert parts["generator"]["class_path"] == "tests.support.training.TinyOnePass"
    for kind, name in (("encoders", "tiny"), ("generators", "small"), ("sets", "walk")):
        (line,) = [row for row in cli("list", kind).stdout.splitlines() if "gallery 1.0" in row]
        assert line.split()[0] == name
    with pytest.raises(AtelierError, match=r"no encoder 'tinny'.* did you mean tiny"):
        with_settings(compose("gatys"), {"model.encoder": "tinny"})


def test_a_set_is_the_file_beside_the_module_of_its_entry_point(cli, install, tmp_path):
    install("gallery")
    assert_refused(cli("bench", "walk", "--dry-run"), "gallery 1.0 has no gallery/walk.yaml")
    package = tmp_path / "site" / "gallery"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "walk.yaml").write_text(yaml.safe_dump(SET))
    Image.new("RGB", (64, 64), "green").save(package / "a.png")
    forget()
    result = cli("bench", "walk", "--dry-run")
    assert result.returncode == 0, result.stderr
    assert "picture a" in result.stdout and "1 runs" in result.stdout


def test_a_name_that_two_packages_add_is_refused(install):
    for name in ("gallery", "museum"):
        install(name)
    with pytest.raises(AtelierError, match=r"gallery 1.0 and museum 1.0 both add tiny to atelier"):
        outside.find("encoders", "tiny")
