"""A request in settings and words, resolved to targets: settings first, then the parser."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from datamodules.parsing.base import Parser, read_targets
from datamodules.parsing.blend import targets_of
from datamodules.support.errors import AtelierError
from datamodules.target_entries import target_of
from datamodules.task import BACKGROUND, MOST_STYLES, StyleTarget, alike, styles_by_area


@dataclass(frozen=True)
class Wish:
    """The targets of a request, the parser's remark on them ("" for none), and its seconds."""

    targets: tuple[StyleTarget, ...]
    note: str = ""
    seconds: float = 0.0

    @property
    def regions(self) -> int:
        """Number of regions that take a style of their own."""
        return len(alike(styles_by_area(self.targets)))


@dataclass(frozen=True)
class Request:
    """Settings and words that name objects and styles; see `StylizationDataModule`.

    has_style_image: whether a picture shows the style, so that no text is needed.
    """

    instruction: str = ""
    object: str = ""
    style: str = ""
    background_style: str = ""
    targets: Mapping[str, str] | Sequence[Mapping[str, Any]] = ()
    exceptions: str | Sequence[str] = ()
    has_style_image: bool = False

    def resolve(self, parser: Parser) -> Wish:
        """The targets, as set or, where the settings leave something open, as parsed."""
        start = time.perf_counter()
        targets, note = self.one_by_one() or self._single(), ""
        if not targets:
            targets, note = self._parsed(parser), parser.note
        if self.background_style:
            targets = [*targets, *targets_of(BACKGROUND, self.background_style)]
        if len(targets) > MOST_STYLES:
            raise AtelierError(
                f"{len(targets)} styles are requested; one picture takes at most {MOST_STYLES}"
            )
        targets = tuple(map(self.with_exceptions, targets))
        return Wish(targets, note, time.perf_counter() - start)

    def one_by_one(self) -> list[StyleTarget]:
        """The targets that are set one by one."""
        if not isinstance(self.targets, Mapping):
            return [_read(entry) for entry in self.targets]
        for name, style in self.targets.items():
            if not (name.strip() and style.strip()):
                raise AtelierError(
                    f"The target {name!r} has the style {style!r}; give each object and style in "
                    'words: --target "boat=fire"'
                )
        return [target for pair in self.targets.items() for target in targets_of(*pair)]

    def _single(self) -> list[StyleTarget]:
        """The one object's targets, if the settings suffice: without an instruction, no object
        means the whole picture.
        """
        if not (self.style or self.has_style_image):
            return []
        if self.instruction.strip() and not (self.object and self.style):
            return []
        return targets_of(self.object, self.style)

    def _parsed(self, parser: Parser) -> list[StyleTarget]:
        if not self.instruction.strip():
            raise AtelierError(
                'There is no instruction; write one, e.g. "Turn the boat to the art on fire", '
                "or give --style or --style-image, with --object or --mask"
            )
        targets = self._overridden(read_targets(parser, self.instruction))
        if not all(target.style for target in targets) and not self.has_style_image:
            raise AtelierError(
                f"There is no style in {_quoted(self.instruction)}; name one there or with --style"
            )
        return targets

    def _overridden(self, parsed: list[StyleTarget]) -> list[StyleTarget]:
        """Parsed targets with the object and the style of the settings in place of theirs."""
        styles = styles_by_area(parsed)
        several = len(styles) if self.object else len(alike(styles))
        if (self.object or self.style) and several > 1:
            raise AtelierError(
                f"Several objects are named in {_quoted(self.instruction)}; name one there, or "
                'give each its style with --target "boat=fire"'
            )
        if self.object:
            parsed = [replace(target, object=self.object) for target in parsed]
        if not self.style:
            return parsed
        return [
            replace(target, exceptions=area.exceptions)
            for area in styles_by_area(parsed)
            for target in targets_of(area.object, self.style)
        ]

    def with_exceptions(self, target: StyleTarget) -> StyleTarget:
        """The target with the exceptions of the settings beside its own."""
        own = [self.exceptions] if isinstance(self.exceptions, str) else self.exceptions
        if not all(phrase.strip() for phrase in own):
            raise AtelierError('--except is blank; name what is to stay as it is: --except "cat"')
        both = dict.fromkeys((*target.exceptions, *own))
        return replace(target, exceptions=tuple(both))


def _read(entry: Mapping[str, Any]) -> StyleTarget:
    try:
        return target_of(entry)
    except ValueError as error:
        raise AtelierError(
            f"In the targets there is {error}; write each as `atelier parse` does: "
            '{"object": "boat", "style": "fire"}'
        ) from error


def _quoted(text: str, length: int = 80) -> str:
    return repr(text if len(text) <= length else text[: length - 3] + "...")
