"""Steps of a stylization by themselves: reading the instruction, finding the object."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from experiments.run.visit import visit

if TYPE_CHECKING:
    from datamodules.reading.in_memory import Picture
    from datamodules.task import StyleTarget
    from experiments.run.mask import ObjectMask


def parse(
    text: str,
    parser: str = "smollm2",
    *,
    base_url: str | None = None,
    settings: Mapping[str, Any] | None = None,
) -> list[StyleTarget]:
    """Split an instruction into objects and styles, as `atelier parse` does.

    Args:
        text: the instruction.
        parser: "smollm2", "gemma3-270m", "rules", "api:MODEL", "hf:REPOSITORY", a model's folder or
            GGUF file, or the path of a class.
        base_url: endpoint of "api:MODEL".
        settings: of the parser by dotted name, {"data.parser.grammar_weight": 0.5}.

    Returns at least one target: `object` ("" = the whole picture, "background" = all that no other
    names), `style` ("" = not named), `weight` in a blend, `exceptions`.

    Raises:
        AtelierError: nothing can be read for sure from the instruction.

    Example:
        >>> parse("Turn the white sailboat to the art on fire", parser="rules")[0].object
        'white sailboat'
    """
    from experiments.run.options import check_endpoint
    from experiments.run.parts import build_parser

    check_endpoint(parser, base_url)
    with visit():
        return build_parser(parser, base_url, settings).parse(text)


def find_mask(
    picture: Picture,
    phrase: str,
    segmenter: str = "bridge",
    *,
    exceptions: str | Sequence[str] = (),
    settings: Mapping[str, Any] | None = None,
) -> ObjectMask:
    """Find an object in a picture, as `atelier mask` does.

    Args:
        picture: as in `stylize`.
        phrase: "white sailboat", "everything except the boat".
        segmenter: "bridge", "spectral", "clipseg", ...; docs/masks.md compares them.
        exceptions: a phrase, or several, that the mask leaves out.
        settings: of the segmenter by dotted name, {"data.segmenter.threshold": 0.3}.

    Returns a mask of the picture's size, with its coverage and the segmenter's confidence.

    Raises:
        AtelierError: the object is not in the picture, or an exception is not surely there.

    Warns:
        AtelierWarning: the confidence is low; look at the mask.

    Example:
        >>> mask = find_mask("skimage:rocket", "rocket")
        >>> mask.picture.size, mask.array.shape, 0 < mask.coverage < 0.1
        ((640, 427), (427, 640), True)
    """
    from datamodules.reading.in_memory import file_of
    from experiments.run import mask
    from experiments.run.parts import build_segmenter

    with TemporaryDirectory() as folder, visit() as messages:
        file = file_of(picture, Path(folder))
        finder = build_segmenter(segmenter, settings)
        targets = mask.object_targets(phrase, exceptions, finder)
        answer = mask.find_mask(file, targets, finder)
    return replace(answer, warnings=tuple(messages))
