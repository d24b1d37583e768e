"""From runs to what a report says: plain values, no files, no HTML.

A run is counted where it has something to say: a mean is over the runs that have the score, and n
says how many those are. Scores of different networks are never averaged: each name is its own.
"""

from __future__ import annotations

import json
import math
import shlex
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from evaluation.metrics.base import Score
from evaluation.report.details import Details
from evaluation.report.pictures import Shots
from evaluation.tables.runs import Cell, Run, bare, meanings, summary
from evaluation.tables.runs import stem as kind
from evaluation.tables.scores import ARROWS

# Scores that are shown first, without their network's name, and what people call them.
MAIN = {
    "style_patch": "style, patches",
    "style_global": "style, object",
    "style_direction": "style, direction",
    "leakage": "leakage",
    "background_psnr": "background PSNR",
    "background_ssim": "background SSIM",
    "dists": "DISTS",
    "lpips": "LPIPS",
    "lite0_distance": "Lite0 distance",
    "nima_mean": "NIMA",
    "object_content_distance": "content distance",
    "mask_agreement": "mask agreement",
}
FEW = range(2, 17)  # values of a label that make a filter
SPEAKING = ("picture", "set")  # labels whose values say what they are
NO_THRESHOLDS = ("seed", "seed_everything")  # numbers without an order that means something
EMBEDDED = "bridge"  # how the names of the stand-ins for CLIP begin


@dataclass(frozen=True)
class Entry:
    """A run with all that its page needs; shots: None where it has no pictures to show.

    failure: why it is not shown among the whole ones, "" for a whole run.
    path: the run's folder as a person can type it. group: what its numbers are averaged under, see
    `with_groups`.
    """

    run: Run
    details: Details
    shots: Shots | None
    failure: str
    path: str
    group: str = ""

    @property
    def labels(self) -> dict[str, Any]:
        """What the run was asked for, with what parse.json tells beside."""
        known = dict(self.run.labels)
        # A bench knows a method by its file, "sem_cs", which says no more than its class, unless it
        # is another configuration of the same method.
        if _letters(known.get("method") or self.run.method) == _letters(self.run.method):
            known["method"] = self.run.method
        for position, name in enumerate(("object", "style")):
            words = [target[position] for target in self.details.targets if target[position]]
            if words:
                known.setdefault(name, ", ".join(words))
        return {name: value for name, value in known.items() if value not in ("", None)}

    @property
    def title(self) -> str:
        """ "cat → fire", or the folder's name."""
        pairs = [f"{name or 'whole picture'} → {style}" for name, style in self.details.targets]
        asked = self.labels
        if not any(style for _, style in self.details.targets):
            styled = "style" in asked
            pairs = [f"{asked.get('object', 'picture')} → {asked['style']}"] if styled else []
        return ", ".join(pairs) or self.run.folder

    @property
    def command(self) -> str:
        """What makes the run again."""
        own = f"atelier stylize --config {shlex.quote(self.path + '/config.yaml')} --out again"
        return self.run.command or (own if self.details.config else "")


def _letters(name: Any) -> str:
    return "".join(sign for sign in str(name).casefold() if sign.isalnum())


def what(name: str) -> Score | None:
    """What a score means; None for one that no metric of ours gives."""
    return meanings().get(bare(name))


def with_groups(entries: Sequence[Entry], names: Mapping[str, str]) -> list[Entry]:
    """The entries with their groups: the method, and where whole runs of one method differ in their
    set or encoder, these too, because then their numbers do not belong together.

    names: of methods, as people write them.
    """
    whole = [entry.run for entry in entries if not entry.failure]
    told = [name for name in ("set", "encoder") if len({getattr(run, name) for run in whole}) > 1]
    return [
        replace(
            entry,
            group=" · ".join(
                part
                for part in (
                    names.get(entry.run.method, entry.run.method),
                    *(getattr(entry.run, name) for name in told),
                )
                if part
            ),
        )
        for entry in entries
    ]


def main_scores(runs: Iterable[Run]) -> list[str]:
    """The scores of MAIN that any run has, by kind; of a kind, the network that judged most first.

    What an encoder says of the runs that it was optimised for ("own_") is not among them.
    """
    count = Counter(k for run in runs for k, value in run.metrics.items() if value is not None)
    known = [name for name in count if kind(name) in MAIN]
    order = {name: place for place, name in enumerate(MAIN)}
    return sorted(known, key=lambda name: (order[kind(name)], -count[name], name))


def all_scores(runs: Iterable[Run]) -> list[str]:
    """Every score that any run has, the main ones first."""
    runs = list(runs)
    first = main_scores(runs)
    found = {k for run in runs for k, value in run.metrics.items() if value is not None}
    return first + sorted(found.difference(first), key=lambda k: (k.startswith("own_"), k))


def network(name: str) -> str:
    """The network in a score's name, "" for none."""
    return name.partition(".")[2]


def heading(name: str) -> str:
    """A score as a person calls it, with its network."""
    return " · ".join(part for part in (MAIN.get(kind(name), kind(name)), network(name)) if part)


def arrow(score: Score | None) -> str:
    """ "↑" where higher is better, "↓" where lower is, else ""."""
    return ARROWS[score.higher_is_better] if score else ""


def spread(values: Iterable[float | None]) -> Cell | None:
    """Mean, deviation and number of what is known; None if nothing is."""
    cell = summary(values)
    return cell if cell.n else None


def by_group(entries: Iterable[Entry]) -> dict[str, list[Run]]:
    """Whole runs by their group, in alphabetical order."""
    found: dict[str, list[Run]] = defaultdict(list)
    for entry in entries:
        if not entry.failure:
            found[entry.group].append(entry.run)
    return dict(sorted(found.items(), key=lambda item: item[0].casefold()))


