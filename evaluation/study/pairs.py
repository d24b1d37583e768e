"""Which works are shown side by side, and on which side: balanced, blind, drawn from a seed."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from itertools import combinations
from random import Random
from typing import NamedTuple

from datamodules.support.errors import AtelierError
from evaluation.study.answer_key import secret
from evaluation.study.runs import Work

Two = tuple[Work, Work]


class Pair(NamedTuple):
    """Two works of the same task by different systems, a on the left. The id tells nothing."""

    id: str
    a: Work
    b: Work


def make_pairs(works: Sequence[Work], most: int | None = None, seed: int = 0) -> list[Pair]:
    """At most `most` pairs, in the order of their ids; the same for the same works and seed.

    Raises AtelierError if no two works can be compared.
    """
    rng = Random(seed)
    found = candidates(works)
    if not found:
        raise AtelierError(
            f"No two of the {len(works)} runs can be compared; give runs of different systems "
            "with the same photo at the same --size, the same object and the same style"
        )
    chosen = choose(found, most or len(found), rng)
    pairs = (Pair(secret(seed, *_identity(a), *_identity(b)), a, b) for a, b in sides(chosen, rng))
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


def choose(found: Sequence[Two], count: int, rng: Random) -> list[Two]:
    """`count` of the pairs at random, such that all systems, tasks and works are shown alike often.

    Greedy: the next is of the two systems that met least, then of the systems, the task and the
    works that were shown least.
    """
    rest, shown, chosen = rng.sample(found, len(found)), Counter(), []
    if count >= len(rest):
        return rest

    def often(pair: Two) -> list[int]:
        return [sum(shown[name] for name in level) for level in _levels(pair)]

    while len(chosen) < count:
        chosen.append(min(rest, key=often))
        rest.remove(chosen[-1])
        shown.update(name for level in _levels(chosen[-1]) for name in level)
    return chosen


def _levels(pair: Two) -> tuple[tuple, ...]:
    a, b = pair
    works = (a.task, a.system, a.output), (b.task, b.system, b.output)
    return ((a.system, b.system),), (a.system, b.system), (a.task,), works


def sides(chosen: Sequence[Two], rng: Random) -> list[Two]:
    """The pairs with a at the left: of any two systems each stands there half of the time.

    Where two systems meet an odd number of times, the one that has stood left less in all does.
    """
    left, placed = Counter(), []
    for one, other in chosen:
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
