"""Parsers and segmenters built from their names, as a run builds those of its configuration."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from experiments.run.configuration import Configuration, with_settings
from experiments.run.refusals import for_people

if TYPE_CHECKING:  # torch takes seconds to import
    from datamodules.parsing.base import Parser
    from datamodules.segmentation.base import Segmenter

PartType = TypeVar("PartType")


def build_parser(
    name: str, base_url: str | None = None, settings: Mapping[str, Any] | None = None
) -> Parser:
    """Build a parser by name; AtelierError for a wrong name or setting.

    base_url: endpoint of api:MODEL. settings: by dotted name, below data.parser.
    """
    endpoint = {"data.parser.base_url": base_url} if base_url else {}
    config = with_settings({}, {"data.parser": name} | endpoint | dict(settings or {}))
    from datamodules.parsing.base import Parser

    return build(Parser, "data.parser", config)


def build_segmenter(name: str, settings: Mapping[str, Any] | None = None) -> Segmenter:
    """Build a segmenter by name; AtelierError for a wrong name or setting.

    settings: by dotted name, below data.segmenter.
    """
    config = with_settings({}, {"data.segmenter": name} | dict(settings or {}))
    from datamodules.segmentation.base import Segmenter

    return build(Segmenter, "data.segmenter", config)


def build(base: type[PartType], setting: str, config: Configuration) -> PartType:
    """Build the part, of a subclass of `base`, that a configuration has for `setting`."""
    from jsonargparse import ArgumentError, ArgumentParser

    parser = ArgumentParser(exit_on_error=False)
    parser.add_argument(f"--{setting}", type=base, required=True)
    top = setting.partition(".")[0]
    try:
        return parser.instantiate_classes(parser.parse_object({top: config[top]}))[setting]
    except (ArgumentError, ValueError) as error:
        raise for_people(error) from error
