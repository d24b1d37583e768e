"""What is to be scored: finished pictures as files, and the batches that metrics take.

A run folder is read, never the method that made it; so a folder of any other system that holds
content.png, output.png and parse.json (and mask.png, unless the whole picture was meant) is scored
just the same.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
import yaml
from PIL import Image
from torch import Tensor

from datamodules.images import load_mask, load_picture, resize, to_tensor
from datamodules.support.errors import AtelierError
from datamodules.task import Blend, StyleTarget, regions
from evaluation.metrics.base import Pictures, Region

CONFIG, RESULT, STEPS = "config.yaml", "result.json", "steps"
WHOLE = "WholePicture"  # the segmenter of a run that means all of its picture
UNLIKE = ("seed_everything", "run", "wandb")  # in the configurations of runs alike but for seeds


@dataclass(frozen=True)
class Case:
    """One finished picture.

    name:        as it is shown. folder: of the run, None for loose files.
    regions:     names and styles of what was to be stylized, the background last.
    mask:        of all that was to be stylized; None for the whole picture.
    region_masks: one a region, () if `mask` is the only one.
    encoder:     identity of the encoder that was optimised, "" if unknown.
    kin:         what runs that differ in their seed alone have in common, "" if unknown.
    """

    name: str
    content: Path
    output: Path
    mask: Path | None = None
    regions: tuple[tuple[str, Blend], ...] = (("", ()),)
    region_masks: tuple[Path, ...] = ()
    source_text: str = "a Photo"
    encoder: str = ""
    kin: str = ""
    folder: Path | None = None

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the output in pixels; AtelierError if there is none."""
        try:
            with Image.open(self.output) as picture:
                return picture.size
        except (OSError, ValueError):
            return load_picture(str(self.output)).size  # which says what is wrong


def find_runs(path: Path) -> list[Path]:
    """The run folders at or below a path, in order; AtelierError if there are none."""
    if not path.is_dir():
        raise AtelierError(f"There is no folder {path}; give a run folder, or one that holds some")
    marks = {RESULT, CONFIG, "output.png"}
    found = {file.parent for mark in marks for file in path.rglob(mark)}
    runs = sorted(folder for folder in found if folder.name not in (STEPS, "files"))
    if not runs:
        raise AtelierError(f"{path} holds no run: no folder in it has an output.png")
    return runs


def read_run(folder: Path, finished: bool = True) -> Case:
    """The case of a run folder; AtelierError says which file is missing or damaged.

    finished: refuse a run without a result.
    """
    config = read(folder / CONFIG) or {}
    if finished and config and not (folder / RESULT).exists():
        raise AtelierError(f"{folder} holds a run that has not finished; finish it, then score it")
    for name in ("content.png", "output.png", "parse.json", *(["mask.png"] if config else [])):
        if not (folder / name).exists():
            raise AtelierError(f"{folder} has no {name}; it is no whole run: make it again")
    named = tuple(regions(_targets(folder / "parse.json")))
    several = len(named) > 1 and (folder / "mask-1.png").exists()
    mask, data = folder / "mask.png", config.get("data", {})
    # All of the picture is meant where no segmenter was asked, or where every region has a style.
    segmenter = str((data.get("segmenter") or {}).get("class_path"))
    whole = several or (segmenter.endswith(WHOLE) and not data.get("mask"))
    masked = mask.exists() and not (whole and is_full(load_mask_file(mask)))
    return Case(
        name=str(folder),
        content=folder / "content.png",
        output=folder / "output.png",
        mask=mask if masked else None,
        regions=named,
        region_masks=tuple(folder / f"mask-{k}.png" for k in range(1, len(named) + 1))
        if several
        else (),
        source_text=data.get("source_text", "a Photo"),
        encoder=(read(folder / RESULT) or {}).get("encoder", ""),
        kin=_kin(config),
        folder=folder,
    )


def read(path: Path) -> Any:
    """What a JSON or YAML file of a run holds; None if there is no file."""
    try:
        text = path.read_text(encoding="utf-8")
        return json.loads(text) if path.suffix == ".json" else yaml.safe_load(text)
    except FileNotFoundError:
        return None
    except (ValueError, yaml.YAMLError) as error:
        raise AtelierError(f"{path} is damaged ({type(error).__name__}); make the run again") from (
            error
        )


def _targets(path: Path) -> tuple[StyleTarget, ...]:
    try:
        return tuple(
            StyleTarget(row["object"], row["style"], row.get("weight", 1.0)) for row in read(path)
        )
    except (TypeError, KeyError) as error:
        raise AtelierError(
            f'{path} is no list of {{"object": ..., "style": ...}}; make the run again'
        ) from error


def load_mask_file(path: Path) -> Tensor:
    """A mask as it lies in a run folder, (H, W) in [0, 1]."""
    return to_tensor(load_picture(str(path)).convert("L"))


def is_full(mask: Tensor) -> bool:
    """Whether a mask leaves no background."""
    return bool((mask >= 0.5).all())


def _kin(config: dict) -> str:
    """A configuration without what may differ between the seeds of one experiment."""
    rest = {name: value for name, value in config.items() if name not in UNLIKE}
    return json.dumps(rest, sort_keys=True) if config else ""


@dataclass(frozen=True)
class Loaded:
    """A case with its pictures: content and output (3, H, W), masks (H, W), all in [0, 1]."""

    case: Case
    content: Tensor
    output: Tensor
    mask: Tensor
    regions: tuple[Region, ...]
    course: dict[int, Tensor]


def load(case: Case, course: bool = False) -> Loaded:
    """Read the pictures of a case, each checked; AtelierError says what does not fit.

    course: read also what the run has kept on its way.
    """
    content, output = (load_picture(str(path)) for path in (case.content, case.output))
    if content.size != output.size:
        raise AtelierError(
            f"{case.output} is {output.width}x{output.height} px, but its content {case.content} "
            f"is {content.width}x{content.height}; give the picture that it was made from"
        )
    shape = content.size[::-1]
    mask = torch.ones(shape) if case.mask is None else load_mask(str(case.mask), content.size)
    if case.region_masks:
        each = [load_mask_file(path) for path in case.region_masks]
    else:
        each = [mask] * len(case.regions)
    named = zip(case.regions, each, strict=True)
    return Loaded(
        case=case,
        content=to_tensor(content),
        output=to_tensor(output),
        mask=mask,
        regions=tuple(Region(name, styles, resize(at, shape)) for (name, styles), at in named),
        course=_course(case) if course else {},
    )


def refuse_full_mask(one: Loaded) -> None:
    """AtelierError for a mask that leaves nothing to compare, where the whole was not meant."""
    if one.case.mask and is_full(one.mask):
        raise AtelierError(
            f"The mask {one.case.mask} is full: it leaves no background to compare; give a mask of "
            "the object, or none where the whole picture was meant"
        )


def _course(case: Case) -> dict[int, Tensor]:
    """The pictures in steps/ by their step, the number in their name."""
    if case.folder is None:
        return {}
    files = {int(p.stem): p for p in (case.folder / STEPS).glob("*.png") if p.stem.isdecimal()}
    return {step: to_tensor(load_picture(str(path))) for step, path in sorted(files.items())}


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
        regions=tuple(moved),
        source_text=first.source_text,
        encoder=first.encoder,
        course=tuple(
            {step: image.to(device) for step, image in one.course.items()} for one in loaded
        ),
    )
