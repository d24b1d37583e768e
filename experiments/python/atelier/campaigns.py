"""Many runs: comparisons and sweeps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from atelier.inputs import as_files
from datamodules.support.errors import AtelierError
from experiments.run.visit import visit

if TYPE_CHECKING:
    from datamodules.reading.in_memory import Picture
    from datamodules.task import StyleTarget
    from experiments.campaigns.comparison import Sheet

METHODS = ("clipstyler", "generative_artisan", "sem_cs", "soulstyler")


def compare(
    picture: Picture,
    instruction: str = "",
    methods: Sequence[str] = METHODS,
    *,
    models: str = "embedded",
    targets: Mapping[str, str] | Sequence[StyleTarget | Mapping[str, Any]] = (),
    exceptions: str | Sequence[str] = (),
    mask: Picture | Sequence[Picture] | None = None,
    mask_value: str | Sequence[str] = (),
    parser: str = "smollm2",
    base_url: str | None = None,
    segmenter: str = "bridge",
    size: int | None = None,
    steps: int | None = None,
    seed: int | None = None,
    out: Path | str | None = None,
    overwrite: bool = False,
    wandb: bool = False,
    settings: Mapping[str, Any] | None = None,
) -> Sheet:
    """Show what several methods make of one picture, as `atelier compare` does.

    All get the same objects, styles, masks, size and seed. Finished runs of the folder are not made
    again.

    Args:
        methods: names, or paths of files and classes.
        out: the folder; None is runs/compare-PICTURE-OBJECT-STYLE.
        Others: as in `stylize`; targets take the place of the instruction.

    Returns the `file` of the sheet, and by method `scores` and `runs`, whose folders `read_run`
    reads, or `failures`.

    Raises:
        AtelierError: a wrong request, or all methods have failed.

    Warns:
        AtelierWarning: some methods have failed, and why.

    Example:
        >>> sheet = compare("skimage:chelsea", "Turn the cat to fire", ["clipstyler", "sem_cs"],
        ...                 size=64, steps=1, settings={"model.patches.count": 2})
        >>> sheet.file.name, list(sheet.scores)
        ('compare.png', ['clipstyler', 'sem_cs'])
    """
    inputs = {"image": picture, "targets": targets, "mask": mask}
    files = as_files(inputs, Path(out) if out else Path("runs"))
    short = {"size": size, "steps": steps, "seed": seed}
    with visit() as messages:
        from experiments.campaigns.comparing import ComparisonOrder

        sheet = ComparisonOrder(
            image=files["image"],
            methods=methods,
            instruction=instruction,
            targets=files["targets"],
            exceptions=exceptions,
            masks=files["mask"] or (),
            mask_values=mask_value,
            models=models,
            parser=parser,
            base_url=base_url,
            segmenter=segmenter,
            short={name: value for name, value in short.items() if value is not None},
            settings=settings or {},
            out=Path(out) if out else None,
            overwrite=overwrite,
            wandb=wandb,
        ).carry_out()
        sentences = [f"{method} has failed: {why}" for method, why in sheet.failures.items()]
        if not sheet.scores:
            raise AtelierError("; ".join(sentences))
        messages += sentences
    return sheet


def sweep(
    sweep: str | Path | Mapping[str, Any],
    *,
    out: Path | str | None = None,
    workers: int | Literal["auto", "serial"] = "auto",
    evaluate: bool = True,
    metrics: Sequence[str] | None = None,
    retry_failed: bool = False,
    force: bool = False,
    only_missing: bool = False,
    shard: str | None = None,
    wandb: bool = False,
    settings: Mapping[str, Any] | None = None,
) -> Path:
    """Make all runs of a sweep, as `atelier sweep` does; finished runs are not made again.

    Args:
        sweep: a name in configs/sweeps, a YAML file, or its content, such as {"method":
            "soulstyler", "fixed": {...}, "grid": {"model.tau": [0.3, 0.7]}} (docs/sweeps.md).
        out: the folder; None is runs/NAME, runs/sweep for a content.
        workers: runs at a time; "auto" is one per GPU, else per node; "serial" is in this process,
            without Ray.
        evaluate: score the runs at the end, print their table and write the report.
        metrics: of that evaluation, None for all.
        retry_failed: make again what has failed. force: make all again. only_missing: leave
            finished runs as they are, even if code has changed.
        shard: "2/8" for the second of eight parts.
        wandb: log to Weights & Biases.
        settings: by dotted name, over those of the sweep.

    Returns the folder, whose runs `read_runs` reads.

    Raises:
        AtelierError: a wrong key or value, or a package is missing.

    Warns:
        AtelierWarning: not all runs are done and scored; the same call goes on.

    Example:
        >>> folder = sweep(
        ...     {"fixed": {"image": "skimage:chelsea", "object": "cat", "style": "fire", "size": 64,
        ...                "steps": 1, "model.patches.count": 2}, "grid": {"seed": [0, 1]}},
        ...     workers="serial", evaluate=False, out="runs/seeds")
        >>> sorted(read_runs(folder)["seed"])
        [0, 1]
    """
    count = {"auto": 0, "serial": -1}.get(workers, workers)
    if not isinstance(count, int) or count < -1:
        raise AtelierError(f"workers is {workers!r}; give a number, 'auto' or 'serial'")
    if force and only_missing:
        raise AtelierError("force makes finished runs again, and only_missing does not; give one")
    with visit() as messages:
        from experiments.campaigns.grid import read_sweep
        from experiments.campaigns.options import CampaignOptions
        from experiments.campaigns.plan import folder_of
        from experiments.campaigns.sweeping import run_sweep
        from experiments.campaigns.workers import Workers

        plan = read_sweep(sweep if isinstance(sweep, Mapping) else str(sweep))
        options = CampaignOptions(
            Workers(count),
            out=out and str(out),
            shard=shard,
            retry=retry_failed,
            force=force,
            only_missing=only_missing,
            evaluate=evaluate,
            metrics=metrics and tuple(metrics),
            wandb=wandb,
        )
        folder = folder_of(plan.name, options.out)
        if run_sweep(plan, settings or {}, options):
            messages.append(f"Not all runs in {folder} are done and scored; the same call goes on")
    return folder
