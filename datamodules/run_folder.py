"""The run folder: names of its files, what each holds, one reader and one writer.

    config.yaml          the complete configuration, which alone reproduces the run
    parse.json           the targets, as `datamodules.target_entries` writes them
    content.png          the working picture          mask.png     all that is to be stylized
    mask-1.png, ...      one mask per region, where there are several, the background last
    steps/000020.png     intermediate pictures        losses.csv   one row per step
    output.png           the result                   output_enhanced.png   with more contrast
    output_full.png      the result at full size, where one was asked for; these three carry their
                         recipe, see `recipes`
    frames/000.png, ...  pictures from one style to another, where they were asked for: at full size
                         000_full.png, ...; small and side by side strip.png, moving frames.gif
    checkpoint.ckpt      from which a run goes on, see `run_checkpoints`
    style.safetensors    the final styles of generators that have some apart from their network
    result.json          see `run_records.Result`; written last: a run that has it has finished
    job.json             see `run_records.JobRecord`, of runs that a sweep or a bench has made
    failure.json         see `run_records.FailureRecord`, of such runs that have failed
    stopped.json         see `run_records.StopRecord`, of runs that a search has stopped
    INTERRUPTED.txt, FAILED.txt    when and why a run stopped early

A folder of any other system that holds content.png, output.png and parse.json is read just the
same. The module imports no torch, so that thousands of folders can be listed at once.
"""

from __future__ import annotations

import csv
import io
import json
import math
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from datamodules.run_records import (
    FORMAT,
    FailureRecord,
    JobRecord,
    Record,
    Result,
    StopRecord,
    newer_format,
    record,
)
from datamodules.support.errors import AtelierError
from datamodules.support.files import atomic, sha256, temporaries, write_json, write_text
from datamodules.target_entries import entry_of, target_of
from datamodules.task import Area, Blend, StyleTarget, styles_by_area

if TYPE_CHECKING:
    from PIL import Image
    from torch import Tensor

    from datamodules.task import StyleTask

CONFIG, PARSE, LOSSES = "config.yaml", "parse.json", "losses.csv"
RESULT, JOB, FAILURE = "result.json", "job.json", "failure.json"
STOPPED = "stopped.json"
LOCK = ".lock"  # of the program that makes the run
CONTENT, MASK, REGION_MASK = "content.png", "mask.png", "mask-{}.png"
OUTPUT, ENHANCED, FULL = "output.png", "output_enhanced.png", "output_full.png"
FRAME, FULL_FRAME, STRIP, MOVING = "{:03}.png", "{:03}_full.png", "strip.png", "frames.gif"
STYLE = "style.safetensors"
CHECKPOINT = "checkpoint.ckpt"
CHECKED = (CONTENT, MASK, OUTPUT, FULL)  # pictures whose SHA-256 is in result.json
WITH_RECIPE = (OUTPUT, ENHANCED, FULL)
STEPS, FRAMES, WANDB = "steps", "frames", "wandb"  # folders
INTERRUPTED, FAILED = "INTERRUPTED.txt", "FAILED.txt"
# Everything that a run leaves behind after its first step, except for pictures in folders.
OUTCOMES = (
    RESULT,
    LOSSES,
    OUTPUT,
    ENHANCED,
    FULL,
    STYLE,
    STRIP,
    MOVING,
    STOPPED,
    INTERRUPTED,
    FAILED,
)


