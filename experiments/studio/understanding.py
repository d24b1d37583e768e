"""Handlers of the first two parts of the page: photo, instruction, table and mask."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import gradio as gr

from datamodules.support.errors import AtelierError
from datamodules.task import Area
from experiments.studio.components import address
from experiments.studio.draft import Choices, CurrentMask, Draft, rows_of, targets_of
from experiments.studio.layout import EXAMPLES, Check, Say
from experiments.studio.masks import AreaMask
from experiments.studio.pictures import blank, example, whole
from experiments.studio.pieces import Piece
from experiments.studio.studio import Studio, Updates, say
from experiments.studio.tasks import Find, Finding, KeepPieces, Read, ReadPhrase
from experiments.studio.ticket import CancelledError
from experiments.studio.uploads import admit


class Understanding:
    """Handlers that return or yield updates of the page."""

    def __init__(self, studio: Studio, say: Say, check: Check) -> None:
        self.studio, self.say, self.check = studio, say, check

    def photo(self, upload: str | None, choices: Choices, request: gr.Request) -> Iterator[Updates]:
        """Admit an upload, and find the objects in it."""
        with self.studio.turn(request):
            if upload is None:
                draft = self.studio.change(request, lambda draft: draft.without_photo())
                yield self._mask_of(draft)
                return
            try:
                photo = admit(Path(upload["path"]), self.studio.session(request))
            except AtelierError:  # the page shows the upload, and would paint what was there before
                yield {self.say.photo: self.studio.draft(request).photo}
                raise
            about = "".join(say(warning, "warning") for warning in photo.warnings)
            yield {self.say.photo: photo.file, self.check.about: about}
            self.studio.change(
                request, lambda draft: replace(draft.without_photo(), photo=photo.file)
            )
            yield from self._find(choices, request)

    def example(self, name: str, choices: Choices, request: gr.Request) -> Iterator[Updates]:
        """Take one of the examples, with its instruction."""
        with self.studio.turn(request):
            photo = example(name, self.studio.session(request))
            self.studio.change(request, lambda draft: Draft(photo=photo))
            yield {
                self.say.photo: photo,
                self.say.instruction: EXAMPLES[name],
                self.check.canvas: None,
            }
            yield from self._read(EXAMPLES[name], choices, request)

    def text(self, text: str, choices: Choices, request: gr.Request) -> Iterator[Updates]:
        """Read an instruction."""
        with self.studio.turn(request):
            yield from self._read(text, choices, request)

    def rows(
        self, rows: Sequence[Sequence[Any]], choices: Choices, request: gr.Request
    ) -> Iterator[Updates]:
        """Take the table as it was corrected."""
        with self.studio.turn(request):
            yield from self._take(rows, choices, request)

    def settle(
        self,
        stroke: dict | None,
        text: str,
        rows: Sequence[Sequence[Any]],
        label: str,
        choices: Choices,
        request: gr.Request,
    ) -> Iterator[Updates]:
        """Take whatever the page shows and no handler has taken yet, before it is painted."""
        with self.studio.turn(request):
            if text.strip() != self.studio.draft(request).text:
                yield from self._read(text, choices, request)
            else:
                yield from self._take(rows, choices, request)
            yield self._stroke(stroke or {}, label, request)

    def phrase(
        self, phrase: str, label: str, choices: Choices, request: gr.Request
    ) -> Iterator[Updates]:
        """Find an area again by other words, which take the place of its object."""
        with self.studio.turn(request):
            old = self.studio.draft(request).area(label)
            if not (phrase.strip() and old):
                return
            new = self.studio.submit(ReadPhrase(phrase), request).result()
            draft = self.studio.change(request, lambda draft: draft.renamed(old, new))
            yield {self.check.rows: rows_of(draft.targets), self.check.phrase: ""}
            yield from self._find(choices, request)

    def area(self, label: str, request: gr.Request) -> Updates:
        """Show the mask of another area."""
        return self._mask_of(self.studio.draft(request), label)

    def stroke(self, value: dict, label: str, request: gr.Request) -> Updates:
        """Take a mask that was changed with the brush."""
        with self.studio.turn(request):
            return self._stroke(value, label, request)

    def pieces(self, numbers: Sequence[int], label: str, request: gr.Request) -> Updates:
        """Keep some pieces of the mask that the segmenter has found."""
        with self.studio.turn(request):
            draft = self.studio.draft(request)
            area = draft.area(label)
            search = draft.masks[area].search if area in draft.masks else None
            if search is None:
                return {}
            task = KeepPieces(search.file, tuple(numbers))
            file = self.studio.submit(task, request).result()
            mask = CurrentMask(file, search, by_hand=len(numbers) < len(search.pieces))
            draft = self.studio.change(request, lambda draft: draft.with_mask(area, mask))
            canvas = self._canvas(draft, area)
            return {self.check.canvas: canvas, self.check.about: self._about(draft, area)}

    def find(self, choices: Choices, request: gr.Request) -> Iterator[Updates]:
        """Find the areas with other settings of the segmenter."""
        with self.studio.turn(request):
            yield from self._find(choices, request)

    def _stroke(self, value: dict, label: str, request: gr.Request) -> Updates:
        """Take a mask from the browser, unless it is an older one, or one of another mask."""
        draft = self.studio.draft(request)
        area = draft.area(label)
        before = draft.masks.get(area) if area else None
        number = value.get("number", 0)
        if before is None or value.get("key") != before.key or number <= before.strokes:
            return {}
        file = admit(Path(value["stroke"]), self.studio.session(request)).file
        mask = replace(before, file=file, by_hand=True, strokes=number)
        draft = self.studio.change(request, lambda draft: draft.with_mask(area, mask))
        return {self.check.about: self._about(draft, area)}

    def _take(
        self, rows: Sequence[Sequence[Any]], choices: Choices, request: gr.Request
    ) -> Iterator[Updates]:
        targets = targets_of(rows)
        if targets != self.studio.draft(request).targets:
            self.studio.change(request, lambda draft: replace(draft, targets=targets))
            yield from self._find(choices, request)

    def _find(self, choices: Choices, request: gr.Request) -> Iterator[Updates]:
        """Find the areas that have no mask yet; changing a style finds nothing."""
        before = self.studio.draft(request)
        if before.photo is None or not before.targets:
            return
        if before.lacks_masks(choices):
            yield {self.check.about: say("Looking for it ...")}
            masks, warnings = self._search(before, choices, request)

            def add(draft: Draft) -> Draft:
                same = (draft.photo, draft.areas) == (before.photo, before.areas)
                return draft.with_masks(masks, warnings, choices) if same else draft

            self.studio.change(request, add)
        draft = self.studio.draft(request)
        labels = [area.label for area in draft.areas]
        first = [*draft.unmasked, *draft.areas][0].label  # one that somebody has to draw
        choice = gr.Dropdown(labels, value=first, visible=len(labels) > 1)
        yield {self.check.area: choice, **self._mask_of(draft, first)}

    def _search(
        self, draft: Draft, choices: Choices, request: gr.Request
    ) -> tuple[dict[Area, CurrentMask], tuple[str, ...]]:
        """Masks of all areas of a request, and warnings.

        If one is not found, the others are looked for alone, and it gets an empty one to draw on.
        """
        found = self._found(draft, choices, request)
        if isinstance(found, Finding):
            return self._masks_of(draft, found, request), found.warnings
        empty = CurrentMask(blank(draft.photo, self._folder(request)), blank=True)
        before = {area: mask for area, mask in draft.masks.items() if mask.blank}
        masks = {
            area: before.get(area, empty) for area in draft.areas
        }  # a stroke may be on its way
        for area in draft.areas if len(masks) > 1 else ():
            alone = replace(draft, targets=tuple(t for t in draft.targets if t.area == area))
            finding = self._found(alone, choices, request)
            if isinstance(finding, Finding):
                masks |= self._masks_of(alone, finding, request)
        return masks, (found,)

    def _found(self, draft: Draft, choices: Choices, request: gr.Request) -> Finding | str:
        """Masks of all areas of a request, or the sentence that says why there are none."""
        folder = self._folder(request)
        task = Find(draft.photo, draft.targets, folder, choices.segmenter, choices.threshold)
        ticket = self.studio.submit(task, request)
        try:
            return ticket.result()
        except CancelledError:
            raise
        except AtelierError as error:
            return str(error)

    def _masks_of(
        self, draft: Draft, finding: Finding, request: gr.Request
    ) -> dict[Area, CurrentMask]:
        """Masks that were found; the whole photo where there is nothing to look for."""
        if finding.whole:
            file = whole(draft.photo, self._folder(request))
            return {area: CurrentMask(file) for area in draft.areas}
        return {mask.area: CurrentMask(mask.file, mask) for mask in finding.masks}

    def _folder(self, request: gr.Request) -> Path:
        return self.studio.session(request).new_folder("masks")

    def _read(self, text: str, choices: Choices, request: gr.Request) -> Iterator[Updates]:
        """Read an instruction, unless it is the one that was read last, and find its objects."""
        text = text.strip()
        if not text or text == self.studio.draft(request).text:
            return
        reading = self.studio.submit(Read(text), request).result()
        self.studio.change(
            request, lambda draft: replace(draft, text=text, targets=reading.targets)
        )
        about = "".join(say(warning, "warning") for warning in reading.warnings)
        yield {self.check.rows: rows_of(reading.targets), self.check.about: about}
        yield from self._find(choices, request)

    def _mask_of(self, draft: Draft, label: str | None = None) -> Updates:
        area = draft.area(label)
        mask = draft.masks.get(area) if area else None
        pieces = mask.search.pieces if mask and mask.search else ()
        words = [(_place(number, piece), number) for number, piece in enumerate(pieces)]
        return {
            self.check.canvas: self._canvas(draft, area),
            self.check.about: self._about(draft, area),
            self.check.pieces: gr.CheckboxGroup(
                words, value=[number for _, number in words], visible=len(words) > 1
            ),
        }

    def _canvas(self, draft: Draft, area: Area | None) -> dict[str, str] | None:
        mask = draft.masks.get(area) if area else None
        if mask is None or draft.photo is None:
            return None
        return {"photo": address(draft.photo), "mask": address(mask.file), "key": mask.key}

    def _about(self, draft: Draft, area: Area | None) -> str:
        mask = draft.masks.get(area) if area else None
        lines = [say(warning, "warning") for warning in draft.warnings]
        if mask and mask.by_hand:
            lines.append(say(f"{area.label}: changed by hand"))
        elif mask and mask.search:
            lines.append(say(f"{area.label}: {_in_words(mask.search)}"))
        return "".join(lines)


def _in_words(mask: AreaMask) -> str:
    sure = "" if mask.confidence is None else f", confidence {mask.confidence:.2f}"
    return f"{mask.coverage:.1%} of the photo{sure}"


def _place(number: int, piece: Piece) -> str:
    """A piece in words: "2: top left, 3.1%"."""
    across = ("left", "middle", "right")[min(2, int(piece.x * 3))]
    down = ("top", "middle", "bottom")[min(2, int(piece.y * 3))]
    place = across if down == "middle" else f"{down} {across}"
    return f"{number + 1}: {place}, {piece.share:.1%}"
