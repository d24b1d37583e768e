"""YAML files that people write, read with the place of a mistake."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from datamodules.support.errors import AtelierError


def read_yaml(path: Path, kind: str) -> Any:
    """The content of a YAML file in which no key occurs twice.

    kind: the file's, as sentences name it: "manifest". Raises AtelierError for any other file.
    """
    try:
        return yaml.load(path.read_text(encoding="utf-8"), Loader=_UniqueKeys)
    except FileNotFoundError as error:
        raise AtelierError(f"There is no {kind} at {path}; check the path") from error
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
        mark = getattr(error, "problem_mark", None)
        reason = getattr(error, "problem", None) or " ".join(str(error).split())
        where = f"{path}, line {mark.line + 1}" if mark else f"{path}"
        raise AtelierError(f"{where}: the {kind} cannot be read ({reason}); mend it") from error


class _UniqueKeys(yaml.SafeLoader):
    """Plain YAML that refuses a key that occurs twice, since one of the two would be lost."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        twice = next((key for number, key in enumerate(keys) if key in keys[:number]), None)
        if twice is not None:
            raise yaml.constructor.ConstructorError(
                "in a mapping",
                node.start_mark,
                f"the key {twice!r} is there twice",
                node.start_mark,
            )
        return super().construct_mapping(node, deep)
