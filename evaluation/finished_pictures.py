"""Finished pictures: from files to the batches that metrics take.

A run folder is read, never the method that made it; so a folder of any other system that holds
content.png, output.png and parse.json (and mask.png, unless the whole picture was meant) is scored
just the same.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from pkgutil import resolve_name
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from datamodules.images import load_picture, resize_mask, to_tensor
from datamodules.reading.masks import load_mask, warn_of_coverage
from datamodules.run_folder import (
    CONFIG,
    CONTENT,
    MASK,
    OUTPUT,
    PARSE,
    RESULT,
    RunFolder,
    find,
)
from datamodules.run_records import Result
from datamodules.support.errors import AtelierError
from datamodules.support.files import sha256
from datamodules.support.own_classes import look_in
from datamodules.task import BACKGROUND, Area, Blend, Region
from evaluation.metrics.base import Pictures

WHOLE = "WholePicture"  # segmenter of a run that means all of its picture
# Parts of the configuration that are ignored when grouping runs that differ only in their seed.
NOT_GROUPED = ("seed_everything", "run", "wandb")


@dataclass(frozen=True)
class Case:
    """One finished picture.

    name:        for tables and messages. folder: of the run, None for loose files.
    mask:        of everything that was to be stylized; None for the whole picture.
    styles:      areas and styles of the regions, the background last.
    region_masks: one per region, () if `mask` is the only one.
    source_text: describes the content image.
    encoder:     identity of the encoder that was optimised, "" if unknown.
    kin:         identifies the group of runs that differ only in their seed, "" if unknown.
    mask_value:  values of the object in a mask with labels, as `load_mask` takes them.
    ours:        whether the masks are Atelier's own, so that nothing in them is interpreted.
    object_mask: of what the run names though it means the whole picture, from another run; None if
                 there is none.
    """

    name: str
    content: Path
    output: Path
    mask: Path | None = None
    styles: tuple[tuple[Area, Blend], ...] = ((Area(""), ()),)
    region_masks: tuple[Path, ...] = ()
    source_text: str = "a Photo"
    encoder: str = ""
    kin: str = ""
    folder: Path | None = None
    mask_value: str = ""
    ours: bool = False
    object_mask: Path | None = None

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the output in pixels; AtelierError if there is none."""
        try:
            with Image.open(self.output) as picture:
                return picture.size
        except (OSError, ValueError):
            return load_picture(str(self.output)).size  # refuses it in a sentence

    @property
    def result(self) -> Result:
        """Stored result of the case's run, empty if there is none."""
        return RunFolder(self.folder).result if self.folder else Result()


def find_runs(path: Path) -> list[Path]:
    """The run folders at or below a path, in order; AtelierError if there are none."""
    if not path.is_dir():
        raise AtelierError(f"There is no folder {path}; give a run folder, or one that holds some")
    runs = sorted(Path(folder) for folder, _ in find(path, (RESULT, CONFIG, OUTPUT)))
    if not runs:
        raise AtelierError(f"{path} holds no run: no folder in it has an {OUTPUT}")
    return runs


def read_run(folder: Path, finished: bool = True) -> Case:
    """The case of a run folder; AtelierError says which file is missing or damaged.

    finished: refuse a run without a result.
    """
    run = RunFolder(folder)
    if finished and run.config and not run.finished:
        raise AtelierError(f"{folder} holds a run that has not finished; finish it, then score it")
    run.require(CONTENT, OUTPUT, PARSE, *([MASK] if run.config else []))
    mask = folder / MASK
    masked = mask.exists() and not (_means_whole(run) and is_full(load_mask_file(mask)))
    return Case(
        name=str(folder),
        content=folder / CONTENT,
        output=folder / OUTPUT,
        mask=mask if masked else None,
        styles=tuple(run.styles.items()),
        region_masks=run.masks,
        source_text=run.setting("data.source_text") or "a Photo",
        encoder=run.result.encoder,
        kin=_kin(run.config),
        folder=folder,
        ours=bool(run.config),
    )


def with_object_masks(cases: Sequence[Case]) -> list[Case]:
    """The cases; those that mean the whole picture though they name an object have its mask from
    the first run that looked for the same object on the same picture, so that their background can
    be compared.
    """
    wanting = {case.name for case in cases if not case.mask and case.folder and _named(case)}
    tasks = {_named(case) for case in cases if case.name in wanting}
    masks: dict[tuple, Path] = {}
    for case in cases:
        if case.mask and _named(case) in tasks and _looked_for_it(case):
            masks.setdefault((_named(case), sha256(case.content)), case.mask)
    if not masks:
        return list(cases)
    return [
        replace(case, object_mask=masks.get((_named(case), sha256(case.content))))
        if case.name in wanting
        else case
        for case in cases
    ]


