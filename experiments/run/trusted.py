"""Configurations from strangers: values, and classes that come with Atelier, nothing else.

Building a configuration imports the classes in it, and weights of a name may be fetched. So each
text in one that came with a picture must be a class of ours, a value that our own files give, or a
plain word, before anything is built.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Mapping
from typing import Any

from datamodules.models.cache import once_per_process
from datamodules.recipes import texts
from datamodules.support.errors import AtelierError
from datamodules.support.yaml_files import read_yaml
from experiments.run.arguments import is_class
from experiments.run.registry import METHODS, MODELS, PARSERS
from experiments.run.schema import Leaf, leaves
from experiments.run.sources import OURS
from experiments.run.values import is_simple

# People's own words, which stay texts.
WORDS = (
    *("data.instruction", "data.object", "data.style", "data.background_style", "data.targets"),
    *("data.exceptions", "data.source_text", "data.mask_value", "interpolation.to"),
)
OPTIMIZERS = re.compile(r"torch\.optim\.(lr_scheduler\.)?[A-Z]\w*")
WORD, NUMBERED = re.compile(r"[\w +-]*"), re.compile(r"[\w +-]+(\.[\w +-]+)*")


def refuse_untrusted(config: Mapping[str, Any], source: str, files: Container[str] = ()) -> None:
    """AtelierError unless a configuration holds nothing but values and classes of Atelier's.

    source: of the configuration, for the sentence. files: settings whose values are replaced.
    """
    free = {name for name, _ in texts(config) if name in files or _is_of_words(name)}
    _refuse_classes(config, source, free)
    parser = config["data"].get("parser")
    if parser is not None and _class_of(parser) not in map(_class_of, PARSERS.values()):
        raise AtelierError(
            f"The sentence of {source} was read by a parser that no recipe may choose; give it, "
            "or another one, with --parser"
        )
    for leaf in leaves(config):
        _ = leaf.checked
        for _, text in () if leaf.name in free else texts(leaf.value):
            if not _is_harmless(text, leaf):
                raise AtelierError(
                    f"The recipe in {source} has {text[:80]!r} for {leaf.name}, which is neither a "
                    f"plain word nor a value of Atelier's own; give it with --{leaf.name}"
                )


def _refuse_classes(config: Mapping[str, Any], source: str, free: Container[str]) -> None:
    """AtelierError for a class that is not of Atelier's, or that is not written as one.

    free: settings whose texts nobody takes for a class.
    """
    for part in filter(lambda node: "class_path" in node, _mappings(config)):
        path, values = part["class_path"], part.get("init_args", {})
        whole = isinstance(path, str) and isinstance(values, Mapping)
        if not whole or not part.keys() <= {"class_path", "init_args"}:
            raise AtelierError(f"The recipe in {source} is damaged at {str(path)[:80]}")
    for name, text in texts(config):
        is_path = name.endswith("class_path") or (name not in free and is_class(text))
        if is_path and not is_built_in(text):
            raise AtelierError(
                f"The recipe in {source} names the class {text}, which does not come with Atelier; "
                "give --config with the run's config.yaml if you trust it"
            )


def is_built_in(path: str) -> bool:
    """Whether a path is that of a class of Atelier's, or of an optimizer of PyTorch's."""
    ours = path.split(".")[0] in OURS and is_class(path)
    return ours or OPTIMIZERS.fullmatch(path) is not None


def _class_of(part: Any) -> Any:
    return part.get("class_path") if isinstance(part, Mapping) else part


def _mappings(node: Any) -> Iterator[Mapping[str, Any]]:
    below = node.values() if isinstance(node, Mapping) else node if isinstance(node, list) else ()
    if isinstance(node, Mapping):
        yield node
    for value in below:
        yield from _mappings(value)


def _is_of_words(name: str) -> bool:
    return any(name == own or name.startswith(f"{own}.") for own in WORDS)


def _is_harmless(text: str, leaf: Leaf) -> bool:
    """Whether a text can neither import a module, nor name a file elsewhere or a repository."""
    if WORD.fullmatch(text) or is_built_in(text):
        return True
    if text in _own_texts() or (leaf.argument and text == leaf.argument.default):
        return True
    return is_simple(leaf.argument) and NUMBERED.fullmatch(text) is not None


@once_per_process
def _own_texts() -> frozenset[str]:
    """All texts in the configurations that come with Atelier."""
    files = [*METHODS.rglob("*.yaml"), *MODELS.rglob("*.yaml")]
    return frozenset(text for file in files for _, text in texts(read_yaml(file, "file")))
