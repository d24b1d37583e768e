"""Contents of a report as plain values: no files, no HTML.

A mean is over the runs that have the score, and n is their number. Scores of different networks are
never averaged together: each name is a score of its own.
"""

from __future__ import annotations

import json
import math
import shlex
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from evaluation.metrics.scores import OWN
from evaluation.report.details import Details
from evaluation.report.pictures import Shots
from evaluation.tables.groups import Group
from evaluation.tables.meanings import (
    arrow,
    heading,
    is_users,
    label_title,
    meaning,
    method_title,
    network,
    stem,
)
from evaluation.tables.numbers import rounded
from evaluation.tables.run import Run

# Scores that are shown first, before those of metrics that do not come with Atelier.
MAIN = (
    "style_patch",
    "style_global",
    "style_direction",
    "leakage",
    "background_psnr",
    "background_ssim",
    "dists",
    "lpips",
    "lite0_distance",
    "nima_mean",
    "object_content_distance",
    "mask_agreement",
)
FILTERED = range(2, 17)  # numbers of values of a label that make a filter
SPEAKING = ("picture", "set")  # labels whose values need no name beside them
NO_THRESHOLDS = ("seed", "seed_everything")  # numbers whose order means nothing
EMBEDDED = "bridge"  # prefix of the names of the stand-ins for CLIP


@dataclass(frozen=True)
class Entry:
    """A run with everything that its part of the page needs.

    shots: None where it has no pictures to show.
    failure: why it is not among the whole runs, "" for a whole run.
    path: the run's folder as a person can type it. group: title of the runs with which its numbers
    are averaged, see `with_groups`.
    """

    run: Run
    details: Details
    shots: Shots | None
    failure: str
    path: str
    group: str = ""

    @property
    def labels(self) -> dict[str, Any]:
        """The labels of the run, and object and style from its parse.json."""
        labels = dict(self.run.labels)
        # A bench names a method by its file, "sem_cs", which adds nothing to the name of its class,
        # unless it is another configuration of the same method.
        if _letters(labels.get("method") or self.run.method) == _letters(self.run.method):
            labels["method"] = self.run.method
        for position, name in enumerate(("object", "style")):
            texts = [target[position] for target in self.details.targets if target[position]]
            if texts:
                labels.setdefault(name, ", ".join(texts))
        return {name: value for name, value in labels.items() if value not in ("", None)}

    @property
    def title(self) -> str:
        """ "cat → fire", or the folder's name."""
        pairs = [f"{name or 'whole picture'} → {style}" for name, style in self.details.targets]
        labels = self.labels
        if not any(style for _, style in self.details.targets):
            styled = "style" in labels
            pairs = [f"{labels.get('object', 'picture')} → {labels['style']}"] if styled else []
        return ", ".join(pairs) or self.run.folder

    @property
    def command(self) -> str:
        """The command that makes the run again, "" if unknown."""
        again = f"atelier stylize --config {shlex.quote(self.path + '/config.yaml')} --out again"
        return self.run.command or (again if self.details.config else "")


def _letters(name: Any) -> str:
    return "".join(sign for sign in str(name).casefold() if sign.isalnum())


def with_groups(entries: Sequence[Entry]) -> list[Entry]:
    """The entries with their groups: the method, and where whole runs differ in their set or
    encoder, these too, because then their numbers do not belong together.
    """
    whole = [entry.run for entry in entries if not entry.failure]
    apart = [name for name in ("set", "encoder") if len({getattr(run, name) for run in whole}) > 1]

    def title(run: Run) -> str:
        parts = [method_title(run.method), *(getattr(run, name) for name in apart)]
        return " · ".join(part for part in parts if part)

    return [replace(entry, group=title(entry.run)) for entry in entries]


def by_group(entries: Iterable[Entry]) -> dict[str, Group]:
    """Whole runs by their group, in alphabetical order."""
    runs: dict[str, list[Run]] = defaultdict(list)
    for entry in entries:
        if not entry.failure:
            runs[entry.group].append(entry.run)
    titles = sorted(runs, key=str.casefold)
    # Runs of different methods are no pairs for having different ones.
    return {title: Group({"group": title, "method": ""}, tuple(runs[title])) for title in titles}


def main_scores(runs: Iterable[Run]) -> list[str]:
    """The scores of MAIN that any run has and those that do not come with Atelier, by kind; within
    a kind, the most frequent network first.

    Judgements of the encoder that was optimised ("own_") are not among them.
    """
    count = Counter(k for run in runs for k, value in run.metrics.items() if value is not None)
    place = {name: k for k, name in enumerate(MAIN)}
    names = [name for name in count if stem(name) in MAIN or is_users(name)]
    return sorted(names, key=lambda name: (place.get(stem(name), len(MAIN)), -count[name], name))


def all_scores(runs: Iterable[Run]) -> list[str]:
    """Every score that any run has, the main ones first."""
    runs = list(runs)
    first = main_scores(runs)
    present = {k for run in runs for k, value in run.metrics.items() if value is not None}
    return first + sorted(present.difference(first), key=lambda k: (k.startswith(OWN), k))


# ---- labels ----