class RunFolder:
    """Reader of one run folder; every property is read when it is first used, and then kept.

    A missing file counts as an empty one. `strict` is the policy for damaged ones: AtelierError
    says which file, or else (lenient) they count as missing too.
    """

    def __init__(self, path: Path, strict: bool = True) -> None:
        self.path = path
        self.strict = strict

    def require(self, *names: str) -> None:
        """AtelierError unless all of these files exist."""
        for name in names:
            if not (self.path / name).exists():
                raise AtelierError(f"{self.path} has no {name}; it is no whole run: make it again")

    @property
    def finished(self) -> bool:
        """Whether the run has a result, be it damaged."""
        return (self.path / RESULT).exists()

    @property
    def damage(self) -> str:
        """Why the result of a finished run cannot be used, "" if it can: the run is open again."""
        strict = RunFolder(self.path)
        try:
            if not strict.json_object(RESULT):
                return f"{self.path / RESULT} is empty"
            _ = strict.result
        except AtelierError as error:
            return str(error).rpartition(";")[0]
        return "" if (self.path / OUTPUT).exists() else f"{self.path} has no {OUTPUT}"

    @property
    def altered(self) -> list[str]:
        """Names of pictures that are no longer those that the run wrote, or are gone."""
        digests = self.result.sha256
        return [n for n in digests if not _is_file_of(self.path / n, digests[n])]

    @cached_property
    def config_text(self) -> str:
        """Text of config.yaml."""
        return self._text(CONFIG)

    @cached_property
    def config(self) -> dict[str, Any]:
        """The run's complete configuration."""
        try:
            config = loaded(self.config_text)
        except yaml.YAMLError as error:
            return self._damaged(CONFIG, error, {})
        return config if isinstance(config, dict) else self._unless_empty(CONFIG, config, {})

    def setting(self, name: str) -> Any:
        """A setting of the configuration by its dotted name, None if there is none."""
        value: Any = self.config
        for part in name.split("."):
            value = value.get(part) if isinstance(value, dict) else None
        return value

    @cached_property
    def targets(self) -> tuple[StyleTarget, ...]:
        """The targets of the run in the order of its instruction."""
        rows = self._json(PARSE)
        try:
            return tuple(map(target_of, rows or ()))
        except (TypeError, ValueError) as error:
            if not self.strict:
                return ()
            raise AtelierError(
                f'{self.path / PARSE} is no list of {{"object": ..., "style": ...}}; make the run '
                "again"
            ) from error

    @property
    def styles(self) -> dict[Area, Blend]:
        """Styles of each region, the background last."""
        return styles_by_area(self.targets)

    @property
    def masks(self) -> tuple[Path, ...]:
        """One mask file per region, in the order of `styles`; () where mask.png is the only one."""
        count = len(self.styles)
        files = tuple(self.path / REGION_MASK.format(k) for k in range(1, count + 1))
        return files if count > 1 and files[0].exists() else ()

    @property
    def steps(self) -> dict[int, Path]:
        """The intermediate pictures by step."""
        files = {int(p.stem): p for p in (self.path / STEPS).glob("*.png") if p.stem.isdecimal()}
        return dict(sorted(files.items()))

    @cached_property
    def losses(self) -> dict[str, list[float]]:
        """Columns of losses.csv by name, "step" first; NaN for what is no number."""
        try:
            rows = list(csv.DictReader(self._text(LOSSES).splitlines()))
        except csv.Error as error:
            return self._damaged(LOSSES, error, {})
        if rows and "step" not in rows[0]:
            return self._damaged(LOSSES, KeyError("step"), {})
        return {name: [_number(row[name]) for row in rows] for name in (rows or [{}])[0] if name}

    @cached_property
    def result(self) -> Result:
        """Contents of result.json. A newer format than ours is refused, or (lenient) empty."""
        raw = self.json_object(RESULT)
        if isinstance(version := raw.get("format", FORMAT), int) and version > FORMAT:
            return self._refused(newer_format(self.path / RESULT, version), Result())
        return self._record(Result, RESULT, raw)

    @cached_property
    def job(self) -> JobRecord:
        """Contents of job.json."""
        return self._record(JobRecord, JOB, self.json_object(JOB))

    @cached_property
    def failure(self) -> FailureRecord:
        """Contents of failure.json."""
        return self._record(FailureRecord, FAILURE, self.json_object(FAILURE))

    @cached_property
    def stop(self) -> StopRecord:
        """Contents of stopped.json."""
        return self._record(StopRecord, STOPPED, self.json_object(STOPPED))

    def _text(self, name: str) -> str:
        try:
            errors = "strict" if self.strict else "replace"
            return (self.path / name).read_text(encoding="utf-8", errors=errors)
        except (FileNotFoundError, NotADirectoryError):
            return ""
        except (OSError, ValueError) as error:
            return self._damaged(name, error, "")

    def _json(self, name: str) -> Any:
        try:
            return json.loads(text) if (text := self._text(name)) else None
        except (ValueError, RecursionError) as error:
            return self._damaged(name, error, None)

    def json_object(self, name: str) -> dict[str, Any]:
        """A JSON file as it is, {} if it is missing."""
        value = self._json(name)
        return value if isinstance(value, dict) else self._unless_empty(name, value, {})

    def _record(self, kind: type[Record], name: str, raw: dict[str, Any]) -> Record:
        try:
            return record(kind, raw)
        except TypeError as error:
            return self._damaged(name, error, kind())

    def _unless_empty(self, name: str, value: Any, empty: Any) -> Any:
        return empty if value is None else self._damaged(name, TypeError(), empty)

    def _damaged(self, name: str, error: Exception, empty: Any) -> Any:
        why = f"{self.path / name} is damaged ({type(error).__name__}); make the run again"
        return self._refused(why, empty)

    def _refused(self, why: str, empty: Any) -> Any:
        if self.strict:
            raise AtelierError(why)
        return empty