def best(cells: Mapping[str, Cell | None], score: Score | None) -> str | None:
    """The row with the best mean; None if nothing is better, or only one row has a number."""
    known = {name: cell.mean for name, cell in cells.items() if cell}
    if len(known) < 2 or score is None or score.higher_is_better is None:
        return None
    ranked = sorted(known, key=known.__getitem__, reverse=score.higher_is_better)
    # Means of equal numbers may differ in their last digits.
    tie = math.isclose(known[ranked[0]], known[ranked[1]], rel_tol=1e-9, abs_tol=1e-12)
    return None if tie else ranked[0]


# ---- labels ----


def words(value: Any) -> str:
    """A label's value as a person reads it, and as filters compare it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def varying(entries: Sequence[Entry]) -> dict[str, list[str]]:
    """Labels in which runs differ, each with its values: numbers by size, then words."""
    values: dict[str, dict[str, Any]] = defaultdict(dict)
    for entry in entries:
        for name, value in entry.labels.items():
            values[name].setdefault(words(value), value)
    return {
        name: sorted(found, key=lambda word: _order(found[word], word))
        for name, found in values.items()
        if len(found) > 1
    }


def _order(value: Any, word: str) -> tuple:
    return (0, value, "") if is_number(value) else (1, 0, word.casefold())


def is_number(value: Any) -> bool:
    """Whether a label's value is a finite number; a truth value is none."""
    return type(value) in (int, float) and math.isfinite(value)


def thresholds(entries: Iterable[Entry]) -> dict[str, list[float]]:
    """Labels that are numbers and differ among the whole runs, each with its values."""
    values: dict[str, set[float]] = defaultdict(set)
    for entry in entries:
        for name, value in entry.labels.items():
            if not entry.failure and name not in NO_THRESHOLDS and is_number(value):
                values[name].add(value)
    return {name: sorted(found) for name, found in values.items() if len(found) > 1}


# ---- the overview ----


@dataclass(frozen=True)
class Overview:
    """done, failed: numbers of runs. unavailable: metrics and number of runs, by reason."""

    done: int
    failed: int
    seconds: float
    methods: list[str]
    encoders: list[str]
    sets: list[str]
    dates: list[str]
    unavailable: dict[str, tuple[list[str], int]]
    embedded: bool


def overview(entries: Sequence[Entry]) -> Overview:
    """What stands at the top of a report."""
    whole = [entry for entry in entries if not entry.failure]
    runs = [entry.run for entry in whole]
    reasons: dict[str, set[str]] = defaultdict(set)
    touched: Counter[str] = Counter()
    for run in runs:
        for metric, why in run.unavailable.items():
            reasons[why].add(metric)
        touched.update(set(run.unavailable.values()))
    encoders = sorted({run.encoder for run in runs if run.encoder})
    judges = {network(name) for name in main_scores(runs)}
    return Overview(
        done=len(whole),
        failed=len(entries) - len(whole),
        seconds=sum(run.seconds for run in runs),
        methods=sorted({entry.run.method for entry in whole}, key=str.casefold),
        encoders=encoders,
        sets=sorted({run.set for run in runs if run.set}),
        dates=sorted({entry.details.date for entry in whole if entry.details.date}),
        unavailable={why: (sorted(names), touched[why]) for why, names in sorted(reasons.items())},
        embedded=any(name.startswith(EMBEDDED) for name in (*encoders, *judges)),
    )


def lasting(seconds: float) -> str:
    """Seconds in words: "41 s", "12 min", "3 h 05 min"."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"


# ---- what the page's script gets ----


def gallery(entries: Sequence[Entry], names: Mapping[str, str]) -> dict[str, Any]:
    """The cards of the whole runs, the labels that filter them and the scores that order them.

    names: of methods, as people write them.
    """
    whole = [entry for entry in entries if not entry.failure]
    differ = varying(whole)
    runs = [entry.run for entry in whole]
    scores = main_scores(runs)
    facets = {name: values for name, values in differ.items() if len(values) in FEW}
    first = ("method", "picture", "object", "style")
    return {
        "facets": {name: facets[name] for name in sorted(facets, key=_place(first))},
        "scores": [
            {"name": name, "title": heading(name), "arrow": arrow(what(name))} for name in scores
        ],
        "methods": {run.method: names.get(run.method, run.method) for run in runs},
        "runs": [_card(entry, number, differ, scores) for number, entry in enumerate(whole)],
    }


def _place(first: Sequence[str]) -> Callable[[str], tuple]:
    return lambda name: (first.index(name) if name in first else len(first), name)


def _card(entry: Entry, number: int, differ: Iterable[str], scores: Sequence[str]) -> dict:
    labels = {name: words(value) for name, value in entry.labels.items()}
    told = {"method", "object", "style"}  # by the dot's colour and the title
    return {
        "id": entry.run.folder,
        "file": detail_file(number),
        "title": entry.title,
        "about": [
            labels[name] if name in SPEAKING else f"{short(name)} {labels[name]}"
            for name in sorted(differ, key=_place(("picture",)))
            if name in labels and name not in told
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


def rounded(value: float | None) -> float | None:
    """Five digits that count."""
    return None if value is None or not math.isfinite(value) else float(f"{value:.5g}")


def detail_file(number: int) -> str:
    """Where the page finds what it shows of one run alone."""
    return f"runs/{number:04d}.js"


def detail(entry: Entry) -> dict[str, Any]:
    """What is read only when a run is opened."""
    run, details = entry.run, entry.details
    rows = []
    for name in all_scores([run]):
        score = what(name)
        remark = ", ".join(part for part in (score.unit, score.note) if part) if score else ""
        rows.append([heading(name), rounded(run.metrics[name]), arrow(score), remark])
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
