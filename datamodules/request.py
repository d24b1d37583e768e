"""A request in settings and words, resolved to targets: settings first, then the parser."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from datamodules.parsing.base import Parser
from datamodules.parsing.blend import targets_of
from datamodules.support.errors import AtelierError
from datamodules.task import BACKGROUND, MOST_STYLES, StyleTarget


@dataclass(frozen=True)
class Request:
    """Settings and words that name objects and styles; see `StylizationDataModule`.

    has_style_image: whether a picture shows the style, so that no text is needed.
    anywhere: whether no object is needed, since masks are given or the segmenter takes everything.
    """

    instruction: str = ""
    object: str = ""
    style: str = ""
    background_style: str = ""
    targets: Mapping[str, str] = field(default_factory=dict)
    has_style_image: bool = False
    anywhere: bool = False

    def resolve(self, parser: Parser) -> tuple[tuple[StyleTarget, ...], str]:
        """The targets, as set or, where the settings leave something open, as parsed; and the
        parser's remark on them, "" for none.
        """
        targets, note = self._by_object() or self._single(), ""
        if not targets:
            targets, note = self._parsed(parser), parser.note
        if self.background_style:
            targets = [*targets, *targets_of(BACKGROUND, self.background_style)]
        if len(targets) > MOST_STYLES:
            raise AtelierError(
                f"{len(targets)} styles are requested; one picture takes at most {MOST_STYLES}"
            )
        return tuple(targets), note

    def _by_object(self) -> list[StyleTarget]:
        for name, style in self.targets.items():
            if not (name.strip() and style.strip()):
                raise AtelierError(
                    f"The target {name!r} has the style {style!r}; give each object and style in "
                    'words: --target "boat=fire"'
                )
        return [target for pair in self.targets.items() for target in targets_of(*pair)]

    def _single(self) -> list[StyleTarget]:
        """The one object's targets, if the settings suffice."""
        if self._needs_object or not (self.style or self.has_style_image):
            return []
        # With a style picture alone there is no text; an instruction may still give one.
        if not self.style and self.instruction.strip():
            return []
        return targets_of(self.object, self.style)

    @property
    def _needs_object(self) -> bool:
        return not (self.object or self.anywhere)

    def _parsed(self, parser: Parser) -> list[StyleTarget]:
        if not self.instruction.strip():
            raise AtelierError(
                'There is no instruction; write one, e.g. "Turn the boat to the art on fire", '
                "or give --style or --style-image, with --object or --mask"
            )
        targets = self._overridden(parser.parse(self.instruction))
        quoted = _quoted(self.instruction)
        if not all(target.style for target in targets) and not self.has_style_image:
            raise AtelierError(f"There is no style in {quoted}; name one there or with --style")
        if self._needs_object and not all(target.object for target in targets):
            raise AtelierError(
                f"There is no object in {quoted}; name one there or with --object, or give its "
                "mask with --mask"
            )
        return targets

    def _overridden(self, parsed: list[StyleTarget]) -> list[StyleTarget]:
        """Parsed targets with the object and the style of the settings in place of theirs."""
        if not (self.object or self.style):
            return parsed
        if len({target.object for target in parsed}) > 1:
            raise AtelierError(
                f"Several objects are named in {_quoted(self.instruction)}; name one there, or "
                'give each its style with --target "boat=fire"'
            )
        if self.style:
            return targets_of(self.object or parsed[0].object, self.style)
        return [StyleTarget(self.object, target.style, target.weight) for target in parsed]


def _quoted(text: str, length: int = 80) -> str:
    return repr(text if len(text) <= length else text[: length - 3] + "...")