def loaded(config: str) -> Any:
    """The values in a configuration's text; None for an empty one. Raises yaml.YAMLError."""
    return yaml.load(config, getattr(yaml, "CSafeLoader", yaml.SafeLoader))


def _number(text: str | None) -> float:
    try:
        return float(text or "")
    except ValueError:
        return math.nan


def _is_file_of(path: Path, digest: str) -> bool:
    return path.is_file() and sha256(path) == digest


def find(
    root: Path, marks: Sequence[str], onerror: Callable[[OSError], None] | None = None
) -> Iterator[tuple[str, list[str]]]:
    """Run folders at or below a folder, each as its path and the names of its files.

    marks: file names; a folder with any of them is a run, and the folders for intermediate
    pictures and logs within it hold no further runs.
    """
    for at, below, files in os.walk(root, onerror=onerror):
        if any(mark in files for mark in marks):
            below[:] = [name for name in below if name not in (STEPS, FRAMES, WANDB)]
            yield at, files


class RunWriter:
    """Writer of one run folder; every file is written whole or not at all.

    path: the folder; it is made if missing. recipe: text in the metadata of its results.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.recipe = ""

    @property
    def finished(self) -> bool:
        """Whether the folder has a result."""
        return (self.path / RESULT).exists()

    def clear(self, finished: bool = False) -> None:
        """Delete the outcomes of an earlier run, which must not pass for this one's.

        finished: that run may have finished; else AtelierError if it has.
        """
        if self.finished and not finished:
            raise AtelierError(
                f"{self.path} already holds a finished run; choose another --out or add --overwrite"
            )
        if self.finished:
            (self.path / CHECKPOINT).unlink(missing_ok=True)
        if not self.path.is_dir():
            return
        self.discard()
        for unfinished in temporaries(self.path):
            unfinished.unlink(missing_ok=True)

    def discard(self) -> None:
        """Delete all outcomes, the result first, without which the others are no whole run."""
        for name in OUTCOMES:
            (self.path / name).unlink(missing_ok=True)

    def write_task(self, task: StyleTask, config: str, resumed: bool = False) -> None:
        """Everything that is fixed before the first step. resumed: earlier steps stay."""
        from datamodules.images import to_picture

        self.write_config(config)
        note = {"parser_note": task.parse_note} if task.parse_note else {}
        write_json(self.path / PARSE, [entry_of(target) | note for target in task.targets])
        self.write_image(CONTENT, task.content, task.alpha)
        self.write_picture(MASK, to_picture(task.stylized))
        patterns = [REGION_MASK.format("*"), f"{FRAMES}/*.png"]
        patterns += [] if resumed else [f"{STEPS}/*.png", CHECKPOINT]
        for earlier in [path for pattern in patterns for path in self.path.glob(pattern)]:
            earlier.unlink()
        if len(task.regions) > 1:
            for number, region in enumerate(task.regions, start=1):
                self.write_picture(REGION_MASK.format(number), to_picture(region.mask))

    def write_config(self, config: str) -> None:
        """The complete configuration, a text in YAML."""
        write_text(self.path / CONFIG, config)

    def write_picture(self, name: str, picture: Image.Image) -> None:
        """A picture under one of the names above."""
        from datamodules.images import save_png

        save_png(picture, self.path / name, self.recipe if name in WITH_RECIPE else "")

    def write_image(self, name: str, image: Tensor, alpha: Tensor | None) -> None:
        """A picture (3, H, W) in [0, 1] on white, with the photo's alpha (H, W), if it has any."""
        from datamodules.images import to_picture, with_alpha

        self.write_picture(name, to_picture(with_alpha(image.cpu(), alpha)))

    def write_step(self, step: int, image: Tensor, alpha: Tensor | None) -> None:
        """An intermediate picture, after so many steps; see `write_image`."""
        self.write_image(f"{STEPS}/{step:06}.png", image, alpha)

    def write_frame(
        self, number: int, image: Tensor, alpha: Tensor | None, full: bool = False
    ) -> None:
        """A picture on the way from one style to another; see `write_image`."""
        self.write_image(f"{FRAMES}/{(FULL_FRAME if full else FRAME).format(number)}", image, alpha)

    def write_style(self, styles: Mapping[str, Tensor]) -> None:
        """The final styles by name; nothing without any."""
        from safetensors.torch import save_file

        if styles:
            with atomic(self.path / STYLE) as temporary:
                save_file({n: value.cpu().contiguous() for n, value in styles.items()}, temporary)

    def write_moving(self, pictures: Sequence[Image.Image], milliseconds: int) -> None:
        """Pictures in RGB of one size as a GIF that goes there and back without an end."""
        there_and_back = [*pictures[1:], *pictures[-2:0:-1]]
        with atomic(self.path / MOVING) as temporary:
            pictures[0].save(
                temporary,
                format="GIF",
                save_all=True,
                append_images=there_and_back,
                duration=milliseconds,
                loop=0,
            )

    def write_losses(self, course: Sequence[Mapping[str, float]]) -> None:
        """The losses of all steps so far, by name; nothing without any."""
        if not course:
            return
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(["step", *course[0]])
        writer.writerows([step, *row.values()] for step, row in enumerate(course))
        write_text(self.path / LOSSES, text.getvalue())

    def write_output(self, image: Tensor, alpha: Tensor | None, stretch: bool = False) -> None:
        """The result, see `write_image`, and the same with more contrast, as by `enhance`."""
        from datamodules.images import enhance

        self.write_image(OUTPUT, image, alpha)
        self.write_image(ENHANCED, enhance(image, stretch), alpha)

    def write_stopped(self, exception: BaseException, steps: int) -> None:
        """A note that the run stopped early, after so many steps, and why."""
        interrupted = isinstance(exception, KeyboardInterrupt)
        reason = "interrupted" if interrupted else f"stopped by {type(exception).__name__}"
        write_text(
            self.path / (INTERRUPTED if interrupted else FAILED),
            f"This run was {reason} after {steps} steps. {exception}\n"
            "It has no result. Start it again with: atelier stylize --config config.yaml\n",
        )

    def write_result(self, result: Result, keep_checkpoint: bool = False) -> None:
        """The result with the digests of its pictures, which marks the run as finished."""
        pictures = (name for name in CHECKED if (self.path / name).exists())
        digests = {name: sha256(self.path / name) for name in pictures}
        write_json(self.path / RESULT, asdict(replace(result, sha256=digests)))
        if not keep_checkpoint:
            (self.path / CHECKPOINT).unlink(missing_ok=True)

    def update_result(self, changes: Mapping[str, Any]) -> None:
        """Entries of result.json replaced, all others kept, ours or another system's."""
        raw = RunFolder(self.path).json_object(RESULT)
        write_json(self.path / RESULT, {"format": FORMAT} | raw | dict(changes))

    def write_job(self, job: JobRecord) -> None:
        """The place of the run among others."""
        write_json(self.path / JOB, asdict(job))

    def write_stop(self, stop: StopRecord) -> None:
        """Why a search has stopped the run."""
        write_json(self.path / STOPPED, asdict(stop))

    def write_failure(self, failure: FailureRecord) -> None:
        """Why the run has no result."""
        write_json(self.path / FAILURE, asdict(failure))
