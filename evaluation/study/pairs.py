"""Pairs of works side by side, and their sides: balanced, blind, drawn from a seed."""

from __future__ import annotations

import logging
from collections import Counter, defaultdict
from collections.abc import Sequence
from itertools import combinations
from random import Random
from typing import NamedTuple

from datamodules.support.errors import AtelierError
from evaluation.likeness import nearly_same
from evaluation.study.answer_key import secret
from evaluation.study.runs import Work

log = logging.getLogger(__name__)

Two = tuple[Work, Work]


class Pair(NamedTuple):
    """Two works of the same task by different systems, a on the left. The id reveals nothing."""

    id: str
    a: Work
    b: Work


def make_pairs(works: Sequence[Work], most: int | None = None, seed: int = 0) -> list[Pair]:
    """At most `most` pairs, in the order of their ids; the same for the same works and seed.

    Pairs that show (nearly) the same picture twice are left out, with a warning.
    Raises AtelierError if no two works can be compared.
    """
    rng = Random(seed)
    comparable = candidates(works)
    all_pairs = [(a, b) for a, b in comparable if not nearly_same(a.folder, b.folder)]
    if alike := len(comparable) - len(all_pairs):
        log.warning(
            "%d of %d pairs are left out: they show nearly the same picture twice, on which no "
            "rater could decide",
            *(alike, len(comparable)),
        )
    if comparable and not all_pairs:
        raise AtelierError(
            "All pairs show nearly the same picture twice; give runs that differ, e.g. made with "
            "--model.generator stylenet"
        )
    if not all_pairs:
        raise AtelierError(
            f"No two of the {len(works)} runs can be compared; give runs of different systems "
            "with the same photo at the same --size, the same object and the same style"
        )
    drawn = draw(all_pairs, most or len(all_pairs), rng)
    pairs = (Pair(secret(seed, *_identity(a), *_identity(b)), a, b) for a, b in sides(drawn, rng))
    return sorted(pairs, key=lambda pair: pair.id)


def candidates(works: Sequence[Work]) -> list[Two]:
    """All pairs of works of the same task by different systems, in an order of their own."""
    tasks = defaultdict(list)
    for work in sorted(works, key=_identity):
        tasks[work.task].append(work)
    return [
        (one, other)
        for task in tasks.values()
        for one, other in combinations(task, 2)
        if one.system != other.system
    ]


def draw(pairs: Sequence[Two], count: int, rng: Random) -> list[Two]:
    """`count` of the pairs at random, such that all systems, tasks and works occur equally often.

    Greedy: the next pair is one of the two systems that met least often, then of the systems, the
    task and the works that occurred least often.
    """
    rest, occurrences, drawn = rng.sample(pairs, len(pairs)), Counter(), []
    if count >= len(rest):
        return rest

    def frequency(pair: Two) -> list[int]:
        return [sum(occurrences[name] for name in level) for level in _levels(pair)]

    while len(drawn) < count:
        drawn.append(min(rest, key=frequency))
        rest.remove(drawn[-1])
        occurrences.update(name for level in _levels(drawn[-1]) for name in level)
    return drawn


def _levels(pair: Two) -> tuple[tuple, ...]:
    a, b = pair
    works = (a.task, a.system, a.output), (b.task, b.system, b.output)
    return ((a.system, b.system),), (a.system, b.system), (a.task,), works


def sides(pairs: Sequence[Two], rng: Random) -> list[Two]:
    """The pairs, each with its left work first: of any two systems each is left half of the time.

    Where two systems meet an odd number of times, the one that is left less often overall leads.
    """
    left, placed = Counter(), []
    for one, other in pairs:
        both = frozenset((one.system, other.system))
        lead = left[both, one.system] - left[both, other.system]
        lead = lead or left[one.system] - left[other.system] or rng.choice((-1, 1))
        a, b = (one, other) if lead < 0 else (other, one)
        left.update({(both, a.system): 1, a.system: 1})
        left.update({b.system: -1})
        placed.append((a, b))
    return placed


def _identity(work: Work) -> tuple[str, str, str]:
    return work.task, work.system, work.output
