"""Targets as JSON: {"object": ..., "style": ..., "weight": ..., "except": [...]}.

The weight is left out where it is 1, "except" where it is empty. `atelier parse`, parse.json, the
answers of parsers behind endpoints, sets of instructions and settings share this form.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from datamodules.task import StyleTarget


def entry_of(target: StyleTarget) -> dict[str, Any]:
    """The JSON object of a target."""
    entry: dict[str, Any] = {"object": target.object, "style": target.style}
    if target.weight != 1:
        entry["weight"] = target.weight
    if target.exceptions:
        entry["except"] = list(target.exceptions)
    return entry


def target_of(entry: Any) -> StyleTarget:
    """The target of a JSON object, whose other keys are ignored.

    Raises ValueError, whose words go after "there is", for what is none.
    """
    if not (isinstance(entry, Mapping) and {"object", "style"} <= entry.keys()):
        raise ValueError("a target without object and style")
    for field in ("object", "style"):
        if not isinstance(entry[field], str):
            raise ValueError(f"a target whose {field} is no text")
    weight, exceptions = entry.get("weight", 1), entry.get("except", [])
    if type(weight) not in (int, float) or not 0 <= weight <= sys.float_info.max:
        raise ValueError("a target whose weight is no number of 0 or more")
    if not (isinstance(exceptions, list) and all(_is_phrase(phrase) for phrase in exceptions)):
        raise ValueError("a target whose except is no list of phrases")
    return StyleTarget(entry["object"], entry["style"], float(weight), tuple(exceptions))


def _is_phrase(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())
