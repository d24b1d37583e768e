"""Files of configs/ by their names: the folder is the registry, the file's stem the name."""

from __future__ import annotations

from pathlib import Path

from datamodules.support.errors import AtelierError
from datamodules.support.suggestions import did_you_mean

METHODS = Path(__file__).parents[2] / "configs" / "methods"
GENERATORS = {
    "painter": "lightning_modules.generators.painter.Painter",
    "stylenet": "lightning_modules.generators.stylenet.StyleNet",
    "pixels": "lightning_modules.generators.pixels.Pixels",
}


def chosen(name: str, folder: Path, kind: str) -> Path:
    """The YAML of a name; AtelierError names the known ones and the nearest."""
    known = {path.stem: path for path in sorted(folder.glob("*.yaml"))}
    if name not in known:
        hint = did_you_mean(name, known)
        raise AtelierError(f"There is no {kind} {name!r}; there are {', '.join(known)}{hint}")
    return known[name]