def _named(case: Case) -> tuple[Area, ...]:
    """The areas of a case that are named, without the background."""
    return tuple(area for area, _ in case.styles if area.name not in ("", BACKGROUND))


def _looked_for_it(case: Case) -> bool:
    """Whether a run's mask is of the object that it names, and not, say, of what is salient."""
    run = RunFolder(case.folder or Path(), strict=False)
    look_in(run.setting("code") or ())
    try:
        segmenter = resolve_name(str(run.setting("data.segmenter.class_path")))
    except (ImportError, AttributeError, ValueError):
        return False
    return bool(run.setting("data.mask")) or segmenter.needs_phrase is True


def _means_whole(run: RunFolder) -> bool:
    """Whether a full mask is meant: every region has a style, or no object was looked for."""
    segmenter = str(run.setting("data.segmenter.class_path"))
    whole = segmenter.endswith(WHOLE) or Area("") in run.styles
    return bool(run.masks) or (whole and not run.setting("data.mask"))


def load_mask_file(path: Path) -> Tensor:
    """A mask of a run folder, (H, W) in [0, 1]."""
    return to_tensor(load_picture(str(path)).convert("L"))


def is_full(mask: Tensor) -> bool:
    """Whether a mask leaves no background."""
    return bool((mask >= 0.5).all())


def _kin(config: dict[str, Any]) -> str:
    """A configuration without the parts in which the seeds of one experiment may differ."""
    rest = {name: value for name, value in config.items() if name not in NOT_GROUPED}
    return json.dumps(rest, sort_keys=True) if config else ""


@dataclass(frozen=True)
class Loaded:
    """A case with its pictures: content and output (3, H, W), masks (H, W), all in [0, 1].

    course: intermediate pictures (3, H, W) by step. objects: (H, W), as in `Pictures`.
    """

    case: Case
    content: Tensor
    output: Tensor
    mask: Tensor
    objects: Tensor
    regions: tuple[Region, ...]
    course: dict[int, Tensor]


def load(case: Case, course: bool = False) -> Loaded:
    """Read and check the pictures of a case; AtelierError says which does not fit.

    course: read also the intermediate pictures.
    """
    content, output = (load_picture(str(path)) for path in (case.content, case.output))
    if content.size != output.size:
        raise AtelierError(
            f"{case.output} is {output.width}x{output.height} px, but its content {case.content} "
            f"is {content.width}x{content.height}; give the picture that it was made from"
        )
    shape = content.size[::-1]
    mask = torch.ones(shape) if case.mask is None else _mask(case, content.size)
    masks = [load_mask_file(path) for path in case.region_masks] or [mask] * len(case.styles)
    pairs = zip(case.styles, masks, strict=True)
    objects = load_mask_file(case.object_mask) if case.object_mask else mask
    return Loaded(
        case=case,
        content=to_tensor(content),
        output=to_tensor(output),
        mask=mask,
        objects=resize_mask(objects, shape),
        regions=tuple(Region(*region, resize_mask(mask, shape)) for region, mask in pairs),
        course=_course(case) if course else {},
    )


def _mask(case: Case, size: tuple[int, int]) -> Tensor:
    """Region of all that was to be stylized, (H, W) in [0, 1]."""
    mask = load_mask(str(case.mask), size, case.mask_value, plain=case.ours)
    if case.folder is None:
        warn_of_coverage(mask, str(case.mask))
    return mask.where


def refuse_full_mask(one: Loaded) -> None:
    """AtelierError for a mask that leaves no background, unless the whole picture was meant."""
    if one.case.mask and is_full(one.mask):
        raise AtelierError(
            f"The mask {one.case.mask} is full: it leaves no background to compare; give a mask of "
            "the object, or none where the whole picture was meant"
        )


def _course(case: Case) -> dict[int, Tensor]:
    steps = RunFolder(case.folder).steps if case.folder else {}
    return {step: to_tensor(load_picture(str(path))) for step, path in steps.items()}


def together(loaded: Sequence[Loaded], device: torch.device | str = "cpu") -> Pictures:
    """A batch of cases of one size, source text and encoder."""
    first = loaded[0].case
    moved = [
        tuple(replace(region, mask=region.mask.to(device)) for region in one.regions)
        for one in loaded
    ]
    return Pictures(
        content=torch.stack([one.content for one in loaded]).to(device),
        output=torch.stack([one.output for one in loaded]).to(device),
        mask=torch.stack([one.mask for one in loaded]).to(device),
        objects=torch.stack([one.objects for one in loaded]).to(device),
        regions=tuple(moved),
        source_text=first.source_text,
        encoder=first.encoder,
        course=tuple(
            {step: image.to(device) for step, image in one.course.items()} for one in loaded
        ),
    )
