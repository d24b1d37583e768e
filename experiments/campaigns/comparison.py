"""A comparison of methods on one picture: a campaign with the same styles and masks for all, and a
sheet of their outputs.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from PIL import Image
from torch import Tensor

from datamodules.images import load_photo, load_picture, on_white, save_png, to_picture, to_tensor
from datamodules.masking import MaskFinder, grow, without
from datamodules.models.cache import identity
from datamodules.parsing.blend import in_words
from datamodules.reading.masks import MaskFile
from datamodules.run_folder import CONTENT, OUTPUT, RunFolder
from datamodules.segmentation.base import Segmenter, mask_line
from datamodules.segmentation.remembering import RememberingSegmenter
from datamodules.support.errors import AtelierError
from datamodules.support.files import slug, write_json
from datamodules.target_entries import entry_of
from datamodules.task import Area, StyleTarget, styles_by_area, to_find
from evaluation.contact_sheet import labelled_grid
from evaluation.metrics.change import mean_change
from evaluation.tables.meanings import judgements
from experiments.campaigns.campaign import forget, make_all
from experiments.campaigns.job import Job, identity_of
from experiments.campaigns.plan import make_job, picture_name
from experiments.campaigns.workers import SERIAL, Workers
from experiments.run.registry import find_methods

SHEET, SCORES = "compare.png", "compare.json"
MARGIN = 1 / 32  # of the longer side: 8 px of a working picture of 256, four times its `feather`
Scores = dict[str, float | str]


@dataclass(frozen=True)
class Comparison:
    """One picture, to be stylized by several methods.

    image:  a picture file, or skimage:NAME. targets: objects and styles.
    masks:  one file per object, white = object; the same for all methods, and without what stays
            as it is.
    models: preset of models. settings: further ones of all runs, by short or dotted name.
    """

    image: str
    targets: Sequence[StyleTarget]
    masks: Sequence[MaskFile]
    methods: Sequence[str]
    models: str
    settings: Mapping[str, Any] = field(default_factory=dict)

    def jobs(self, wandb: bool) -> dict[str, Job]:
        """The job of each method."""
        (area, blend), *_ = styles_by_area(self.targets).items()
        target = {"object": area.name, "style": in_words(blend)}
        labels = {"picture": picture_name(self.image), **target}
        values = {
            "models": self.models,
            "image": self.image,
            "mask": [mask.source for mask in self.masks],
            "data.targets": [entry_of(replace(t, exceptions=())) for t in self.targets],
            **self.settings,
        }
        if any(mask.value for mask in self.masks):
            values["mask_value"] = [mask.value for mask in self.masks]
        return {
            name: make_job({"method": method, **values}, labels, "compare", wandb)
            for name, method in find_methods(self.methods).items()
        }


@dataclass(frozen=True)
class Sheet:
    """A comparison that has been made.

    file: the sheet, compare.png in the comparison's folder; there is none where all methods failed.
    scores: of the others by method, as in `scores_of`. runs: their folders. failures: reason by
    method.
    """

    file: Path
    scores: Mapping[str, Scores]
    runs: Mapping[str, Path]
    failures: Mapping[str, str]


def compare(
    comparison: Comparison, root: Path, overwrite: bool = False, wandb: bool = True
) -> Sheet:
    """Make what is not done yet; write the sheet and the scores of all finished runs.

    root: folder of the campaign. overwrite: make finished runs again.
    """
    jobs = comparison.jobs(wandb)
    if overwrite:
        forget(jobs.values(), root)
    with Workers(SERIAL).at_work(root) as make:
        make_all(list(jobs.values()), root, make, retry=True)
    folders = {
        method: job.folder(root) for method, job in jobs.items() if job.state(root) == "done"
    }
    failures = {
        method: RunFolder(job.folder(root), strict=False).failure.reason or "it is still open"
        for method, job in jobs.items()
        if method not in folders
    }
    if not folders:
        return Sheet(root / SHEET, {}, {}, failures)
    content = load_picture(str(next(iter(folders.values())) / CONTENT))
    mask = comparison.masks[0].load(content.size)
    scores = {method: scores_of(at, mask.where) for method, at in folders.items()}
    cells = [(content, ["content"]), (to_picture(mask.values), ["mask"])]
    save_png(sheet(cells, folders, scores), root / SHEET)
    runs = {method: {"run": str(at.relative_to(root))} for method, at in folders.items()}
    write_json(root / SCORES, {method: runs[method] | scores[method] for method in scores})
    return Sheet(root / SHEET, scores, folders, failures)


def write_masks(
    image: str, targets: Sequence[StyleTarget], segmenter: Segmenter, origin: str, root: Path
) -> list[str]:
    """The files of one mask per object, which are written unless they are there already.

    Exceptions are left out with a margin, so that the soft edges of the runs do not reach them.
    origin: segmenter and settings in words; together with the picture and the object it names the
    file, so that a mask of another segmenter is never taken for this one's.
    """
    styles = styles_by_area(targets)
    areas = to_find(styles)
    if len(areas) < len(styles) and any(area.exceptions for area in styles):
        raise AtelierError(
            "A comparison takes no background beside exceptions; name what is behind in words, or "
            "give a mask of each object with --mask"
        )
    files = {area: _mask_file(image, area, origin, root) for area in areas}
    if not all(file.exists() for file in files.values()):
        photo = to_tensor(on_white(load_photo(image)))
        finder = MaskFinder(photo, RememberingSegmenter(segmenter))
        masks = finder.find(styles)
        margin = MARGIN * max(photo.shape)
        parts = zip(files.values(), masks.objects, masks.exceptions, strict=True)
        for file, mask, exceptions in parts:
            wide = None if exceptions is None else grow(exceptions, margin)
            save_png(to_picture(without(mask, wide)), file)
        for area, mask in zip(areas, masks.objects, strict=True):
            line = mask_line(mask, [finder.confidence.get(area.object)], segmenter.name)
            print(f"object   {area.name}\n{line}", file=sys.stderr)
    return [str(file) for file in files.values()]


def _mask_file(image: str, area: Area, origin: str, root: Path) -> Path:
    words = (area.object, *area.exceptions)
    key = identity(identity_of(image), origin, *words)[:16]
    return root / f"mask-{slug(area.label)}-{key}.png"


def scores_of(folder: Path, mask: Tensor) -> Scores:
    """The scores of one run; mask: (H, W) in [0, 1] of the object, the same for all methods.

    style_before, style_after: by "judge", never the encoder that was optimised, which overrates its
    own work. object_change, rest_change: mean absolute change in [0, 1]. optimise_seconds.
    """
    result = RunFolder(folder).result
    content, output = (load_picture(str(folder / name)) for name in (CONTENT, OUTPUT))
    pair = (
        to_tensor(output)[None],
        to_tensor(content)[None],
        mask[None],
    )
    changes = {name: float(value) for name, value in mean_change(*pair).items()}
    before, after = (
        judgements(result.metrics, score) for score in ("style_global_before", "style_global")
    )
    style: Scores = {}
    if judge := next(iter(after), ""):
        style = {"judge": judge, "style_before": before[judge], "style_after": after[judge]}
    defined = {name: value for name, value in changes.items() if not math.isnan(value)}
    return {**style, **defined, "optimise_seconds": result.seconds["optimise"]}


def sheet(
    first: Sequence[tuple[Image.Image, list[str]]],
    folders: Mapping[str, Path],
    scores: Mapping[str, Mapping[str, Any]],
) -> Image.Image:
    """The first pictures with their lines, and the output of each method with its scores."""
    cells = [*first]
    for method, folder in folders.items():
        output = load_picture(str(folder / OUTPUT))
        cells.append((output, [method, *_lines(scores[method])]))
    return labelled_grid(cells)


def _lines(scores: Mapping[str, Any]) -> list[str]:
    style = "no style in words"
    if "judge" in scores:
        change = f"{scores['style_before']:.3f} to {scores['style_after']:.3f}"
        style = f"style {change} ({scores['judge']})"
    changes = [
        f"{where} {scores[key]:.3f}"
        for where, key in (("object", "object_change"), ("rest", "rest_change"))
        if key in scores
    ]
    return [style, f"change: {', '.join(changes)}", f"{scores['optimise_seconds']:.1f} s"]
