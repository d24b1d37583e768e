"""Shares with 95% intervals and Bradley-Terry scores from votes on pairs; pure functions.

A tie counts as half a win for each. Sources: E. B. Wilson, Probable inference, the law of
succession, and statistical inference (1927); R. A. Bradley and M. E. Terry, Rank analysis of
incomplete block designs (1952); B. Efron and R. Tibshirani, An introduction to the bootstrap
(1993), chapter 13.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from datamodules.support.extras import require_extra
from evaluation.study.votes import Vote

Z = 1.959963984540054  # 97.5% quantile of the normal distribution
FEWEST_RATERS = 5  # for resampling raters; with fewer, the resamples hardly differ
RESAMPLES = 10_000
PRIOR = 0.1  # wins added for each system over each other one, see `bradley_terry`

WILSON, BOOTSTRAP = "Wilson", "bootstrap over raters"


@dataclass(frozen=True)
class Row:
    """One system's result in one question.

    share: (wins + ties/2) / comparisons in [0, 1], with its 95% interval; None without votes.
    of_all: (wins + ties/2) / all votes; sums to 1 over the systems.
    score: Bradley-Terry, natural logarithm, summing to 0 over the systems.
    against_average: the chance that it is preferred to a system of score 0, 1 / (1 + e^-score).
    """

    system: str
    wins: int
    ties: int
    losses: int
    share: float | None
    low: float | None
    high: float | None
    interval: str
    of_all: float
    score: float
    against_average: float


def rate(
    votes: Sequence[Vote], pairs: dict[str, tuple[str, str]], systems: Sequence[str]
) -> list[Row]:
    """The systems' results, best score first.

    votes: on one question, one per rater and pair. pairs: pair id -> the systems (A, B).
    """
    raters = sorted({vote.rater for vote in votes})
    wins = outcomes(votes, pairs, systems, raters)
    ties = np.zeros(len(systems), int)
    for vote in votes:
        if vote.answer == "same":
            ties[[systems.index(system) for system in pairs[vote.pair]]] += 1
    scores = bradley_terry(wins.sum(0))
    rows = [_row(i, name, wins, ties[i], scores[i]) for i, name in enumerate(systems)]
    return sorted(rows, key=lambda row: -row.score)


def _row(i: int, name: str, wins: NDArray, ties: int, score: float) -> Row:
    won, lost = wins[:, i].sum(1), wins[:, :, i].sum(1)
    low, high, kind = interval(won, won + lost)
    total = (won + lost).sum()
    share, chance = (float(won.sum() / total) if total else None), 1 / (1 + np.exp(-score))
    return Row(
        *(name, round(won.sum() - ties / 2), int(ties), round(lost.sum() - ties / 2)),
        *(share, low, high, kind),
        *(float(won.sum() / max(wins.sum(), 1)), float(score), float(chance)),
    )


def outcomes(
    votes: Iterable[Vote],
    pairs: dict[str, tuple[str, str]],
    systems: Sequence[str],
    raters: Sequence[str],
) -> NDArray[np.float64]:
    """(R, S, S): how often rater r preferred system i to system j; a tie is half for each."""
    wins = np.zeros((len(raters), len(systems), len(systems)))
    rater_at = {rater: r for r, rater in enumerate(raters)}
    for vote in votes:
        a, b = (systems.index(system) for system in pairs[vote.pair])
        share = {"A": 1.0, "same": 0.5, "B": 0.0}[vote.answer]
        wins[rater_at[vote.rater], a, b] += share
        wins[rater_at[vote.rater], b, a] += 1 - share
    return wins


def interval(won: NDArray, total: NDArray) -> tuple[float | None, float | None, str]:
    """95% interval of the share sum(won) / sum(total), and the name of its method.

    won, total: (R,), points and comparisons by rater. With FEWEST_RATERS raters or more, raters are
    resampled, since the votes of one rater are correlated; with fewer it is Wilson's interval,
    which takes all votes as independent. The same where all raters agree in every vote: all
    resamples would be equal, and the interval a point.
    """
    if not total.sum():
        return None, None, ""
    voted = total > 0
    if voted.sum() >= FEWEST_RATERS:
        low, high = bootstrap(won[voted], total[voted])
        if low < high:
            return low, high, BOOTSTRAP
    return *wilson(float(won.sum()), float(total.sum())), WILSON


def wilson(won: float, total: float) -> tuple[float, float]:
    """Wilson's 95% score interval of a proportion. 0 <= won <= total, total > 0."""
    p, zz = won / total, Z * Z / total
    middle = (p + zz / 2) / (1 + zz)
    half = Z / (1 + zz) * (p * (1 - p) / total + zz / (4 * total)) ** 0.5
    return max(0.0, middle - half), min(1.0, middle + half)


def bootstrap(won: NDArray, total: NDArray) -> tuple[float, float]:
    """95% percentile interval of sum(won) / sum(total) over resampled raters, seed fixed.

    won, total: (R,), total > 0.
    """
    raters = len(won)
    times = np.random.default_rng(0).multinomial(
        raters, np.full(raters, 1 / raters), size=RESAMPLES
    )
    low, high = np.percentile((times @ won) / (times @ total), [2.5, 97.5])
    return float(low), float(high)


def bradley_terry(wins: NDArray, prior: float = PRIOR) -> NDArray[np.float64]:
    """(S,) Bradley-Terry scores by maximum likelihood: i beats j with 1 / (1 + e^(s_j - s_i)).

    wins: (S, S), how often i beat j, halves allowed. The scores sum to 0. The prior is added to
    every wins[i, j], so that a system that always won has a finite score, and systems that never
    met are connected; with two systems the difference is ln((w + prior) / (l + prior)).
    """
    require_extra("choix", "study")
    import choix

    padded = np.asarray(wins, float) + prior
    np.fill_diagonal(padded, 0)
    scores = choix.ilsr_pairwise_dense(padded, max_iter=10_000)
    return scores - scores.mean()
