"""Logging to Weights & Biases; without a key it is offline and opens no connection."""

from __future__ import annotations

import logging
import netrc
import os
import sys
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import yaml
from lightning import Callback
from lightning.pytorch.loggers import WandbLogger

from datamodules.run_folder import CONTENT, FULL, MASK, OUTPUT, WANDB, RunFolder
from datamodules.support.extras import is_installed
from datamodules.support.home import home
from experiments.run.offline import PROJECT, WITHOUT_PACKAGE
from lightning_modules.callbacks import FLUSH_EVERY, WriteRun

log = logging.getLogger(__name__)

# Folders of W&B's that lie beside the run, by the variable that moves each; what the user has set
# stays. Its configuration follows only where the home folder cannot hold one.
FOLDERS = {"WANDB_CACHE_DIR": "cache", "WANDB_DATA_DIR": "data", "WANDB_CONFIG_DIR": "config"}
SET_BY_USER = frozenset(FOLDERS) & os.environ.keys()


@dataclass
class Wandb:
    """Weights & Biases.

    Args:
        enabled: log to W&B. Without an API key the log is written to the run folder, for
            `wandb sync` later.
        project: the W&B project.
        group: the W&B group of the run, e.g. its sweep.
        tags: the W&B tags of the run.
        id: of the W&B run; an existing run is continued.
    """

    enabled: bool = True
    project: str = PROJECT
    group: str = ""
    tags: list[str] = field(default_factory=list)
    id: str = ""


def has_key() -> bool:
    """Whether the environment or ~/.netrc, where `wandb login` puts it, has a W&B key."""
    if os.environ.get("WANDB_API_KEY"):
        return True
    import wandb

    host = urlsplit(wandb.Settings().base_url).netloc
    try:
        return netrc.netrc().authenticators(host) is not None
    except (OSError, netrc.NetrcParseError):
        return False


def settle_folders(run: Path) -> None:
    """Place what W&B keeps besides the run, such as its own log, in the run's folder as well."""
    own = {"WANDB_CONFIG_DIR"} if os.access(home(), os.W_OK) else set()
    for variable in FOLDERS.keys() - SET_BY_USER - own:
        os.environ[variable] = str((run / WANDB / FOLDERS[variable]).absolute())


def wandb_logger(settings: Wandb, folder: WriteRun) -> WandbLogger | None:
    """The W&B logger of a run, with its name and complete configuration; None if disabled."""
    if not settings.enabled or os.environ.get("WANDB_MODE") == "disabled":
        return None
    if not is_installed("wandb"):
        print(WITHOUT_PACKAGE, file=sys.stderr)
        return None
    os.environ.setdefault("WANDB_SILENT", "true")  # keeps stdout and stderr free
    settle_folders(folder.folder)
    import wandb

    def start(mode: str) -> WandbLogger:
        # In the environment, too: with init() alone, W&B contacts its server first.
        os.environ["WANDB_MODE"] = mode
        run = wandb.init(
            project=settings.project,
            name=folder.name,
            dir=folder.folder,
            mode=mode,
            group=settings.group or None,
            tags=settings.tags or None,
            id=settings.id or None,
            resume="allow" if settings.id and mode != "offline" else None,
            config=yaml.safe_load(folder.config),
            settings=wandb.Settings(console="off", silent=True, init_timeout=30),
        )
        return WandbLogger(experiment=run)

    if not has_key():
        return start("offline")
    try:
        return start(os.environ.get("WANDB_MODE", "online"))
    except wandb.Error as error:
        log.warning("W&B cannot be reached (%s): this run is logged offline", error)
        return start("offline")


class LogRun(Callback):
    """Logs the losses of every step and the pictures on the way, whenever the run writes its own.

    It comes after the run's own callback.
    """

    def __init__(self, logger: WandbLogger, run: WriteRun) -> None:
        self.logger, self.run = logger, run
        self._steps = self._logged = 0

    def on_train_batch_end(self, trainer, module, outputs, batch, batch_idx) -> None:
        self._steps += 1
        if self._steps % FLUSH_EVERY == 0:
            self.log_new()

    def on_fit_end(self, trainer, module) -> None:
        self.log_new()

    def on_exception(self, trainer, module, exception) -> None:
        self.log_new()
        self.logger.experiment.finish(exit_code=1)

    def log_new(self) -> None:
        """Log the steps since the last call."""
        course, pictures = self.run.course, RunFolder(self.run.folder).steps
        for step in range(self._logged, len(course)):
            self.logger.log_metrics(course[step], step)
            if step + 1 in pictures:
                self.logger.log_image("on the way", [str(pictures[step + 1])], step=step)
        self._logged = len(course)


def log_scores(folder: Path, values: dict[str, float | None]) -> None:
    """Add scores to the summary of the W&B run in a run folder, and close it again.

    Offline this writes a second part of the same run beside the first, for `wandb sync`.
    """
    parts = sorted((folder / WANDB).glob("*run-*-*"))
    if not parts or os.environ.get("WANDB_MODE") == "disabled" or not is_installed("wandb"):
        return
    os.environ.setdefault("WANDB_SILENT", "true")
    settle_folders(folder)
    offline = not has_key() or parts[-1].name.startswith("offline")
    if offline:
        os.environ["WANDB_MODE"] = "offline"
    import wandb

    # By the file, run-ID.wandb: a second part of the same second has a number after its name.
    (file,) = parts[-1].glob("run-*.wandb")
    run = wandb.init(
        id=file.stem.removeprefix("run-"),
        resume=None if offline else "allow",
        project=RunFolder(folder).setting("wandb.project"),
        dir=folder,
        settings=wandb.Settings(console="off", silent=True, init_timeout=30),
    )
    run.summary.update({name: value for name, value in values.items() if value is not None})
    run.finish()


def finish(logger: WandbLogger, folder: Path, metrics: dict[str, float]) -> None:
    """Log the pictures, at full size as well, and the final metrics, and close the W&B run."""
    names = [name for name in (CONTENT, MASK, OUTPUT, FULL) if (folder / name).exists()]
    pictures = [str(folder / name) for name in names]
    logger.log_image("pictures", pictures, caption=[Path(name).stem for name in names])
    logger.experiment.summary.update(metrics)
    logger.experiment.finish()
