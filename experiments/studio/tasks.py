"""Tasks of a worker process: reading an instruction, finding objects, painting.

Each is picklable and has `carry_out(tell, stop_asked)`, whose result is picklable, too. `tell`
sends an event to the page; `stop_asked` says whether somebody wants the end.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from datamodules.models.cache import once_per_process
from experiments.run.order import Order
from experiments.run.visit import visit
from experiments.run.watch import Watch
from experiments.studio.pieces import Piece

if TYPE_CHECKING:
    from datamodules.parsing.base import Parser
    from datamodules.segmentation.base import Segmenter
    from datamodules.task import Area, StyleTarget

Tell = Callable[[Any], None]
StopAsked = Callable[[], bool]
READING, PAINTING = "reading", "painting"  # the two workers


class Task(Protocol):
    """Something for a worker to do.

    worker: READING or PAINTING. newest_only: whether a newer one of the same session takes the
    place of one that still waits.
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

        with _warnings() as messages:
            parser = _parser(self.parser)
            targets = read_targets(parser, self.text)
        return Reading(tuple(targets), tuple(messages))


@dataclass(frozen=True)
class AreaMask:
    """Mask of an area.

    file: PNG, mode L, of the photo's size, 255 = the area without its exceptions.
    coverage: share of the photo that is more the area than not, in [0, 1].
    confidence: the least of those of its object and exceptions, in [0, 1]; None without any.
    pieces: connected ones, the largest first.
    """

    area: Area
    file: Path
    coverage: float
    confidence: float | None
    pieces: tuple[Piece, ...]

    @property
    def label(self) -> str:
        """The area as people say it: "everything except the cat"."""
        return self.area.label


@dataclass(frozen=True)
class Finding:
    """Masks of all areas that need one, in the order in which a run takes their files.

    whole: there is none, because the picture as a whole is to be painted.
    """

    masks: tuple[AreaMask, ...]
    segmenter: str = ""
    warnings: tuple[str, ...] = ()

    @property
    def whole(self) -> bool:
        return not self.masks


@dataclass(frozen=True)
class Find:
    """Finding of objects in a photo.

    folder: for the masks; an earlier one's are replaced. threshold: of the segmenter, None = its
    own.
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

        with _warnings() as messages:
            segmenter = _segmenter(self.segmenter, self.threshold)
            masks = find_masks(self.photo, self.targets, segmenter, self.folder)
        return Finding(masks, segmenter.name if masks else "", tuple(messages))


@dataclass(frozen=True)
class Progress:
    """State of a run that goes on.

    rows: losses of the steps since the last, by name. picture: PNG or JPEG, None without a new one.
    seconds_left: None where that is not known yet.
    """

    step: int
    steps: int
    rows: tuple[Mapping[str, float], ...] = ()
    picture: bytes | None = None
    seconds_left: float | None = None


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
    """A stylization. every: seconds between two pictures on the way."""

    order: Order
    every: float = 0.5

    worker: ClassVar[str] = PAINTING
    newest_only: ClassVar[bool] = False

    def carry_out(self, tell: Tell, stop_asked: StopAsked) -> Painting:
        from datamodules.run_folder import RunFolder
        from experiments.run.stylize import summary

        with _warnings() as messages:
            folder = self.order.carry_out(_Teller(self.every, tell, stop_asked))
        result = RunFolder(folder).result
        return Painting(folder, result.steps, summary(result), result.metrics, tuple(messages))


class _Teller(Watch):
    """Hooks of a run that tell the page."""

    def __init__(self, every: float, tell: Tell, stop_asked: StopAsked) -> None:
        self.every, self.on_progress, self.stop_asked = every, tell, stop_asked


@dataclass(frozen=True)
class Warm:
    """Other tasks ahead of their time, so that networks are loaded when somebody comes.

    size, steps: of a run on one of scikit-image's pictures.
    """

    worker: str
    order: Order | None = None

    newest_only: ClassVar[bool] = True

    def carry_out(self, tell: Tell, stop_asked: StopAsked) -> None:
        with TemporaryDirectory() as folder:
            for task in self._tasks(Path(folder)):
                task.carry_out(lambda event: None, stop_asked)

    def _tasks(self, folder: Path) -> list[Task]:
        from dataclasses import replace

        from datamodules.task import StyleTarget

        photo, targets = "skimage:chelsea", (StyleTarget("cat", "fire"),)
        if self.worker == READING:
            return [Read("Turn the cat to fire"), Find(Path(photo), targets, folder)]
        order = self.order or Order({"size": 64, "steps": 1, "full_size": 0})
        own = {"image": photo, "instruction": "Turn the cat to fire", "out": str(folder)}
        own |= {"overwrite": True, "no_wandb": True}
        return [Paint(replace(order, options={**order.options, **own}))]


@once_per_process(at_most=4)
def _parser(name: str) -> Parser:
    from experiments.run.parts import build_parser

    return build_parser(name)


@once_per_process(at_most=4)
def _segmenter(name: str, threshold: float | None) -> Segmenter:
    from experiments.run.parts import build_segmenter

    settings = {} if threshold is None else {"data.segmenter.threshold": threshold}
    return build_segmenter(name, settings)


def _warnings():
    return visit()
