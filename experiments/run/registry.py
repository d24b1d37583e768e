"""Short names of methods, models, generators, parsers, segmenters and metrics, in all commands.

Methods, presets of models, sweeps and sets of metrics are files of configs/: the folder is the
registry, the stem of a file its name. Generators, parsers and segmenters are classes with
arguments; `PARTS` has the settings that take their names.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from functools import partial
from pathlib import Path
from pkgutil import resolve_name
from typing import Any

import yaml

from datamodules.support.errors import AtelierError
from datamodules.support.suggestions import did_you_mean

CONFIGS = Path(__file__).parents[2] / "configs"
METHODS, MODELS, TRAINING, SWEEPS, METRICS = (
    CONFIGS / folder for folder in ("methods", "models", "training", "sweeps", "evaluation")
)

Part = dict[str, Any]  # a class as configurations have it: {"class_path": ..., "init_args": {...}}


def _class(path: str, **arguments: Any) -> Part:
    return {"class_path": path} | ({"init_args": arguments} if arguments else {})


GENERATORS = {
    "painter": _class("lightning_modules.generators.painter.Painter"),
    "stylenet": _class("lightning_modules.generators.stylenet.StyleNet"),
    "small_unet": _class("lightning_modules.generators.small_unet.SmallUNet"),
    "pixels": _class("lightning_modules.generators.pixels.Pixels"),
    "onnx": _class("lightning_modules.generators.onnx_painter.OnnxPainter"),
}

SPECTRAL = "datamodules.segmentation.spectral.SpectralSegmenter"
SEGMENTERS = {
    "bridge": _class("datamodules.segmentation.bridge.BridgeSegmenter"),
    "spectral": _class(SPECTRAL),
    "dino": _class(SPECTRAL, features=_class("datamodules.segmentation.features.dino.DINODense")),
    "clipseg": _class("datamodules.segmentation.clipseg.CLIPSegSegmenter"),
    "sam3": _class("datamodules.segmentation.sam3.SAM3Segmenter"),
    "grounded": _class("datamodules.segmentation.grounded.GroundedSegmenter"),
    "cris": _class("datamodules.segmentation.cris.segmenter.CRISSegmenter"),
    "fcn": _class("datamodules.segmentation.fcn.FCNSegmenter"),
    "box": _class("datamodules.segmentation.box.BoxSegmenter"),
    "whole": _class("datamodules.segmentation.whole.WholePicture"),
}

LLM = "datamodules.parsing.llm.LLMParser"
LANGUAGE_MODELS = {name: _class(LLM, model=name) for name in ("smollm2", "gemma3-270m")}
PARSERS = LANGUAGE_MODELS | {"rules": _class("datamodules.parsing.tree.TreeParser")}
PARSER_NAMES = f"{', '.join(PARSERS)}, api:MODEL, hf:REPOSITORY, a model's folder or GGUF file"
ALONE = "-alone"  # after the name of a language model: without the grammar's weights


def names(folder: Path) -> list[str]:
    """Names in a folder of configs/, sorted."""
    return sorted(path.stem for path in folder.glob("*.yaml"))


def path_of(name: str, folder: Path, kind: str) -> Path:
    """YAML file of a name; AtelierError lists the names and suggests the nearest.

    kind: noun for that sentence, such as "method".
    """
    if name not in (choices := names(folder)):
        raise _unknown(kind, name, choices)
    return folder / f"{name}.yaml"


def method_class(name: str) -> type:
    """Class of a method, a subclass of Stylization."""
    return resolve_name(_method(name)["class_path"])


def part(setting: str, value: Any) -> Any:
    """Class for a short name, if the setting takes short names; any other value unchanged."""
    by_name = PARTS.get(setting)
    return deepcopy(by_name(value)) if by_name and isinstance(value, str) else value


def parser(name: str) -> Part | str:
    """Parser for a name: one of `PARSERS`, api:MODEL, hf:REPOSITORY, a folder or a GGUF file.

    After the name of a language model, "-alone" leaves the grammar's weights out. A class path, or
    a class as JSON, is returned unchanged.
    """
    if name in PARSERS:
        return PARSERS[name]
    kind, _, model = name.partition(":")
    if kind == "api":
        if not model:
            raise AtelierError("The parser api needs the name of a model; write api:NAME")
        return _class("datamodules.parsing.api.APIParser", model=model)
    alone = name.endswith(ALONE) and not Path(name).exists()
    plain = name.removesuffix(ALONE) if alone else name
    files = plain.endswith(".gguf") or (plain and Path(plain).exists())
    if plain in LANGUAGE_MODELS or (kind == "hf" and model) or files:
        return _class(LLM, model=plain, **({"grammar_weight": 0.0} if alone else {}))
    return _by_name("parser", PARSERS, name)


def _by_name(kind: str, parts: dict[str, Part], name: str) -> Part | str:
    """Part for a name; a class path, or a class as JSON, is returned unchanged."""
    if name in parts:
        return parts[name]
    if "." in name:
        return name
    raise _unknown(kind, name, list(parts))


def _unknown(kind: str, name: str, choices: list[str]) -> AtelierError:
    hint = did_you_mean(name, choices)
    return AtelierError(f"There is no {kind} {name!r}; there are {', '.join(choices)}{hint}")


def _method(name: str) -> Part | str:
    if "." in name:
        return name
    config = yaml.safe_load(path_of(name, METHODS, "method").read_text("utf-8"))
    return _class(config["model"]["class_path"])


PARTS: dict[str, Callable[[str], Part | str]] = {
    "model": _method,
    "model.generator": partial(_by_name, "generator", GENERATORS),
    "data.parser": parser,
    "data.segmenter": partial(_by_name, "segmenter", SEGMENTERS),
}
