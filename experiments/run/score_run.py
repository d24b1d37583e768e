"""Scores of a run that has just ended, and its result.json."""

from __future__ import annotations

import platform
import time
from collections.abc import Mapping
from importlib.metadata import version

import torch
from lightning import Callback, Trainer

from datamodules.run_records import Result
from datamodules.stylization import StylizationDataModule
from datamodules.support.errors import AtelierError
from datamodules.support.versions import own_version
from evaluation.suite import score_run
from lightning_modules.callbacks import WriteRun
from lightning_modules.stylization import Stylization

PACKAGES = ("torch", "lightning", "timm", "transformers")  # whose versions matter


class ScoreRun(Callback):
    """Scores the folder of a `WriteRun`, which precedes it among the callbacks, after the last
    step, and writes its result.json.

    Attributes:
        scores: by name, None where one is undefined; {} before the end.
    """

    scores: Mapping[str, float | None]

    def __init__(self) -> None:
        self.scores = {}

    def on_fit_end(self, trainer: Trainer, module: Stylization) -> None:
        run = next((c for c in trainer.callbacks if isinstance(c, WriteRun)), None)
        if run is None:
            raise AtelierError(
                "ScoreRun scores what WriteRun writes; give Trainer(callbacks=[WriteRun(FOLDER), "
                "ScoreRun()])"
            )
        self.scores = write_result(run, trainer, module, trainer.datamodule)


def write_result(
    run: WriteRun,
    trainer: Trainer,
    model: Stylization,
    data: StylizationDataModule,
    load_seconds: float = 0.0,
) -> Mapping[str, float | None]:
    """Score the run and write its result.json; the scores.

    load_seconds: time to import and build everything.
    """
    start = time.perf_counter()
    scores = score_run(run.folder, model.encoder.cpu())
    scored = time.perf_counter() - start
    stages = {
        "load": load_seconds,
        **data.seconds,
        "optimise": run.seconds,
        "full": run.full_seconds,
        **({"frames": run.frame_seconds} if run.frames else {}),
        "score": scored,
    }
    result = Result(
        method=type(model).__name__,
        encoder=model.encoder.identity,
        generator=type(model.generator).__name__,
        segmenter=data.task.segmenter,
        style_note=model.generator.note,
        mask_confidence=data.confidence,
        steps=len(run.course),
        stop_note=run.stop_note,
        runs_together=run.together,
        seed=model.seed,
        device=str(trainer.strategy.root_device),
        threads=torch.get_num_threads(),
        metrics=scores.values,
        scored=scores.scored,
        unavailable=scores.unavailable,
        losses=run.last_losses,
        seconds={name: round(value, 3) for name, value in stages.items()},
        versions={"python": platform.python_version(), "atelier": own_version()}
        | {name: version(name) for name in PACKAGES},
    )
    run.writer.write_result(result, run.keep_checkpoint)
    return result.metrics
