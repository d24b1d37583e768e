"""The lead of a table's best row over the next best, and whether it is more than chance.

Two rows are compared on what both have done: the same picture, object, style and seed. The interval
is that of Student's paired t-test (The probable error of a mean, 1908), since the difference of
means is what a table shows; few pairs make it wide, where ranks or resampled pairs of so few would
have nothing to say or be too narrow.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from evaluation.tables.groups import Group, identity
from evaluation.tables.run import label_names

CONFIDENCE = 0.95
TEST = "paired t-test"
NOISE = 1e-9  # of the larger mean: the last digits of equal numbers


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


def lead(groups: Sequence[Group], score: str, higher_is_better: bool | None) -> Lead | None:
    """The lead of the best mean over the next best; None without a direction or a second mean."""
    means = {row: group.cell(score).mean for row, group in enumerate(groups)}
    present = {row: mean for row, mean in means.items() if mean is not None}
    if higher_is_better is None or len(present) < 2:
        return None
    first, second = sorted(present, key=present.get, reverse=higher_is_better)[:2]
    sign = 1 if higher_is_better else -1
    differences = [sign * value for value in paired(groups[first], groups[second], score)]
    mean = statistics.fmean(differences) if differences else 0.0
    if abs(mean) <= NOISE * max(abs(present[first]), abs(present[second])):
        mean = 0.0
    return Lead(first, len(differences), mean, half_width(differences))


def paired(one: Group, other: Group, score: str) -> list[float]:
    """Differences of a score wherever two groups agree in all labels that both have, apart from
    those that tell rows apart; several runs of a group that agree count by their mean.
    """
    shared = set(label_names(one.runs)) & set(label_names(other.runs))
    names = sorted((shared | {"set"}) - set(one.key))
    first, second = _means(one, names, score), _means(other, names, score)
    return [value - second[key] for key, value in first.items() if key in second]


def _means(group: Group, names: Sequence[str], score: str) -> dict[Hashable, float]:
    values: dict[Hashable, list[float]] = {}
    for run in group.runs:
        if (value := run.values.get(score)) is not None:
            key = tuple(identity(run.label(name)) for name in names)
            values.setdefault(key, []).append(value)
    return {key: statistics.fmean(several) for key, several in values.items()}


def half_width(differences: Sequence[float]) -> float:
    """Half the width of the 95% interval of a mean of differences, infinite for fewer than two."""
    n = len(differences)
    if n < 2:
        return math.inf
    deviation = statistics.stdev(differences)
    if not deviation:
        return 0.0
    from scipy.stats import t

    return float(t.ppf((1 + CONFIDENCE) / 2, n - 1)) * deviation / math.sqrt(n)


def explained(leads: Sequence[Lead | None]) -> str:
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
