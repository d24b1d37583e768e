"""All metrics over all cases: in batches, each written to its run's result.json once known."""

from __future__ import annotations

import logging
import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from datamodules.models.published import reason
from datamodules.run_folder import Result, RunWriter
from datamodules.support.errors import AtelierError, wrapped_error
from evaluation.finished_pictures import (
    Case,
    Loaded,
    load,
    read_run,
    refuse_full_mask,
    together,
)
from evaluation.metrics.background import BackgroundPreservation
from evaluation.metrics.base import PictureMetric, Score
from evaluation.metrics.change import Change
from evaluation.metrics.style import OWN, GlobalStyle
from lightning_modules.encoders.base import JointEncoder

log = logging.getLogger(__name__)

BATCH = 8  # pictures that the metrics get together


@dataclass
class Scores:
    """What is known of one case.

    values: by score, None where one does not apply or its metric is unavailable.
    scored: network of each metric that was applied, "" for those that have no choice.
    unavailable: why not, by metric. error: why nothing could be scored, "" if all went well.
    changed: whether the run's result.json says something new.
    """

    values: dict[str, float | None] = field(default_factory=dict)
    scored: dict[str, str] = field(default_factory=dict)
    unavailable: dict[str, str] = field(default_factory=dict)
    error: str = ""
    changed: bool = False


class Suite:
    """Metrics by name, each made once, when it is first needed.

    One that cannot be made, because its weights are missing, is unavailable with its reason; the
    others go on.

    Args:
        metrics: finished metrics, or {"class_path": ..., "init_args": ...} of one.
        device: where they compute.
        announce: called with a metric's name before it begins.
    """

    def __init__(
        self,
        metrics: Mapping[str, PictureMetric | dict[str, Any]],
        device: str = "cpu",
        announce: Callable[[str], None] = lambda name: None,
    ) -> None:
        self.device = device
        self.announce = announce
        self.metrics: dict[str, PictureMetric] = {}
        self.unavailable: dict[str, str] = {}
        for name, metric in metrics.items():
            try:
                made = metric if isinstance(metric, PictureMetric) else build(metric)
                self.metrics[name] = made
            except AtelierError as error:
                self.unavailable[name] = str(error)

    @property
    def meanings(self) -> dict[str, Score]:
        """What every number means, by its name in tables and files."""
        return {
            metric.named(name): score
            for metric in self.metrics.values()
            for name, score in metric.scores.items()
        }

    def missing(self, result: Result, force: bool) -> tuple[str, ...]:
        """The metrics that a result does not hold yet, or not by the same network; or all."""
        return tuple(
            name
            for name, metric in self.metrics.items()
            if force or result.scored.get(name) != metric.network
        )

    def score(self, loaded: Sequence[Loaded], names: Iterable[str]) -> list[Scores]:
        """The named metrics of cases of one size, encoder and source text."""
        scores = [Scores() for _ in loaded]
        for name in names:
            self.announce(name)
            for one, new in zip(scores, self._apply(name, loaded), strict=True):
                one.values |= new.values
                one.scored |= new.scored
                one.unavailable |= new.unavailable
        return scores

    def _apply(self, name: str, loaded: Sequence[Loaded]) -> list[Scores]:
        """One metric. Where it refuses a batch it is asked again for each case alone, and where it
        refuses a case it is unavailable there.
        """
        metric, pictures = self.metrics[name], together(loaded, self.device)
        try:
            # Metrics share networks, and some (a segmenter's) stay where they are: so each metric
            # takes its own along, and back.
            found = metric.to(self.device)(pictures)
        except (AtelierError, RuntimeError) as error:  # torch's: out of memory, a picture too small
            if len(loaded) > 1 and not metric.over_seeds:
                return [self._apply(name, [one])[0] for one in loaded]
            said = str(error) if isinstance(error, AtelierError) else reason(error)
            return [Scores({name: None}, unavailable={name: said}) for _ in loaded]
        finally:
            metric.reset()  # numbers are kept in files, not here
            metric.cpu()
        keys = [metric.named(score) for score in metric.scores if metric.applies(score, pictures)]
        return [
            Scores(dict(zip(keys, map(_or_none, row), strict=True)), {name: metric.network})
            for row in zip(*(found[key].flatten().tolist() for key in keys), strict=True)
        ]


def _or_none(value: float) -> float | None:
    return value if math.isfinite(value) else None


def build(spec: dict[str, Any]) -> PictureMetric:
    """A metric from its class and arguments; AtelierError says why it cannot be made."""
    from jsonargparse import ArgumentError, ArgumentParser

    parser = ArgumentParser(exit_on_error=False)
    parser.add_subclass_arguments(PictureMetric, "metric")
    try:
        return parser.instantiate(parser.parse_object({"metric": spec})).metric
    except (ArgumentError, ValueError) as error:
        raise wrapped_error(error) or AtelierError(
            f"The metric {spec.get('class_path')} cannot be made: {' '.join(str(error).split())}"
        ) from error


