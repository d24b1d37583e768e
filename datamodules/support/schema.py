"""Checks of files that people write: a wrong key or value is refused in one sentence.

A file's form is a pydantic model, a subclass of `Schema`. Each field's description is the end of
the sentence that refuses it: "own.yaml, pictures.boat: licence is 3; give a text".
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from datamodules.support.errors import AtelierError
from datamodules.support.suggestions import did_you_mean

LONGEST_VALUE = 80  # characters of a wrong value that a sentence quotes
BY_TYPE = {  # what a field without a description expects, by its JSON type
    "string": "a text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "a mapping",
}

Text = Annotated[str, StringConstraints(pattern=r"\S"), Field(description="a text")]
Seed = Annotated[int, Field(ge=0, description="a whole number, 0 or more")]

Place = Sequence[str | int]  # keys and indices that lead to a value in a file


class Schema(BaseModel):
    """A mapping in a file: no unknown keys, no conversions ("3" is no number), no NaN."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


Model = TypeVar("Model", bound=BaseModel)


def validate(model: type[Model], value: Any, where: str) -> Model:
    """The value as an instance of the model.

    where: file, and line if it has many values, as the sentence begins.
    Raises AtelierError that names the first wrong key, its value, and what is expected.
    """
    try:
        return model.model_validate(value)
    except ValidationError as error:
        errors = error.errors(include_url=False)
        # An unknown key first: it may be the one that is missing, misspelt.
        first = min(errors, key=lambda entry: entry["type"] != "extra_forbidden")
        raise AtelierError(_sentence(first, model, where)) from error


def _sentence(error: Any, model: type[BaseModel], where: str) -> str:
    """One error of pydantic's as a sentence."""
    place, kind = error["loc"], error["type"]
    value = json.dumps(error["input"], default=str, ensure_ascii=False)[:LONGEST_VALUE]
    if place and place[-1] == "[key]":
        return f"{_at(where, place[:-2])}: the key {place[-2]} is no text; put it in quotes"
    if kind == "value_error":  # a check of our own, which has its own words
        return f"{_at(where, place)}: {error['ctx']['error']}"
    if kind == "extra_forbidden":
        keys, key = _keys(model, place[:-1]), str(place[-1])
        hint = did_you_mean(key, keys)
        return f"{_at(where, place[:-1])}: there is no key {key!r}, only {', '.join(keys)}{hint}"
    if kind == "missing":
        give = _expected(model, place)
        return f"{_at(where, place[:-1])}: the key {place[-1]} is missing; give {give}"
    if kind == "model_type" and not (place and _node(model, place).get("description")):
        keys = ", ".join(_keys(model, place))
        return f"{_at(where, place)}: {value} is no mapping; give the keys {keys}"
    parents = max(n for n, part in enumerate(place) if isinstance(part, str))
    name = _dotted(place[parents:])
    return f"{_at(where, place[:parents])}: {name} is {value}; give {_expected(model, place)}"


def _at(where: str, place: Place) -> str:
    return f"{where}, {_dotted(place)}" if place else where


def _dotted(place: Place) -> str:
    """A place as people write it, lists counted from 1: "styles[2].seed"."""
    parts = (f"[{part + 1}]" if isinstance(part, int) else f".{part}" for part in place)
    return "".join(parts).removeprefix(".")


def _keys(model: type[BaseModel], place: Place) -> list[str]:
    """The keys that a mapping at that place can have."""
    return [*_resolved(model, _node(model, place)).get("properties", {})]


def _expected(model: type[BaseModel], place: Place) -> str:
    """The value expected at a place, in words."""
    node = _node(model, place)
    if "description" in node:
        return node["description"]
    node = _resolved(model, node)
    return " or ".join(map(str, node.get("enum", ()))) or BY_TYPE.get(node.get("type"), "another")


def _node(model: type[BaseModel], place: Place) -> dict[str, Any]:
    """The JSON schema of the value at a place; {} for a place that has none."""
    node = model.model_json_schema()
    for part in place:
        node = _resolved(model, node)
        patterns = [*node.get("patternProperties", {}).values()]
        branches = [
            node.get("properties", {}).get(part),
            node.get("items"),
            *patterns,
            node.get("additionalProperties"),
        ]
        node = next((branch for branch in branches if isinstance(branch, dict)), {})
    return node


def _resolved(model: type[BaseModel], node: dict[str, Any]) -> dict[str, Any]:
    """The definition that a JSON schema refers to, or the schema itself."""
    if choices := [choice for choice in node.get("anyOf", ()) if choice.get("type") != "null"]:
        return _resolved(model, choices[0])
    if "$ref" not in node:
        return node
    return model.model_json_schema()["$defs"][node["$ref"].rpartition("/")[2]]
