"""Evaluation of run folders and of single pictures by a suite of metrics.

Every run's scores are written to its result.json as soon as they are known; what cannot be scored
is a failure with its reason, and the others go on.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from datamodules.parsing.blend import targets_of
from datamodules.support.errors import AtelierError
from datamodules.task import styles_by_area
from evaluation.finished_pictures import Case, find_runs, read_run, with_object_masks
from evaluation.suite import Scores, Suite, evaluate


@dataclass
class Evaluation:
    """The outcome for every picture, by its name (of a run: the path of its folder).

    scores: of pictures that could be scored, with those from earlier evaluations.
    failures: one sentence for each of the others.
    changed: scores of the run folders whose result.json has changed.
    around: number of pictures that were stylized as a whole, and whose background is that around
        the object's mask of another run.
    """

    scores: dict[str, Scores] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)
    changed: dict[Path, dict[str, float | None]] = field(default_factory=dict)
    around: int = 0

    def remarks(self) -> list[str]:
        """Lines for stderr: every failure, and every unavailable metric, each reason once."""
        reasons: dict[str, dict[str, None]] = {}
        for scores in self.scores.values():
            for metric, why in scores.unavailable.items():
                reasons.setdefault(why, {})[metric] = None
        lines = [f"atelier: {name}: {error}" for name, error in self.failures.items()]
        if self.around:
            lines.append(
                f"pictures stylized as a whole: {self.around}; their background is what lies "
                "around the object's mask of other runs on the same picture"
            )
        return lines + [
            f"{', '.join(metrics)}: unavailable: {why}" for why, metrics in reasons.items()
        ]

    def restrict(self, suite: Suite) -> None:
        """Drop the scores of metrics that are not in the suite, such as earlier ones."""
        names = {*suite.meanings, *suite.metrics, *suite.unavailable}
        for scores in self.scores.values():
            scores.values = {k: v for k, v in scores.values.items() if k in names}


class Watch:
    """Hooks of the evaluation; each does nothing unless a subclass overrides it."""

    def on_start(self, total: int) -> None:
        """Scoring of so many pictures begins."""

    def on_metric(self, name: str) -> None:
        """A metric begins with the next pictures."""

    def on_case_end(self, number: int) -> None:
        """The scores of so many pictures are written."""


def evaluate_runs(
    folders: Iterable[Path], suite: Suite, force: bool = False, watch: Watch | None = None
) -> Evaluation:
    """Score all finished runs at or below the folders.

    force: measure again what a run's result.json holds already.
    Raises AtelierError for a folder that holds no run; a run that is not whole is a failure.
    """
    cases, failures = read_cases(folders)
    result = evaluate_cases(cases, suite, force, watch)
    result.failures = failures | result.failures
    return result


def read_cases(folders: Iterable[Path]) -> tuple[list[Case], dict[str, str]]:
    """The cases of all runs at or below the folders, and by folder why one is no whole run.

    Raises AtelierError for a folder that holds no run.
    """
    cases, failures = [], {}
    for folder in dict.fromkeys(run for path in folders for run in find_runs(path)):
        try:
            cases.append(read_run(folder))
        except AtelierError as error:
            failures[str(folder)] = str(error)
    return with_object_masks(cases), failures


def loose_case(
    content: Path,
    output: Path,
    mask: Path | None,
    object_: str = "",
    style: str = "",
    mask_value: str = "",
) -> Case:
    """The case of pictures that no run folder holds.

    mask: white where the picture was to change, None for everywhere. style: a text or a blend.
    mask_value: as in `Case`.
    """
    styles = styles_by_area(targets_of(object_, style))
    return Case(str(output), content, output, mask, tuple(styles.items()), mask_value=mask_value)


def evaluate_cases(
    cases: Sequence[Case], suite: Suite, force: bool = False, watch: Watch | None = None
) -> Evaluation:
    """Score pictures of run folders or loose files; see `evaluate_runs`."""
    watch, result = watch or Watch(), Evaluation()
    suite.announce = watch.on_metric
    if any(metric.reads_objects for metric in suite.metrics.values()):
        result.around = sum(case.object_mask is not None for case in cases)
    watch.on_start(len(cases))
    for case, scores in evaluate(cases, suite, force):
        if scores.error:
            result.failures[case.name] = scores.error
        else:
            result.scores[case.name] = scores
        if case.folder and scores.changed:
            result.changed[case.folder] = scores.values
        watch.on_case_end(len(result.scores) + len(result.failures))
    return result
