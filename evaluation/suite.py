"""All metrics over all cases: in batches, written to each run's result.json as soon as known."""

from __future__ import annotations

import logging
import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from pkgutil import resolve_name
from typing import TYPE_CHECKING, Any

import yaml

from datamodules.run_folder import RunWriter
from datamodules.run_records import Result
from datamodules.support.errors import AtelierError, reason, refused_class, wrapped_error
from datamodules.support.own_classes import refuse_abstract
from evaluation.finished_pictures import (
    Case,
    Loaded,
    load,
    read_run,
    refuse_full_mask,
    together,
)
from evaluation.metrics.base import PictureMetric
from evaluation.metrics.scores import OWN, Score
from evaluation.metrics.style import GlobalStyle
from evaluation.tables.meanings import SUITES, bare, is_users
from lightning_modules.encoders.base import JointEncoder

if TYPE_CHECKING:
    from jsonargparse import ArgumentParser, Namespace

log = logging.getLogger(__name__)

BATCH = 8  # pictures per call of a metric


@dataclass
class Scores:
    """The scores of one case.

    values: by score, None where one does not apply or its metric is unavailable.
    scored: network of each metric that was applied, "" for those that have no choice.
    unavailable: reason by metric. error: why the case could not be scored, "" if it could.
    changed: whether the run's result.json has changed.
    """

    values: dict[str, float | None] = field(default_factory=dict)
    scored: dict[str, str] = field(default_factory=dict)
    unavailable: dict[str, str] = field(default_factory=dict)
    error: str = ""
    changed: bool = False


