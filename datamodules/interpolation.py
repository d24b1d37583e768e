"""Interpolation between styles: the blends of the pictures on the way from one style to another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from datamodules.parsing.blend import in_words, targets_of
from datamodules.support.errors import AtelierError
from datamodules.support.suggestions import did_you_mean
from datamodules.task import Area, Blend, StyleTarget, alike, styles_by_area

MOST_FRAMES = 999  # three digits in the names of their files


@dataclass(frozen=True)
class Interpolation:
    """Pictures between the run's styles and others, painted by a network in one pass.

    Args:
        to: the styles of the last frame, one or a list: "boat=ice" for an object, "ice" for the
            first one. Objects without an entry keep their style; "" interpolates nothing.
        frames: number of pictures, the first and the last among them.
        full: paint the frames at full size, too.
    """

    to: str | list[str] = ""
    frames: int = 7
    full: bool = False

    def __post_init__(self) -> None:
        if not 2 <= self.frames <= MOST_FRAMES:
            raise AtelierError(f"--frames is {self.frames}; give a number from 2 to {MOST_FRAMES}")

    def ends(
        self, targets: Sequence[StyleTarget], has_style_image: bool = False
    ) -> dict[Area, Blend]:
        """Styles of each area in the last frame; `targets` are those of the first.

        Raises AtelierError for an object that no target names, and for one whose style a picture
        shows: it is no text that could be weighed.
        """
        styles = styles_by_area(targets)
        if not self.to:
            return styles
        areas = list(styles)
        first = [areas[k] for k in alike(styles)[0]]
        ends: dict[Area, Blend] = {}
        for word in [self.to] if isinstance(self.to, str) else self.to:
            name, style = _split(word)
            changing = _matching(name, areas) if name else first
            if twice := [area.label for area in changing if area in ends]:
                raise AtelierError(f"--to gives two styles to {twice[0]!r}; blend them in one")
            if has_style_image and first[0] in changing:
                raise AtelierError(
                    f"The style of {first[0].label!r} comes from a picture, and --to goes from "
                    "text to text; give it with --style instead of --style-image"
                )
            blend = tuple((target.weight, target.style) for target in targets_of("", style))
            ends |= dict.fromkeys(changing, blend)
        return styles | ends

    def shares(self) -> list[float]:
        """Shares of the last frame's styles in each frame, from 0 to 1."""
        return [frame / (self.frames - 1) for frame in range(self.frames)]


def _split(word: str) -> tuple[str, str]:
    """Object, "" for the first one, and style of an entry of `Interpolation.to`."""
    name, equals, style = (part.strip() for part in word.partition("="))
    if not name or (equals and not style):
        raise AtelierError(f'--to is {word!r}; write it as "ice" or "boat=ice"')
    return (name, style) if equals else ("", name)


def _matching(name: str, areas: Sequence[Area]) -> list[Area]:
    words = name.casefold()
    if matching := [a for a in areas if words in (a.object.casefold(), a.label.casefold())]:
        return matching
    labels = [area.label for area in areas]
    raise AtelierError(
        f"--to names {name!r}, and the run has {', '.join(labels)}{did_you_mean(name, labels)}"
    )


def between(
    start: Mapping[Area, Blend], end: Mapping[Area, Blend], share: float
) -> dict[Area, Blend]:
    """Styles of each area at a share of the way in [0, 1]: at 0 exactly `start`, at 1 `end`."""
    return {area: _mixed(blend, end[area], share) for area, blend in start.items()}


def _mixed(start: Blend, end: Blend, share: float) -> Blend:
    if start == end or share in (0, 1):
        return end if share else start
    weights: dict[str, float] = {}
    for blend, part in ((start, 1 - share), (end, share)):
        total = sum(weight for weight, _ in blend)
        for weight, text in blend:
            weights[text] = weights.get(text, 0) + part * weight / total
    return tuple((weight, text) for text, weight in weights.items())


def captions(
    start: Mapping[Area, Blend], end: Mapping[Area, Blend], shares: Sequence[float]
) -> list[str]:
    """Line under each frame: the styles at both ends, the share of the way between them."""
    first, last = (
        ", ".join(dict.fromkeys(in_words(side[area]) for area in start if start[area] != end[area]))
        for side in (start, end)
    )
    return [first, *(f"{share:.0%}" for share in shares[1:-1]), last]
