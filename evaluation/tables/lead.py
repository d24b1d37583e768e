"""The lead of a table's best row over the next best, and whether it is more than chance.

Two rows are compared on what both have done: the same picture, object, style and seed. The interval
is that of Student's paired t-test (The probable error of a mean, 1908), since the difference of
means is what a table shows; few pairs make it wide, where ranks or resampled pairs of so few would
have nothing to say or be too narrow.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from evaluation.tables.groups import Group, identity, summary
from evaluation.tables.run import Run, label_names

CONFIDENCE = 0.95
TEST = "paired t-test"
NOISE = 1e-9  # of the larger mean: the last digits of equal numbers
Match = tuple[list[Run], list[Run]]  # runs of two groups on the same task


@dataclass(frozen=True)
class Lead:
    """row: number of the best row. pairs: how often both rows have done the same.

    difference: mean of the pairs' differences, above 0 where the best row is better.
    half: half the width of its 95% interval, infinite for fewer than two pairs.
    """

    row: int
    pairs: int
    difference: float
    half: float

    @property
    def clear(self) -> bool:
        """Whether the difference exceeds its interval."""
        return self.difference > self.half


def leads(groups: Sequence[Group], scores: Mapping[str, bool | None]) -> dict[str, Lead | None]:
    """The lead of the best mean over the next best, by score; None without a direction or a second
    mean. scores: whether higher is better.
    """
    # The same two rows lead in many scores, and matching thousands of runs takes time.
    match = cache(lambda first, second: matched(groups[first], groups[second]))
    return {score: _lead(groups, score, higher, match) for score, higher in scores.items()}


def _lead(
    groups: Sequence[Group],
    score: str,
    higher_is_better: bool | None,
    match: Callable[[int, int], list[Match]],
) -> Lead | None:
    means = {row: group.cell(score).mean for row, group in enumerate(groups)}
    present = {row: mean for row, mean in means.items() if mean is not None}
    if higher_is_better is None or len(present) < 2:
        return None
    first, second = sorted(present, key=present.get, reverse=higher_is_better)[:2]
    sign = 1 if higher_is_better else -1
    those = differences(match(first, second), score)
    mean = sign * statistics.fmean(those) if those else 0.0
    if abs(mean) <= NOISE * max(abs(present[first]), abs(present[second])):
        mean = 0.0
    return Lead(first, len(those), mean, half_width(those))


def matched(one: Group, other: Group) -> list[Match]:
    """Runs of two groups that agree in all labels that both groups have, apart from those that tell
    rows apart.
    """
    shared = set(label_names(one.runs)) & set(label_names(other.runs))
    names = sorted((shared | {"set"}) - set(one.key))
    first, second = _by_labels(one, names), _by_labels(other, names)
    return [(runs, second[key]) for key, runs in first.items() if key in second]


def _by_labels(group: Group, names: Sequence[str]) -> dict[Hashable, list[Run]]:
    runs: dict[Hashable, list[Run]] = {}
    for run in group.runs:
        runs.setdefault(tuple(identity(run.label(name)) for name in names), []).append(run)
    return runs


def differences(matches: Iterable[Match], score: str) -> list[float]:
    """Differences of a score in every match where both have it; of several runs, of their mean."""
    means = (tuple(_mean(runs, score) for runs in match) for match in matches)
    return [a - b for a, b in means if a is not None and b is not None]


def _mean(runs: Sequence[Run], score: str) -> float | None:
    # Nearly always there is one run, and there may be tens of thousands of matches.
    return runs[0].value(score) if len(runs) == 1 else summary(r.value(score) for r in runs).mean


def half_width(values: Sequence[float]) -> float:
    """Half the width of the 95% interval of a mean of differences, infinite for fewer than two."""
    n = len(values)
    if n < 2:
        return math.inf
    deviation = statistics.stdev(values)
    if not deviation:
        return 0.0
    from scipy.special import stdtrit  # Student's quantile; scipy.stats takes a second to import

    return float(stdtrit(n - 1, (1 + CONFIDENCE) / 2)) * deviation / math.sqrt(n)


def explained(leads: Collection[Lead | None]) -> str:
    """A sentence on what is bold in a table with these leads; "" where nothing is compared."""
    pairs = sorted({one.pairs for one in leads if one})
    if not pairs:
        return ""
    n = " to ".join(dict.fromkeys(str(count) for count in (pairs[0], pairs[-1])))
    how = (
        f"difference to the next best exceeds its {CONFIDENCE:.0%} interval "
        f"({TEST} over equal pictures, styles and seeds, n = {n})"
    )
    clear = any(one.clear for one in leads if one)
    return f"Bold: the {how}." if clear else f"None is bold, because no {how}."
