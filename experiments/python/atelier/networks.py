"""Networks of one's own: trainings, and styles as ONNX files."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from experiments.run.visit import visit

if TYPE_CHECKING:
    from experiments.run.export import Export


def train(
    config: str | Path | None = None,
    *,
    folders: str | Path | Sequence[str | Path] | None = None,
    styles: Sequence[str] | Path | None = None,
    models: str | None = None,
    crop: int | None = None,
    batch: int | None = None,
    ckpt: str | Path | None = None,
    steps: int | None = None,
    seed: int | None = None,
    device: Literal["auto", "cpu", "gpu"] | None = None,
    out: str | Path | None = None,
    resume: str | Path | None = None,
    overwrite: bool = False,
    wandb: bool = False,
    settings: Mapping[str, Any] | None = None,
) -> Path | None:
    """Train a network that paints in one pass, as `atelier train` does.

    Ctrl-C ends it after the current step; the same call goes on.

    Args:
        config: "fast_clipstyler", "clipstyler_fast", "attention", or a YAML file.
        folders: of photos, with all folders in them; "packages" = those that packages ship.
        styles: texts, or the path of a file with one per line.
        models: a preset of models.
        crop: side of the random crops, in px. batch: pictures per step, over all devices.
        ckpt: weights to begin with. steps, seed, device: as in `stylize`.
        out: its folder; None is runs/train-CONFIG-STYLES.
        resume: instead of config, the folder of an unfinished training.
        overwrite: begin anew in a folder that holds one.
        settings: by dotted name, {"trainer.accumulate_grad_batches": 4}.

    Returns the file of the weights, `ckpt` of `stylize`; None in all processes but the first.

    Raises:
        AtelierError: a wrong request, or losses that are not finite.

    Example:
        >>> weights = train("fast_clipstyler", folders="packages", styles=["fire"], steps=1,
        ...                 batch=2, crop=64, out="runs/trained")  # doctest: +SKIP
    """
    from experiments.run.training_order import TrainingOrder

    places = [folders] if isinstance(folders, str | Path) else folders
    with visit():
        return TrainingOrder(
            config=config and str(config),
            resume=resume and str(resume),
            folders=places and [str(place) for place in places],
            styles=str(styles) if isinstance(styles, Path) else styles,
            models=models,
            crop=crop,
            batch=batch,
            ckpt=ckpt and str(ckpt),
            steps=steps,
            seed=seed,
            device=device,
            out=out and str(out),
            overwrite=overwrite,
            wandb=wandb,
            further=settings or {},
        ).carry_out()


def export(
    run: str | os.PathLike[str], file: str | os.PathLike[str] = "style.onnx", region: str = ""
) -> Export:
    """Write the style of a finished run as an ONNX file, as `atelier export` does.

    Args:
        run: its folder.
        file: to be written, whole or not at all.
        region: the object whose style it is, where the run has several.

    Returns the file's metadata `about`, and `difference`, its largest from torch, in [0, 1].

    Raises:
        AtelierError: the run keeps no style, or the graph differs from torch.

    Example:
        >>> export("runs/first", "mosaic.onnx").about["style"]
        'mosaic'
    """
    from datamodules.run_folder import RunFolder
    from experiments.run.export import export as write

    with visit():
        return write(RunFolder(Path(run)), Path(file), region)
