"""A run at paper settings by the wall clock: python -m tests.gpu.whole_run.

Lightning's loop with progress bar, losses.csv and pictures, as in `atelier stylize`. The first run
includes what a process does once (kernels are loaded and chosen); the last one writes no pictures
of its steps.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from experiments.run.lightning_cli import AtelierCLI
from lightning_modules.callbacks import StepProgress, WriteRun
from tests.gpu.subject import RUN, build, measured, write


def fit(cli: AtelierCLI, keep_every: int) -> dict[str, float]:
    """Seconds and peak memory of one run; the weights go on from where they are."""
    with tempfile.TemporaryDirectory() as path:
        folder = WriteRun(Path(path), "", cli.datamodule.task, "", keep_every)
        trainer = cli.instantiate_trainer(max_steps=RUN, callbacks=[StepProgress(), folder])
        return measured(lambda: trainer.fit(cli.model, datamodule=cli.datamodule))


def main() -> None:
    cli = build()
    figures = {"steps": RUN, "load_seconds": cli.load_seconds}
    keep_every = cli.config["run"]["keep_every"]
    for name, every in (("first", keep_every), ("again", keep_every), ("without pictures", 0)):
        figures[name] = fit(cli, every)
        write(figures)


if __name__ == "__main__":
    main()