def evaluate(
    cases: Sequence[Case], suite: Suite, force: bool = False, batch: int = BATCH
) -> Iterator[tuple[Case, Scores]]:
    """Score the cases; each comes with all its scores once more of them are known and written.

    Scores that a run's result.json holds are kept, unless `force`. A case that cannot be scored
    comes with its error, and the others go on.
    """
    alike: dict[tuple, list[Case]] = defaultdict(list)
    kin: dict[tuple, list[Case]] = defaultdict(list)
    for case in cases:
        try:
            wanted = suite.missing(case.result, force)
            look = (case.size, case.encoder, case.source_text)
        except AtelierError as error:
            yield case, Scores(error=str(error))
            continue
        over_seeds = [name for name in wanted if suite.metrics[name].over_seeds]
        alone = tuple(name for name in wanted if name not in over_seeds)
        alike[*look, alone].append(case)
        if case.kin:
            kin[*look, case.kin].append(case)
    for (*_, names), group in alike.items():
        for start in range(0, len(group), batch):
            yield from _score_together(group[start : start + batch], suite, names)
    for group in kin.values():
        names = {n for case in group for n in suite.missing(case.result, force)}
        names = [name for name in suite.metrics if name in names and suite.metrics[name].over_seeds]
        if len(group) > 1 and names:
            yield from _score_together(group, suite, names)


def _score_together(
    cases: Sequence[Case], suite: Suite, names: Sequence[str]
) -> Iterator[tuple[Case, Scores]]:
    """The named metrics of cases that are alike, recorded."""
    loaded, course = [], any(suite.metrics[name].reads_course for name in names)
    for case in cases if names else ():
        try:
            one = load(case, course)
            refuse_full_mask(one)
            loaded.append(one)
        except AtelierError as error:
            yield case, Scores(error=str(error))
    if not names:
        yield from ((case, record(case, Scores(), suite)) for case in cases)
    for one, scores in zip(loaded, suite.score(loaded, names) if loaded else (), strict=True):
        yield one.case, record(one.case, scores, suite)


def record(case: Case, new: Scores, suite: Suite) -> Scores:
    """The new scores with those the run had; written to its result.json, whole or not at all."""
    result = case.result
    before, lacked = result.metrics, result.unavailable
    lacking = {name: why for name, why in lacked.items() if name not in suite.metrics}
    lacking |= suite.unavailable | new.unavailable
    # A null in an unavailable metric's place goes when the metric comes.
    stored = {k: v for k, v in before.items() if not (v is None and k in lacked)}
    merged = {
        "metrics": dict.fromkeys(lacking) | stored | new.values,
        "scored": {**result.scored, **new.scored},
        "unavailable": lacking,
    }
    changed = any(getattr(result, name) != value for name, value in merged.items())
    if case.folder and changed:
        RunWriter(case.folder).update_result(merged)
    if judges_itself(merged["metrics"]):
        log.warning(
            "%s: only the encoder that was optimised has judged the style; add a metric with "
            "another scorer, e.g. --metrics style_patch",
            case.name,
        )
    return Scores(merged["metrics"], merged["scored"], lacking, changed=changed)


def judges_itself(values: Mapping[str, float | None]) -> bool:
    """Whether the style is judged, but by the encoder that was optimised alone."""
    judged = {name for name, value in values.items() if value is not None and "style_" in name}
    return bool(judged) and all(name.startswith(OWN) for name in judged)


def score_run(folder: Path, encoder: JointEncoder) -> Scores:
    """Metrics of a run that is about to end, as its result.json has them; seconds, not minutes.

    encoder: the one that was optimised. What it thinks of its own work stands beside what another
    thinks, an embedded one.
    """
    tower = "lite2" if encoder.identity != "bridge-lite2" else "lite0"
    judge = {
        "class_path": "lightning_modules.encoders.bridge.BridgeEncoder",
        "init_args": {"tower": tower, "image_size": 224},
    }
    style = "evaluation.metrics.style.GlobalStyle"
    suite = Suite(
        {
            "change": Change(),
            "background": BackgroundPreservation(),
            "style_global": {"class_path": style, "init_args": {"scorer": judge}},
            "own_style_global": GlobalStyle(encoder),
        }
    )
    case = replace(read_run(folder, finished=False), encoder=encoder.identity)
    scores = suite.score([load(case)], suite.metrics)[0]
    lacking = suite.unavailable | scores.unavailable
    return Scores(dict.fromkeys(lacking) | scores.values, scores.scored, lacking)
