"""The package `atelier`: a light import with all its names."""

import ast
import subprocess
import sys
import tomllib
from fnmatch import fnmatch

import atelier

from tests.support.cli import ROOT

PLACES = ("", "experiments/python")  # of packages, in the source tree


def test_the_import_brings_no_library_and_takes_a_moment():
    script = (
        "import sys, time; start = time.process_time(); import atelier;"
        "print(time.process_time() - start); print(*sys.modules)"
    )
    path = ":".join(str(ROOT / place) for place in PLACES)
    result = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, env={"PYTHONPATH": path}
    )
    seconds, modules = result.stdout.splitlines()
    assert float(seconds) < 0.1
    assert not {"torch", "numpy", "PIL", "lightning", "yaml"} & set(modules.split())


def test_every_public_name_is_there_for_people_and_for_type_checkers():
    assert set(atelier.__all__) <= set(dir(atelier))
    for name in atelier.__all__:
        assert getattr(atelier, name).__doc__, name
    tree = ast.parse((ROOT / PLACES[1] / "atelier" / "__init__.py").read_text())
    (checked,) = [node for node in tree.body if isinstance(node, ast.If)]
    imported = [a.asname for node in ast.walk(checked) if isinstance(node, ast.ImportFrom)
                for a in node.names]  # fmt: skip
    assert sorted(imported) == sorted(atelier.__all__)


def test_an_unknown_name_is_an_attribute_error():
    assert not hasattr(atelier, "stylise")


def test_the_package_is_installed_once_under_its_own_name():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    find = settings["packages"]["find"]
    assert "experiments/python" in find["where"]
    assert any(fnmatch("experiments.python.atelier", pattern) for pattern in find["exclude"])
