"""Tasks of a worker process: reading an instruction, finding objects, painting.

Each is picklable and has `carry_out(tell, stop_asked)`, whose result is picklable, too. `tell`
sends an event to the page; `stop_asked` says whether somebody wants the end.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from datamodules.models.cache import once_per_process
from experiments.run.order import Order
from experiments.run.visit import visit
from experiments.run.watch import Progress, Watch
from experiments.studio.masks import AreaMask

if TYPE_CHECKING:
    from datamodules.parsing.base import Parser
    from datamodules.segmentation.base import Segmenter
    from datamodules.task import StyleTarget

Tell = Callable[[Any], None]
StopAsked = Callable[[], bool]
READING, PAINTING = "reading", "painting"  # the two workers
QUALITY = 85  # of the pictures on the way


class Task(Protocol):
    """Something for a worker to do.

    worker: READING or PAINTING. newest_only: whether a newer one of the same tab takes the place of
    one that still waits.
    """

    worker: ClassVar[str]
    newest_only: ClassVar[bool]

    def carry_out(self, tell: Tell, stop_asked: StopAsked) -> Any:
        """Do it; AtelierError where the user can mend what is wrong."""


@dataclass(frozen=True)
class Reading:
    """An instruction as it was understood. warnings: sentences about what may be wrong."""

    targets: tuple[StyleTarget, ...]
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Read:
    """Reading of an instruction. parser: a name, as `--parser` takes it."""

    text: str
    parser: str = "smollm2"

    worker: ClassVar[str] = READING
    newest_only: ClassVar[bool] = True

    def carry_out(self, tell: Tell, stop_asked: StopAsked) -> Reading:
        from datamodules.parsing.base import read_targets

        with visit() as messages:
            parser = _parser(self.parser)
            targets = read_targets(parser, self.text)
        notes = dict.fromkeys((*messages, *filter(None, [parser.note])))
        return Reading(tuple(targets), tuple(notes))


@dataclass(frozen=True)
class ReadPhrase:
    """Reading of a phrase for an object: "everything except the boat"; targets without styles."""

    text: str

    worker: ClassVar[str] = READING
    newest_only: ClassVar[bool] = True

    def carry_out(self, tell: Tell, stop_asked: StopAsked) -> tuple[StyleTarget, ...]:
        from datamodules.parsing.phrases import read_phrase

        return tuple(read_phrase(self.text))


@dataclass(frozen=True)
class Finding:
    """Masks of all areas that need one, in the order in which a run takes their files.

    segmenter: its class. warnings: as in `Reading`.
    """

    masks: tuple[AreaMask, ...]
    segmenter: str
    warnings: tuple[str, ...] = ()

    @property
    def whole(self) -> bool:
        """Whether the picture as a whole is to be painted, and no mask needed."""
        return not self.masks


@dataclass(frozen=True)
class Find:
    """Finding of objects in a photo.

    folder: for the masks; those of an earlier one are replaced. threshold: in (0, 1), of the
    segmenter or, if it has none, of its masks; None = the usual one.
    """

    photo: Path
    targets: tuple[StyleTarget, ...]
    folder: Path
    segmenter: str = "bridge"
    threshold: float | None = None

    worker: ClassVar[str] = READING
    newest_only: ClassVar[bool] = False

    def carry_out(self, tell: Tell, stop_asked: StopAsked) -> Finding:
        from experiments.studio.masks import find_masks

        with visit() as messages:
            segmenter, threshold = _segmenter(self.segmenter, self.threshold)
            masks = find_masks(self.photo, self.targets, segmenter, self.folder, threshold)
        return Finding(masks, segmenter.name, tuple(messages))


@dataclass(frozen=True)
class KeepPieces:
    """Choice of some connected pieces of a mask, by their indices; the result is a file."""

    file: Path
    indices: tuple[int, ...]

    worker: ClassVar[str] = READING
    newest_only: ClassVar[bool] = True

    def carry_out(self, tell: Tell, stop_asked: StopAsked) -> Path:
        from experiments.studio.pieces import keep_pieces

        return keep_pieces(self.file, self.indices)


@dataclass(frozen=True)
class Stage:
    """A run on its way, as `experiments.run.watch.Progress` has it, with a JPEG as the picture."""

    step: int
    steps: int
    rows: Sequence[Mapping[str, float]]
    picture: bytes
    seconds_left: float | None

    def after(self, earlier: Stage) -> Stage:
        """Both reports in one, with the losses of both."""
        return replace(self, rows=[*earlier.rows, *self.rows])


@dataclass(frozen=True)
class Painting:
    """A run that has ended.

    steps: that it took. summary: text by heading, for people. scores: None where undefined.
    """

    folder: Path
    steps: int
    summary: Mapping[str, str]
    scores: Mapping[str, float | None]
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Paint:
    """A stylization, whose events are `Stage`. every: seconds between two of them, at least.

    Asked to stop, it ends after the step, as a finished run with the steps so far.
    """

    order: Order
    every: float = 0.5

    worker: ClassVar[str] = PAINTING
    newest_only: ClassVar[bool] = False

    def carry_out(self, tell: Tell, stop_asked: StopAsked) -> Painting:
        from datamodules.run_folder import RunFolder
        from experiments.run.stylize import summary

        with visit() as messages:
            folder = self.order.carry_out(_Teller(self.every, tell, stop_asked))
        result = RunFolder(folder).result
        return Painting(folder, result.steps, summary(result), result.metrics, tuple(messages))


class _Teller(Watch):
    """Hooks of a run, by which the page follows it and ends it early."""

    def __init__(self, every: float, tell: Tell, stop_asked: StopAsked) -> None:
        self.every, self.tell, self.asked = every, tell, stop_asked

    def on_progress(self, progress: Progress) -> None:
        from datamodules.images import on_white

        data = io.BytesIO()
        on_white(progress.picture).save(data, "JPEG", quality=QUALITY)
        steps = progress.step, progress.steps, progress.rows
        self.tell(Stage(*steps, data.getvalue(), progress.seconds_left))

    def stop_asked(self) -> bool:
        return self.asked()


@dataclass(frozen=True)
class Warm:
    """Later work of a worker, done once ahead of its time: its networks are loaded then.

    worker: which. order: of a run on another picture; None = the usual one.
    """

    worker: str
    order: Order | None = None

    newest_only: ClassVar[bool] = True

    def carry_out(self, tell: Tell, stop_asked: StopAsked) -> None:
        with TemporaryDirectory() as folder:
            for task in self._tasks(Path(folder)):
                task.carry_out(lambda event: None, stop_asked)

    def _tasks(self, folder: Path) -> list[Task]:
        from datamodules.task import StyleTarget

        photo, text = "skimage:chelsea", "Turn the cat to fire"
        if self.worker == READING:
            return [Read(text), Find(Path(photo), (StyleTarget("cat", "fire"),), folder)]
        order = self.order or Order({"size": 64, "steps": 1, "full_size": 0})
        own = {"image": photo, "instruction": text, "out": str(folder / "run"), "no_wandb": True}
        return [Paint(replace(order, options={**order.options, **own}))]


@once_per_process(at_most=4)
def _parser(name: str) -> Parser:
    from experiments.run.parts import build_parser

    return build_parser(name)


@once_per_process(at_most=4)
def _segmenter(name: str, threshold: float | None) -> tuple[Segmenter, float]:
    """A segmenter, and the threshold of its masks."""
    from datamodules.segmentation.operations.threshold import check_threshold
    from experiments.run.parts import build_segmenter

    segmenter = build_segmenter(name)
    if threshold is None:
        return segmenter, 0.5
    if hasattr(segmenter, "threshold"):
        return build_segmenter(name, {"data.segmenter.threshold": threshold}), 0.5
    return segmenter, check_threshold(threshold)
