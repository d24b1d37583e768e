"""Values from Python as the options of the command line have them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from datamodules.reading.in_memory import file_of

PICTURES = {"image": "picture", "style_image": "style"}  # options, and names of their files


def as_files(options: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """Options whose pictures and masks are files, written below a folder where they are in memory.

    Further values become those of a configuration: paths texts, targets JSON, sequences lists.
    """
    values = {name: _plain(value) for name, value in options.items()}
    for option, name in PICTURES.items():
        if options.get(option) is not None:
            values[option] = file_of(options[option], folder, name)
    if (masks := options.get("mask")) is not None:
        each = masks if isinstance(masks, list | tuple) else [masks]
        values["mask"] = [file_of(mask, folder, "mask") for mask in each]
    return values


def _plain(value: Any) -> Any:
    from datamodules.target_entries import entry_of
    from datamodules.task import StyleTarget

    if isinstance(value, Path):
        return str(value)
    if isinstance(value, StyleTarget):
        return entry_of(value)
    if isinstance(value, Mapping):
        return dict(value)
    return [_plain(one) for one in value] if isinstance(value, list | tuple) else value