def words(value: Any) -> str:
    """A label's value as a person reads it, and as filters compare it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def varying(entries: Sequence[Entry]) -> dict[str, list[str]]:
    """Labels that vary between runs, each with its values: numbers by size, then texts."""
    values: dict[str, dict[str, Any]] = defaultdict(dict)
    for entry in entries:
        for name, value in entry.labels.items():
            values[name].setdefault(words(value), value)
    return {
        name: sorted(by_word, key=lambda word: _order(by_word[word], word))
        for name, by_word in values.items()
        if len(by_word) > 1
    }


def _order(value: Any, word: str) -> tuple:
    return (0, value, "") if is_number(value) else (1, 0, word.casefold())


def is_number(value: Any) -> bool:
    """Whether a label's value is a finite number; a truth value is none."""
    return type(value) in (int, float) and math.isfinite(value)


def thresholds(entries: Iterable[Entry]) -> dict[str, list[float]]:
    """Labels that are numbers and vary between the whole runs, each with its values."""
    values: dict[str, set[float]] = defaultdict(set)
    for entry in entries:
        for name, value in entry.labels.items():
            if not entry.failure and name not in NO_THRESHOLDS and is_number(value):
                values[name].add(value)
    return {name: sorted(numbers) for name, numbers in values.items() if len(numbers) > 1}


# ---- the overview ----


@dataclass(frozen=True)
class Overview:
    """done, failed, planned: numbers of runs. unavailable: metrics and number of runs, by reason.

    embedded: whether a stand-in for CLIP was optimised, or judged.
    """

    done: int
    failed: int
    planned: int
    seconds: float
    methods: list[str]
    encoders: list[str]
    sets: list[str]
    dates: list[str]
    unavailable: dict[str, tuple[list[str], int]]
    embedded: bool


def overview(entries: Sequence[Entry], planned: int = 0) -> Overview:
    """The figures at the top of a report. planned: the number of runs with those still to come."""
    whole = [entry for entry in entries if not entry.failure]
    runs = [entry.run for entry in whole]
    reasons: dict[str, set[str]] = defaultdict(set)
    counts: Counter[str] = Counter()  # runs by reason
    for run in runs:
        for metric, why in run.unavailable.items():
            reasons[why].add(metric)
        counts.update(set(run.unavailable.values()))
    encoders = sorted({run.encoder for run in runs if run.encoder})
    judges = {network(name) for name in main_scores(runs)}
    return Overview(
        done=len(whole),
        failed=len(entries) - len(whole),
        planned=max(planned, len(entries)),
        seconds=sum(run.seconds for run in runs),
        methods=sorted({run.method for run in runs}, key=str.casefold),
        encoders=encoders,
        sets=sorted({run.set for run in runs if run.set}),
        dates=sorted({entry.details.date for entry in whole if entry.details.date}),
        unavailable={why: (sorted(names), counts[why]) for why, names in sorted(reasons.items())},
        embedded=any(name.startswith(EMBEDDED) for name in (*encoders, *judges)),
    )


# ---- values for the page's script ----


def gallery(entries: Sequence[Entry]) -> dict[str, Any]:
    """The cards of the whole runs, the labels that filter them and the scores that sort them."""
    whole = [entry for entry in entries if not entry.failure]
    labels = varying(whole)
    runs = [entry.run for entry in whole]
    scores = main_scores(runs)
    facets = {name: values for name, values in labels.items() if len(values) in FILTERED}
    first = ("method", "picture", "object", "style")
    return {
        "facets": {name: facets[name] for name in sorted(facets, key=_place(first))},
        "scores": [{"name": n, "title": heading(n), "arrow": arrow(n)} for n in scores],
        "methods": {run.method: method_title(run.method) for run in runs},
        "runs": [_card(entry, number, labels, scores) for number, entry in enumerate(whole)],
    }


def _place(first: Sequence[str]) -> Callable[[str], tuple]:
    return lambda name: (first.index(name) if name in first else len(first), name)


def _card(entry: Entry, number: int, varied: Iterable[str], scores: Sequence[str]) -> dict:
    labels = {name: words(value) for name, value in entry.labels.items()}
    elsewhere = {"method", "object", "style"}  # in the dot's colour and the title
    return {
        "id": entry.run.folder,
        "file": detail_file(number),
        "title": entry.title,
        "about": [
            labels[name] if name in SPEAKING else f"{short(name)} {labels[name]}"
            for name in sorted(varied, key=_place(("picture",)))
            if name in labels and name not in elsewhere
        ],
        "group": entry.group,
        "labels": labels,
        "scores": [rounded(entry.run.metrics.get(name)) for name in scores],
        "seconds": round(entry.run.seconds, 1),
        "shots": entry.shots.as_json() if entry.shots else None,
    }


def short(label: str) -> str:
    """The last word of a dotted name."""
    return label.rpartition(".")[2]


def long(label: str) -> str:
    """A label in words, with its name where that differs: "threshold t (model.tau)"."""
    words = label_title(label)
    return words if words == label else f"{words} ({label})"


def detail_file(number: int) -> str:
    """Path, within the report, of the values of one run."""
    return f"runs/{number:04d}.js"


def detail(entry: Entry) -> dict[str, Any]:
    """Values that the page reads only when a run is opened."""
    run, details = entry.run, entry.details
    rows = []
    for name in all_scores([run]):
        score = meaning(name)
        remark = " · ".join(filter(None, (name, score.remark if score else "")))
        rows.append([heading(name), rounded(run.metrics[name]), arrow(name), remark])
    return {
        "folder": entry.path,
        "command": entry.command,
        "config": details.config,
        "labels": {name: words(value) for name, value in sorted(entry.labels.items())},
        "encoder": run.encoder,
        "metrics": rows,
        "unavailable": dict(sorted(run.unavailable.items())),
        "losses": dict(details.losses),
        "versions": dict(details.versions),
        "seconds": round(run.seconds, 1),
        "steps": details.steps,
    }
