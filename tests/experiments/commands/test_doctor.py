"""`atelier doctor`, on this machine and in environments with missing and damaged files."""

import json
import os
import shutil
import sys
from importlib.metadata import distribution

import pytest

from datamodules.models import packaged
from datamodules.models.packaged import EMBEDDED, MULTISTYLE, locate
from datamodules.support.extras import EXTRAS
from experiments.health.packages import lost_files
from tests.support.cli import process
from tests.support.hidden import python_without

ALONE = "from experiments.cli import main\nsys.exit(main(['doctor', '--json']))"


def by_name(result):
    return {row["name"]: row for row in json.loads(result.stdout)}


def test_a_whole_machine_is_one_screen(cli):
    result = cli("doctor")
    assert result.returncode == 0, result.stderr
    assert not result.stderr
    lines = result.stdout.splitlines()
    assert len(lines) < 40
    for name in ("Python", "torch", "embedded models", "memory", "cache", "W&B key", "Chromium"):
        assert any(f" {name} " in line for line in lines), name
    assert "BROKEN" not in result.stdout


def test_it_imports_nothing_that_takes_long(tmp_path):
    code = "from experiments.cli import main\nmain(['doctor', '--json'])\nprint(*sys.modules)"
    modules = python_without((), code, tmp_path).stdout.splitlines()[-1].split()
    assert not {"torch", "numpy", "ray", "wandb", "transformers", "lightning"} & set(modules)


def test_every_extra_that_is_missing_comes_with_its_command(cli, monkeypatch):
    for extra in EXTRAS.values():
        monkeypatch.setitem(sys.modules, extra.modules[0], None)
    result = cli("doctor", "--json")
    assert result.returncode == 0  # the core works
    for name, extra in EXTRAS.items():
        row = by_name(result)[f"[{name}]"]
        assert (row["state"], row["remedy"]) == ("absent", f"pip install 'atelier[{name}]'")
        assert extra.modules[0] in row["here"]


def test_without_torch_it_says_so_in_one_sentence(tmp_path):
    result = python_without(["torch", "rich", "rembg"], ALONE, tmp_path)
    assert result.returncode == 2
    assert by_name(result)["torch"]["remedy"] == "pip install torch"
    assert by_name(result)["rich"]["state"] == "broken"
    assert "rembg/u2netp.onnx is missing" in by_name(result)["embedded model"]["here"]
    assert (
        result.stderr
        == "atelier: rich: is missing, and 2 more in the table; run: pip install rich\n"
    )
    plain = python_without(["torch", "rich"], ALONE.replace(", '--json'", ""), tmp_path)
    assert "BROKEN\ttorch\tis missing\tpip install torch" in plain.stdout.splitlines()


def test_files_of_a_package_that_are_gone_or_cut_are_noticed(tmp_path, monkeypatch):
    _copy("filelock", tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    assert not lost_files(distribution("filelock"))
    (tmp_path / "filelock" / "_api.py").write_text("cut")
    (tmp_path / "filelock" / "_error.py").unlink()
    result = process(
        "doctor", "--json", cwd=tmp_path, PYTHONPATH=os.pathsep.join([str(tmp_path), *sys.path])
    )
    assert result.returncode == 2
    row = by_name(result)["filelock"]
    assert row["state"] == "broken"
    assert row["here"] == "2 files are missing or cut, e.g. filelock/_api.py"
    assert "--force-reinstall --no-deps filelock==" in row["remedy"]


def _copy(name, folder):
    """Copy the files of an installed package into another folder."""
    package = distribution(name)
    for file in package.files:
        if ".." not in file.parts and package.locate_file(file).exists():
            target = folder / file
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(package.locate_file(file), target)


@pytest.mark.parametrize("damage", ["missing", "altered"])
def test_an_embedded_file_is_checked_by_its_sum(damage, tmp_path, cli, monkeypatch):
    copy = tmp_path / MULTISTYLE.package
    shutil.copytree(locate(MULTISTYLE).parents[1], copy)
    monkeypatch.syspath_prepend(tmp_path)
    locate.cache_clear()
    file = copy / MULTISTYLE.path
    file.unlink() if damage == "missing" else file.write_bytes(file.read_bytes()[:-1])
    try:
        result = cli("doctor", "--json")
    finally:
        locate.cache_clear()
    assert result.returncode == 2
    row = by_name(result)["embedded model"]
    assert "multistyle26.onnx" in row["here"]
    assert row["remedy"].endswith("-r requirements/embedded.txt")
    assert result.stderr.count("\n") == 1


def test_folders_that_cannot_be_written_name_the_variable_that_moves_them(tmp_path, cli):
    (tmp_path / "file").touch()
    unwritable = str(tmp_path / "file" / "below")
    rows = by_name(cli("doctor", "--json", ATELIER_CACHE=unwritable, TORCH_HOME=unwritable))
    assert rows["cache"]["state"] == rows["weights of torch"]["state"] == "absent"
    assert "ATELIER_CACHE" in rows["cache"]["remedy"]
    assert "TORCH_HOME" in rows["weights of torch"]["remedy"]


def test_a_key_is_found_but_never_shown(cli, tmp_path):
    (tmp_path / ".netrc").write_text("machine api.wandb.ai login user password planted-123\n")
    result = cli("doctor", "--json", HOME=str(tmp_path), WANDB_BASE_URL="")
    assert by_name(result)["W&B key"]["state"] == "fine"
    assert "planted" not in result.stdout
    other = cli("doctor", "--json", HOME=str(tmp_path), WANDB_BASE_URL="https://wandb.example")
    assert by_name(other)["W&B key"]["remedy"] == "wandb login"


def test_the_papers_weights_are_listed_by_method(cli, no_network):
    rows = by_name(cli("doctor", "--papers", "--json"))
    row = rows["papers' sem_cs"]
    assert row["here"].startswith("0 of 3; missing: open_clip:ViT-B-32-quickgelu/openai")
    assert row["remedy"] == "atelier weights fetch --method sem_cs"


def test_all_embedded_files_are_in_the_list():
    files = {value for value in vars(packaged).values() if isinstance(value, packaged.EmbeddedFile)}
    assert files == set(EMBEDDED)
