"""LightningCLI over methods and pictures: one configuration makes one run.

A run sets up the task (parse, mask), opens its folder, fits, scores, and writes result.json last.
`atelier fit` gives the words of a command line, everything else a configuration with settings.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from pkgutil import resolve_name
from typing import Any

from lightning import Trainer
from lightning.pytorch.cli import LightningArgumentParser, LightningCLI
from lightning.pytorch.loggers import WandbLogger

from datamodules.interpolation import Interpolation
from datamodules.models.allocator import keep_freed_memory, return_freed_memory
from datamodules.request import Request
from datamodules.run_folder import CHECKPOINT, CONFIG, RunWriter, loaded
from datamodules.stylization import StylizationDataModule, TogetherDataModule
from datamodules.support.errors import AtelierError
from datamodules.support.files import slug
from datamodules.support.versions import versions_of_pictures
from experiments.run.building import add_code, build, unbuilt
from experiments.run.configuration import class_paths, with_settings, without_losses
from experiments.run.frames import Frames
from experiments.run.going_on import step_to_go_on_from
from experiments.run.options import spell_out
from experiments.run.run_settings import Run, vacant
from experiments.run.schema import TRAINER_DEFAULTS
from experiments.run.score_run import write_result
from experiments.run.sources import code_digest
from experiments.run.tracking import LogRun, Wandb, finish, wandb_logger
from experiments.run.watch import Watch
from experiments.run.watching import Report
from lightning_modules.callbacks import StepProgress, WriteRun
from lightning_modules.generators.one_pass import OnePass
from lightning_modules.run_checkpoints import RunCheckpoints, owner_of
from lightning_modules.steps.contract import refuse_unfinished
from lightning_modules.steps.memory import available, fit_into, fit_one_pass
from lightning_modules.stopping import StopAbove
from lightning_modules.stylization import Stylization

EPILOG = (
    "The settings of a method, and of a part of it: atelier fit --model.help soulstyler; "
    "atelier fit --config configs/methods/soulstyler.yaml --model.generator.help painter"
)

log = logging.getLogger(__name__)


class AtelierCLI(LightningCLI):
    """LightningCLI with a method, a picture, and the settings `run` and `wandb`.

    Attributes:
        load_seconds: time to import and build everything.
        first: steps that a checkpoint of the run has already, once `set_up` has looked.
        needed: bytes that the steps take beside the networks, once `set_up` has estimated them.
        end: styles of each area at the end of an interpolation, those of the run without one.
        goes_on: whether a run in the folder gets more steps; its result stays until they are made.
    """

    goes_on: bool = False

    def add_arguments_to_parser(self, parser: LightningArgumentParser) -> None:
        parser.add_class_arguments(Run, "run")
        parser.add_class_arguments(Interpolation, "interpolation")
        parser.add_class_arguments(Wandb, "wandb")
        add_code(parser)

    def before_instantiate_classes(self) -> None:
        """Refuse regions that the method cannot serve, before models are loaded (AtelierError)."""
        method = resolve_name(self.config["model"]["class_path"])
        refuse_unfinished(method)
        data = self.config["data"]
        if data["background_style"] and method.most_regions == 1:
            raise AtelierError(
                f"{method.__name__} takes one style and none for the background; leave "
                "--background-style out, or choose --method sem_cs"
            )
        method.check(Request(targets=data["targets"] or ()).one_by_one())
        self.refuse_interpolation()

    def instantiate_classes(self) -> None:
        """Build all parts; for a run without steps, none that only losses need."""
        whole = self.config
        if not whole["trainer"]["max_steps"]:
            self.config = whole.clone()
            without_losses(self.config["model"]["init_args"])
        # Hyperparameters, for which Lightning would validate everything once more.
        self.config_dump = loaded(self.dumped())
        super().instantiate_classes()
        self.config = whole

    def refuse_interpolation(self) -> None:
        """AtelierError for an interpolation by a method whose styles are optimised."""
        if not self.interpolation.to:
            return
        generator = resolve_name(self.config["model"]["init_args"]["generator"]["class_path"])
        if not (issubclass(generator, OnePass) and generator.reads_texts):
            name = self.config["model"]["class_path"].rpartition(".")[2]
            raise AtelierError(
                f"{name} with {generator.__name__} has nothing between two styles; interpolate "
                "with --method fast_clipstyler"
            )
        if self.config["trainer"]["max_steps"]:
            raise AtelierError(
                "--to goes from text to text in one pass each, and steps optimise the first style "
                "only; leave --steps out"
            )
        if self.interpolation.full and not self.config["data"]["full_size"]:
            raise AtelierError("--full-frames needs a size; give --full-size 2048")

    @property
    def interpolation(self) -> Interpolation:
        """Interpolation of the configuration."""
        return Interpolation(**self.config["interpolation"])

    @classmethod
    def from_settings(
        cls, config: Mapping[str, Any], settings: Mapping[str, Any], started: float
    ) -> AtelierCLI:
        """Build a run from a configuration with settings over it, by dotted name.

        Short names of parts are resolved. started: `time.perf_counter()` before the first import,
        where the time to load begins. Raises AtelierError for a setting that does not fit.
        """
        return cls._built(with_settings(config, settings), started)

    @classmethod
    def from_arguments(cls, arguments: Sequence[str], started: float) -> AtelierCLI:
        """Build a run from the words of a command line, as LightningCLI reads them."""
        return cls._built(spell_out(arguments), started)

    @classmethod
    def _built(cls, arguments: dict[str, Any] | list[str], started: float) -> AtelierCLI:
        cli = cls._build(arguments)
        one_pass = isinstance(cli.model.generator, OnePass)
        if (steps := cli.config["trainer"]["max_steps"]) < (0 if one_pass else 1):
            raise AtelierError(f"{steps} steps optimise nothing; give --steps 120")
        cli.load_seconds = time.perf_counter() - started
        return cli

    @classmethod
    def _build(cls, arguments: dict[str, Any] | list[str]) -> AtelierCLI:
        return build(
            cls,
            Stylization,
            StylizationDataModule,
            arguments,
            subclass_mode_model=True,
            trainer_defaults=TRAINER_DEFAULTS,
            parser_kwargs={"prog": "atelier fit", "epilog": EPILOG},
        )

    @classmethod
    def refuse_wrong(cls, config: Mapping[str, Any]) -> None:
        """AtelierError for a configuration of which a run would not be built; none is built."""
        unbuilt(cls)._build(dict(config))

    def instantiate_trainer(self, **settings: Any) -> Trainer:
        """Build the trainer, for one more step if the method's deviations include it."""
        steps = self.config["trainer"]["max_steps"]
        if steps:
            steps += self.model.deviations.extra_step
        return super().instantiate_trainer(**{"max_steps": steps} | settings)

    def run(self, watch: Watch | None = None) -> WriteRun:
        """Set up, fit and score; return the finished run."""
        run, watch = self.set_up(), watch or Watch()
        with record_failure([run]):
            watch.on_start(run, self.needed)
            logger = self.logger(run)
            log = [LogRun(logger, run)] if logger else []
            checkpoints = [self.checkpoints] if self.checkpoints else []
            others = [*log, *self.early_stop(), Report(watch, run, partial(self.shorten, run))]
            # Last, so that they have what the others have noted of the step.
            self.trainer.callbacks += [StepProgress(), run, *others, *checkpoints]
            path = self.checkpoints.path if self.first else None
            if path:
                watch.on_resume(self.first)
            self.trainer.fit(self.model, None, None, self.datamodule, path, weights_only=True)
            metrics = self.write_result(run)
        if logger:
            finish(logger, run.folder, metrics)
        return run

    def set_up(self) -> WriteRun:
        """Parse, mask and open the run's folder: everything before the first step."""
        data = self.datamodule
        self.end = self.interpolation.ends(data.targets, bool(data.style_image))
        self.model.begin(data, list(self.end.values()))
        self.needed = self.fit_into_memory()
        return self._open_folder()

    def fit_into_memory(self) -> int:
        """Estimate of the bytes that the steps will take; AtelierError if there are fewer."""
        device = self.trainer.strategy.root_device
        free, batch = available(device, self.model.memory), self.datamodule.task.batch()
        fit = fit_into if self.trainer.max_steps else fit_one_pass
        needed = fit(self.model, batch, free)
        roomy = device.type != "cpu" or 2 * needed < free
        (keep_freed_memory if roomy else return_freed_memory)()
        return needed

    def early_stop(self) -> list[StopAbove]:
        """The callback that stops the run where it is behind others, if it has limits."""
        settings = self.config["run"]
        limits = settings["stop_above"]
        return [StopAbove(limits, settings["stop_loss"])] if limits else []

    def conclude(self, run: WriteRun) -> None:
        """Score a run that was optimised jointly with others, and log all of it at once."""
        with record_failure([run]):
            metrics = self.write_result(run)
        if logger := self.logger(run):
            LogRun(logger, run).log_new()
            finish(logger, run.folder, metrics)

    def write_result(self, run: WriteRun) -> Mapping[str, float | None]:
        """Score the run and write its result.json; the scores."""
        return write_result(run, self.trainer, self.model, self.datamodule, self.load_seconds)

    def logger(self, run: WriteRun) -> WandbLogger | None:
        """Logger of the run at W&B; None if disabled."""
        return wandb_logger(Wandb(**self.config["wandb"]), run)

    def _open_folder(self) -> WriteRun:
        task, method = self.datamodule.task, type(self.model).__name__
        target, style_image = task.targets[0], Path(self.datamodule.style_image).stem
        words = (method, Path(self.datamodule.image).stem, target.area.label)
        name = "-".join(slug(word) for word in (*words, target.style or style_image))
        out = self.config["run"]["out"]
        path = Path(out) if out else vacant(Path("runs") / name)
        writer, settings = RunWriter(path), self.config["run"]
        untouched = self.goes_on and writer.finished
        if not untouched:
            writer.clear(settings["overwrite"])
        keep, full = settings["keep_every"], self.datamodule.full
        run = WriteRun(path, name, task, self.dumped(), keep, full, self._frames())
        run.keep_checkpoint = settings["keep_checkpoint"]
        self.checkpoints = self._checkpoints(path)
        if self.goes_on:
            self.first = step_to_go_on_from(self.checkpoints, self.model, self.trainer)
        else:
            self.first = self.checkpoints.step() if self.checkpoints else 0
        if not untouched:
            run.write_task(resumed=bool(self.first))
        return run

    def dumped(self, steps: int | None = None) -> str:
        """The complete configuration as YAML, with other `trainer.max_steps` where they differ."""
        config = self.config.clone()
        if steps is not None:
            config["trainer"]["max_steps"] = steps
        # It was validated when it was parsed; once more would take as long as that.
        return self.parser.dump(config, skip_unset=False, skip_validation=True)

    def shorten(self, run: WriteRun, steps: int) -> None:
        """Let the configuration of a run that is ended after so many steps repeat just these.

        Where the schedule of the learning rate depends on the steps that were planned, none does,
        which is noted instead.
        """
        planned = self.trainer.max_steps
        if self.model.same_rates(planned, steps, steps):
            run.config = self.dumped(steps - self.model.deviations.extra_step)
            return
        run.stop_note = (
            f"The run was ended after {steps} of {planned} steps, and the schedule of its learning "
            f"rate depends on the {planned}: {CONFIG} makes all of them, and so another picture"
        )
        log.warning(run.stop_note)

    def _checkpoints(self, path: Path) -> RunCheckpoints | None:
        """Writer of the run's checkpoints, if it has some."""
        settings, steps = self.config["run"], self.trainer.max_steps
        every = settings["checkpoint_every"]
        if not ((every or settings["keep_checkpoint"]) and steps):
            return None
        own = self.config.clone()
        for name in ("run", "wandb", "code", "trainer.max_steps"):  # without effect on a step
            del own[name]
        config = self.parser.dump(own, skip_unset=False, skip_validation=True)
        classes = class_paths(loaded(config))
        code = code_digest(tuple(sorted({path.rpartition(".")[0] for path in classes})))
        owner = owner_of(config, versions_of_pictures() | {"code": code}, self.datamodule.task)
        return RunCheckpoints(path / CHECKPOINT, every, owner, steps)

    def _frames(self) -> Frames | None:
        """Writer of the interpolation, if there is one."""
        settings, data = self.interpolation, self.datamodule
        if not settings.to:
            return None
        full = data.full if settings.full else None
        return Frames(data.task, self.end, settings.shares(), full)


@contextmanager
def record_failure(runs: Sequence[WriteRun]) -> Iterator[None]:
    """Write the reason into the folders of runs that an exception ends, and raise it again."""
    try:
        yield
    except BaseException as error:
        # Lightning turns Ctrl-C into sys.exit(1).
        cause = KeyboardInterrupt() if isinstance(error, SystemExit) else error
        for run in runs:
            run.write_stopped(cause)
        raise cause from error


def run_together(runs: Sequence[tuple[AtelierCLI, WriteRun]]) -> None:
    """Optimise runs jointly, after their `set_up`, with the first one's trainer."""
    from lightning_modules.steps.joint import JointStylization, RunFolders

    writers = [run for _, run in runs]
    with record_failure(writers):
        trainer = runs[0][0].trainer
        trainer.callbacks += [StepProgress(), RunFolders(writers)]
        data = TogetherDataModule([cli.datamodule for cli, _ in runs])
        trainer.fit(JointStylization([cli.model for cli, _ in runs]), datamodule=data)
