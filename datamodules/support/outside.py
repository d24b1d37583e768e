"""Parts that other packages add to Atelier: names in the entry points of installed packages.

    [project.entry-points."atelier.methods"]
    sketch = "my_package.sketch"              # a module, and sketch.yaml beside it
    [project.entry-points."atelier.metrics"]
    ink = "my_package.ink:Ink"                # a class

Methods and sets are YAML files beside the module that the entry point names; all others are
classes. The entry points are read from the packages' metadata, when a name is not built in or a
list is wanted; nothing of a package is imported for that.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.metadata import EntryPoint, EntryPoints, entry_points
from importlib.util import find_spec
from pathlib import Path

from datamodules.support.errors import AtelierError

KINDS = ("methods", "metrics", "segmenters", "parsers", "generators", "encoders", "sets")
FILES = ("methods", "sets")  # kinds that are YAML files


@dataclass(frozen=True)
class Added:
    """A name that an installed package adds.

    value: "package.module" or "package.module:Class". package: name and version, for people.
    """

    name: str
    value: str
    package: str

    @property
    def class_path(self) -> str:
        """Path of the class, "package.module.Class"; AtelierError if the entry point has none."""
        module, _, name = self.value.replace(" ", "").partition(":")
        if not name:
            raise AtelierError(
                f"The package {self.package} names no class for {self.name}, only {self.value}; "
                f"write {self.value}:CLASS in its entry points"
            )
        return f"{module}.{name}"

    @property
    def file(self) -> Path:
        """The YAML file beside the module; AtelierError if there is none."""
        package, *inner = self.value.partition(":")[0].strip().split(".")
        for place in _places(package):
            path = place.joinpath(*inner)
            path = path.with_name(f"{path.name}.yaml")
            if path.is_file():
                return path
        raise AtelierError(
            f"The package {self.package} has no {'/'.join((package, *inner))}.yaml, which its "
            f"entry point {self.name} stands for; add it beside the module, as package data"
        )


def added(kind: str) -> list[Added]:
    """All names of a kind, one of KINDS, that installed packages add, in order."""
    entries = [_added(entry) for entry in _entries().select(group=f"atelier.{kind}")]
    return sorted(set(entries), key=lambda one: (one.name, one.package))


def find(kind: str, name: str) -> Added | None:
    """The part that a name stands for, None if no package adds it; AtelierError if several do."""
    ours = [entry for entry in added(kind) if entry.name == name]
    if len(ours) > 1:
        raise AtelierError(
            f"{' and '.join(one.package for one in ours)} both add {name} to atelier.{kind}; "
            "remove one of these packages, or give the path of the class or YAML file"
        )
    return ours[0] if ours else None


def names(kind: str) -> list[str]:
    """The names of a kind that installed packages add."""
    return list(dict.fromkeys(entry.name for entry in added(kind)))


@cache
def _entries() -> EntryPoints:
    return entry_points()


def _added(entry: EntryPoint) -> Added:
    package = f"{entry.dist.name} {entry.dist.version}" if entry.dist else "a package"
    return Added(entry.name, entry.value, package)


def _places(package: str) -> list[Path]:
    """Folders of a package, or the path of a single module without its ending."""
    spec = find_spec(package)
    if spec and spec.submodule_search_locations:
        return [Path(place) for place in spec.submodule_search_locations]
    return [Path(spec.origin).with_suffix("")] if spec and spec.origin else []
