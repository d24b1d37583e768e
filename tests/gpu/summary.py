"""Short table of the figures in a folder: python -m tests.gpu.summary FOLDER."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any


def main() -> None:
    folder = Path(sys.argv[1])
    for path in sorted(folder.glob("*.json")):
        try:
            figures = json.loads(path.read_text(encoding="utf-8"))
        except json.JSONDecodeError:
            print(f"\n{path.name}: no figures")
            continue
        print(f"\n{path.name}: {figures['device']}, torch {figures['torch']}, {figures['date']}")
        for name, value in rows(figures):
            print(f"  {name:64} {value}")
    if (tests := folder / "tests.txt").exists():
        print("", *tests.read_text(encoding="utf-8").splitlines()[-8:], sep="\n")


def rows(figures: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Names and values of all times, bytes and ratios, nested ones with their path."""
    for name, value in figures.items():
        path = f"{prefix} / {name}" if prefix else name
        if isinstance(value, Mapping):
            yield from rows(value, path)
        elif name == "error":
            yield path, value
        elif name.endswith("bytes"):
            yield path, f"{value / 1e9:.2f} GB"
        elif isinstance(value, float):
            yield path, f"{value:.4g}"


if __name__ == "__main__":
    main()
