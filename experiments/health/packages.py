"""Installed packages: those of the core, PyTorch's build, and the extras."""

from __future__ import annotations

import csv
import os
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution, requires
from pathlib import Path

from datamodules.support.extras import EXTRAS, install_command, is_installed
from datamodules.support.versions import SOURCE
from experiments.health.finding import Finding

NEWEST = (3, 14)  # Python for which the pins have been resolved


def python() -> Iterator[Finding]:
    version = ".".join(map(str, sys.version_info[:3]))
    newer = sys.version_info[:2] > NEWEST
    remedy = f"not tried yet; Python 3.11 to 3.{NEWEST[1]} is" if newer else ""
    yield Finding("Python", "absent" if newer else "fine", f"{version}, {sys.executable}", remedy)


def core() -> Iterator[Finding]:
    """PyTorch with its build, then all other packages together, or each one that is not whole."""
    names = core_packages()
    problems = [finding for name in names if (finding := _problem(name))]
    if "torch" not in {finding.name for finding in problems}:
        yield Finding("torch", "fine", f"{distribution('torch').version}, {torch_build()}")
    if problems:
        yield from problems
    else:
        yield Finding("packages", "fine", f"all {len(names)} of the core are whole")


def core_packages() -> list[str]:
    """Names of the packages that Atelier needs, by its source tree or else by its installation."""
    if SOURCE.exists():
        lines = tomllib.loads(SOURCE.read_text(encoding="utf-8"))["project"]["dependencies"]
    else:
        lines = requires("atelier") or []
    return [re.match(r"[\w.-]+", line)[0] for line in lines if "extra ==" not in line]


def _problem(name: str) -> Finding | None:
    try:
        package = distribution(name)
    except PackageNotFoundError:
        return Finding(name, "broken", "is missing", f"pip install {name}")
    if not (lost := lost_files(package)):
        return None
    files = "1 file is" if len(lost) == 1 else f"{len(lost)} files are"
    again = f"pip install --force-reinstall --no-deps {name}=={package.version}"
    return Finding(name, "broken", f"{files} missing or cut, e.g. {lost[0]}", again)


def lost_files(package: Distribution) -> list[str]:
    """Files of an installed package that are not there, or shorter than they were."""
    root, lost = os.fspath(package.locate_file("")), []
    for path, _, size in csv.reader((package.read_text("RECORD") or "").splitlines()):
        if path.endswith(".pyc"):  # Python makes them anew
            continue
        try:
            if os.stat(os.path.join(root, path)).st_size < int(size or 0):  # noqa: PTH116, PTH118
                lost.append(path)
        except OSError:
            lost.append(path)
    return lost


def torch_build() -> str:
    """The device that PyTorch was built for, without importing it."""
    file = Path(distribution("torch").locate_file("torch/version.py"))
    builds = dict(re.findall(r"^(cuda|hip)\b.*= '(.+)'", file.read_text("utf-8"), re.MULTILINE))
    texts = [f"built for {name.upper()} {version}" for name, version in builds.items()]
    return ", ".join(texts) or "built for processors only"


def extras() -> Iterator[Finding]:
    for name, extra in EXTRAS.items():
        versions = [f"{m} {_version(m)}" for m in extra.modules if is_installed(m)]
        lacking = [module for module in extra.modules if not is_installed(module)]
        if lacking:
            here = f"{extra.use} needs {', '.join(lacking)}"
            yield Finding(f"[{name}]", "absent", here, install_command(name))
        else:
            yield Finding(f"[{name}]", "fine", ", ".join(versions))


def _version(module: str) -> str:
    try:
        return distribution(module).version
    except PackageNotFoundError:
        return "of unknown version"
