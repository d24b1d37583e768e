"""The table of many runs: which of them, by which labels, with which scores."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from datamodules.support.errors import AtelierError
from datamodules.support.suggestions import there_are
from evaluation.tables.groups import Group, grouped, usual_labels, varying
from evaluation.tables.lead import Lead, explained, leads
from evaluation.tables.meanings import (
    SECONDS,
    direction,
    heading,
    is_users,
    label_title,
    stem,
    title,
)
from evaluation.tables.numbers import label as as_text
from evaluation.tables.run import Run, label_names
from evaluation.tables.run_files import DAMAGED
from evaluation.tables.runs import consolidate, present, read_runs

# Shown by default, as far as runs have them: a score or two for each question.
USUAL = (
    "style_patch",
    "style_direction",
    "leakage",
    "background_psnr",
    "object_content_distance",
    "mask_agreement",
    "dists",
    "lpips",
    "nima_mean",
    SECONDS,
)
ALL = "all"  # in place of names of scores
FOLDER = "folder"  # last key of a table with one row per run


@dataclass(frozen=True)
class Selection:
    """Which runs a table is about, and what it shows of them.

    by:      labels with a row for each of their values; None for those that vary.
    scores:  names or headings, with or without a network; (ALL,), or None for the usual ones.
    where:   "LABEL=VALUE" conditions; of one label, any of several values.
    each:    one row per run instead of one per group.
    """

    by: tuple[str, ...] | None = None
    scores: tuple[str, ...] | None = None
    where: tuple[str, ...] = ()
    each: bool = False


@dataclass(frozen=True)
class ResultTable:
    """Rows that differ in the labels `keys`, with one column per score.

    each: whether a row is one run, whose cells have no spread.
    remarks: lines about what is missing from the table, and why.
    """

    keys: list[str]
    scores: list[str]
    groups: list[Group]
    each: bool = False
    remarks: tuple[str, ...] = ()

    def best(self, score: str) -> int | None:
        """Number of the row that is better than the next best by more than chance, if one is."""
        one = self._leads[score]
        return one.row if one and one.clear else None

    @property
    def about_bold(self) -> str:
        """A sentence on what is bold; "" for rows that are single runs."""
        return "" if self.each else explained(self._leads.values())

    @cached_property
    def _leads(self) -> dict[str, Lead | None]:
        return leads(self.groups, {score: direction(score) for score in self.scores})


def tabulate(root: Path, selection: Selection, store: bool = False) -> ResultTable:
    """The table of the runs at or below a folder.

    store: put all runs in the folder's results.parquet first.
    Raises AtelierError where no run is left, and for names that no run has.
    """
    stored = ""
    if store:
        path, runs = consolidate(root)
        stored = f"wrote {path}: {len(runs)} runs"
    else:
        runs = read_runs(root)
    runs, earlier = present(root, runs)
    runs = _select(runs, selection.where)
    whole = [run for run in runs if not run.failure]
    if not whole:
        raise AtelierError(
            f"All {len(runs)} runs have failed, e.g. {root / runs[0].folder}: {runs[0].failure}"
        )
    scores = _scores(whole, selection.scores)
    by = selection.by and _label_keys(whole, selection.by)
    keys, groups = (_each if selection.each else _grouped)(whole, by)
    table = ResultTable(keys, scores, groups, selection.each)
    remarks = [stored, table.about_bold]
    remarks += [*_unavailable(whole, selection.scores and scores), *earlier, *_failed(runs, root)]
    return replace(table, remarks=tuple(filter(None, remarks)))


def _label_keys(runs: Sequence[Run], names: Sequence[str]) -> tuple[str, ...]:
    """Labels by their names or headings."""
    labels = _labels(runs)
    titles = {label_title(name).casefold(): name for name in reversed(labels)}
    keys = [name if name in labels else titles.get(name.casefold(), name) for name in names]
    _refuse_unknown(keys, labels, "label")
    return tuple(keys)


def _grouped(runs: Sequence[Run], by: Sequence[str] | None) -> tuple[list[str], list[Group]]:
    keys = usual_labels(runs) if by is None else list(dict.fromkeys(by))
    return keys, grouped(runs, keys)


def _each(runs: Sequence[Run], by: Sequence[str] | None) -> tuple[list[str], list[Group]]:
    """One group per run, with the given labels, or else with all."""
    names = list(dict.fromkeys(by or [*label_names(runs), *varying(runs, ("set", "encoder"))]))
    groups = [
        Group({name: run.label(name) for name in names} | {FOLDER: run.folder}, (run,))
        for run in runs
    ]
    return [*names, FOLDER], groups


# --- which runs


def _select(runs: Sequence[Run], where: Sequence[str]) -> list[Run]:
    """The runs that have one of the values of each label."""
    values: dict[str, list[str]] = {}
    for condition in where:
        name, equals, value = condition.partition("=")
        if not equals:
            raise AtelierError(f"{condition!r} is not LABEL=VALUE; write e.g. --where style=fire")
        _refuse_unknown([name], _labels(runs), "label")
        if not any(_is(run.label(name), value) for run in runs):
            texts = dict.fromkeys(as_text(run.label(name)) for run in runs)
            raise AtelierError(f"No run has {name}={value}{there_are(value, texts)}")
        values.setdefault(name, []).append(value)
    selected = [
        run
        for run in runs
        if all(any(_is(run.label(name), v) for v in options) for name, options in values.items())
    ]
    if not selected:
        raise AtelierError(f"No run has all of {', '.join(where)}; leave one of them out")
    return selected


def _is(label: Any, text: str) -> bool:
    if isinstance(label, int | float) and not isinstance(label, bool):
        try:
            return float(text) == label
        except ValueError:
            return False
    return as_text(label) == text


def _labels(runs: Sequence[Run]) -> list[str]:
    """All labels by which runs can be told apart."""
    return list(dict.fromkeys([*label_names(runs), "set", "encoder"]))


def _refuse_unknown(names: Iterable[str], present: Iterable[str], kind: str) -> None:
    for name in names:
        if name not in present:
            raise AtelierError(
                f"There is no {kind} {name!r} in these runs{there_are(name, present)}"
            )


# --- which scores


def _scores(runs: Sequence[Run], names: Sequence[str] | None) -> list[str]:
    """The scores by their names in the runs, with the network."""
    counts: Counter[str] = Counter()  # runs that have a number
    for run in runs:
        for name, value in run.values.items():
            counts[name] += value is not None
    present = sorted(counts)
    if names is None:
        with_number = [name for name in present if counts[name]]
        others = [stem(name) for name in with_number if is_users(name)]
        usual = dict.fromkeys([*USUAL[:-1], *others, SECONDS])
        return [name for one in usual for name in with_number if stem(name) == one]
    if ALL in names:
        return [name for name in present if name != SECONDS or counts[name]]
    titles = {score: _names_of(score) for score in present}
    keys = sorted({key for score in titles for key in titles[score][:2]})
    every = dict.fromkeys([*keys, *(name for score in titles for name in titles[score])])
    choices = [name.casefold() for name in names]
    _refuse_unknown(choices, every, "score")
    matches = (score for name in choices for score, names_of in titles.items() if name in names_of)
    return list(dict.fromkeys(matches))


def _names_of(score: str) -> list[str]:
    """Names by which a score can be asked for: its key or its heading, alone or with its network,
    in lower case.
    """
    names = (stem(score), score, title(score), heading(score))
    return list(dict.fromkeys(name.casefold() for name in names))


# --- remarks


def _unavailable(runs: Sequence[Run], scores: Sequence[str] | None) -> list[str]:
    """Every reason why a metric is unavailable, of the given scores or of all."""
    counts = Counter(
        (why, name)
        for run in runs
        for name, why in run.unavailable.items()
        if scores is None or any(name in score for score in scores)
    )
    lines = []
    for why in dict.fromkeys(why for why, _ in counts):
        metrics = {name: count for (reason, name), count in counts.items() if reason == why}
        most = max(metrics.values())
        lines.append(
            f"{', '.join(metrics)}: unavailable in {most} of {len(runs)} runs: {printable(why)}"
        )
    return lines


def _failed(runs: Sequence[Run], root: Path) -> list[str]:
    failed = [run for run in runs if run.failure]
    lines = []
    for kind, damaged in (("open", True), ("failed", False)):
        if those := [run for run in failed if (run.failure == DAMAGED) == damaged]:
            subject = f"1 {kind} run is" if len(those) == 1 else f"{len(those)} {kind} runs are"
            example = f"{root / those[0].folder}: {printable(those[0].failure)}"
            lines.append(f"{subject} left out; e.g. {example}")
    return lines


def printable(text: str) -> str:
    """A text on one line, without characters that would command a terminal."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