class Suite:
    """Metrics by name. One that cannot be built, because its weights are missing, is unavailable
    with its reason; the others go on.

    Args:
        metrics: metrics, or {"class_path": ..., "init_args": ...} of one.
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
                built = metric if isinstance(metric, PictureMetric) else build(metric)
                self.metrics[name] = built
            except AtelierError as error:
                self.unavailable[name] = str(error)

    @property
    def meanings(self) -> dict[str, Score]:
        """Meaning of every number, by its name in tables and files."""
        return {
            metric.column(name): score
            for metric in self.metrics.values()
            for name, score in metric.scores.items()
        }

    def missing(self, case: Case, force: bool) -> tuple[str, ...]:
        """Metrics that a case's result lacks, has by another network, or has without a background
        that is known now; all of them with `force`.
        """
        result = case.result
        return tuple(
            name
            for name, metric in self.metrics.items()
            if force
            or result.scored.get(name) != metric.network
            or (case.object_mask and metric.reads_objects and _lacks_some(metric, result))
        )

    def score(self, loaded: Sequence[Loaded], names: Iterable[str]) -> list[Scores]:
        """Scores by the named metrics, for cases of one size, encoder and source text."""
        scores = [Scores() for _ in loaded]
        for name in names:
            self.announce(name)
            for one, new in zip(scores, self._apply(name, loaded), strict=True):
                one.values |= new.values
                one.scored |= new.scored
                one.unavailable |= new.unavailable
        return scores

    def _apply(self, name: str, loaded: Sequence[Loaded]) -> list[Scores]:
        """Apply one metric. If it raises on a batch, retry case by case; a case that still fails
        gets None and the reason.
        """
        metric, pictures = self.metrics[name], together(loaded, self.device)
        try:
            # Metrics share networks, and some (a segmenter's) stay on their device: so each metric
            # moves its own there and back.
            values = metric.to(self.device)(pictures)
        except (AtelierError, RuntimeError) as error:  # torch's: out of memory, a picture too small
            if len(loaded) > 1 and not metric.over_seeds:
                return [self._apply(name, [one])[0] for one in loaded]
            why = str(error) if isinstance(error, AtelierError) else reason(error)
            return [Scores({name: None}, unavailable={name: why}) for _ in loaded]
        finally:
            metric.reset()  # numbers are stored in files, not here
            metric.cpu()
        keys = [metric.column(score) for score in metric.scores if metric.applies(score, pictures)]
        return [
            Scores(dict(zip(keys, map(_finite, row), strict=True)), {name: metric.network})
            for row in zip(*(values[key].flatten().tolist() for key in keys), strict=True)
        ]


def _lacks_some(metric: PictureMetric, result: Result) -> bool:
    return any(result.metrics.get(metric.column(score)) is None for score in metric.scores)


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def build(spec: dict[str, Any]) -> PictureMetric:
    """A metric by its class and arguments; AtelierError says why it cannot be built."""
    return _read(spec, lambda parser, config: parser.instantiate(config).metric)


def check(spec: dict[str, Any]) -> None:
    """AtelierError for a metric with a class or arguments that there are not; it is not built."""
    _read(spec, lambda parser, config: None)


def _read(spec: dict[str, Any], use: Callable[[ArgumentParser, Namespace], Any]) -> Any:
    from jsonargparse import ArgumentError, ArgumentParser

    parser = ArgumentParser(exit_on_error=False)
    parser.add_subclass_arguments(PictureMetric, "metric")
    try:
        return use(parser, parser.parse_object({"metric": spec}))
    except (ArgumentError, ValueError) as error:
        words = " ".join(str(error).split())
        if "is abstract" in words:
            refuse_abstract(resolve_name(spec["class_path"]))
        _, why = refused_class(words) or ("", words)
        raise wrapped_error(error) or AtelierError(
            f"The metric {spec.get('class_path')} cannot be made: {why}"
        ) from error


def evaluate(
    cases: Sequence[Case], suite: Suite, force: bool = False, batch: int = BATCH
) -> Iterator[tuple[Case, Scores]]:
    """Score the cases; each is yielded with all its scores when more of them have been written.

    Scores that a run's result.json holds are not measured again, unless `force`. A case that cannot
    be scored is yielded with its error, and the others go on.
    """
    alike: dict[tuple, list[Case]] = defaultdict(list)  # can share a batch
    kin: dict[tuple, list[Case]] = defaultdict(list)  # differ only in their seed
    for case in cases:
        try:
            missing = suite.missing(case, force)
            key = (case.size, case.encoder, case.source_text)
        except AtelierError as error:
            yield case, Scores(error=str(error))
            continue
        alone = tuple(name for name in missing if not suite.metrics[name].over_seeds)
        alike[*key, alone].append(case)
        if case.kin:
            kin[*key, case.kin].append(case)
    for (*_, names), group in alike.items():
        for start in range(0, len(group), batch):
            yield from _score_together(group[start : start + batch], suite, names)
    for group in kin.values():
        missing = {name for case in group for name in suite.missing(case, force)}
        names = [n for n, metric in suite.metrics.items() if n in missing and metric.over_seeds]
        if len(group) > 1 and names:
            yield from _score_together(group, suite, names)


def _score_together(
    cases: Sequence[Case], suite: Suite, names: Sequence[str]
) -> Iterator[tuple[Case, Scores]]:
    """Score cases that can share a batch by the named metrics, and record the scores."""
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
    """Write the new scores beside the run's earlier ones in its result.json; all of them."""
    result = case.result
    unavailable = {k: why for k, why in result.unavailable.items() if k not in suite.metrics}
    unavailable |= suite.unavailable | new.unavailable
    # A null that stands for an unavailable metric goes when the metric becomes available.
    stored = {
        name: value
        for name, value in result.metrics.items()
        if not (value is None and name in result.unavailable)
    }
    merged = {
        "metrics": dict.fromkeys(unavailable) | stored | new.values,
        "scored": {**result.scored, **new.scored},
        "unavailable": unavailable,
        "meanings": {**result.meanings, **_meanings(new, suite)},
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
    return Scores(merged["metrics"], merged["scored"], unavailable, changed=changed)


def _meanings(new: Scores, suite: Suite) -> dict[str, dict[str, Any]]:
    """Meanings of new scores of users' metrics, by bare names, for tables without the code."""
    meanings = {name: suite.meanings[name] for name in new.values if name in suite.meanings}
    return {bare(name): score.record for name, score in meanings.items() if is_users(name)}


def judges_itself(values: Mapping[str, float | None]) -> bool:
    """Whether the style is judged, but only by the encoder that was optimised."""
    judged = {name for name, value in values.items() if value is not None and "style_" in name}
    return bool(judged) and all(name.startswith(OWN) for name in judged)


def score_run(folder: Path, encoder: JointEncoder) -> Scores:
    """Scores of a run that is about to end; they take seconds, not minutes.

    encoder: the one that was optimised. Its judgement of its own work stands beside that of an
    embedded encoder: style_global of configs/evaluation/embedded.yaml or, where that one was
    optimised, own_style_global.
    """
    specs = yaml.safe_load((SUITES / "embedded.yaml").read_text(encoding="utf-8"))
    metrics = {name: specs[name] for name in ("change", "background", "style_global")}
    suite = Suite(metrics | {"own_style_global": GlobalStyle(encoder)})
    judge = suite.metrics.get("style_global")
    if judge and judge.network == encoder.identity:
        suite.metrics["style_global"] = build(specs["own_style_global"])
    case = replace(read_run(folder, finished=False), encoder=encoder.identity)
    scores = suite.score([load(case)], suite.metrics)[0]
    unavailable = suite.unavailable | scores.unavailable
    return Scores(dict.fromkeys(unavailable) | scores.values, scores.scored, unavailable)
