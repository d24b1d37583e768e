"""Random choices of training samples: each a pure function of the seed and the sample's number.

Samples are numbered from 0 through the whole training, whatever the number of processes, workers
and interruptions. So a training that goes on after a break, or on other devices, takes the same
samples.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from itertools import count

import numpy as np
from torch.utils.data import Sampler

from datamodules.support.errors import AtelierError


def card(seed: int, deck: int, number: int, cards: int) -> int:
    """The card at place `number` of an endless series of decks, each shuffled anew.

    seed, deck: distinguish series. cards: per deck; the result is in [0, cards).
    """
    turn, place = divmod(number, cards)
    return int(_shuffled(seed, deck, turn, cards)[place])


@lru_cache(maxsize=8)
def _shuffled(seed: int, deck: int, turn: int, cards: int) -> np.ndarray:
    return np.random.default_rng((seed, deck, turn)).permutation(cards)


class Shares(Sampler[list[int]]):
    """Numbers of the samples in this process's batches, without an end.

    A step of the optimizer takes the next `batch_size` samples. They are divided into equal shares,
    one for each process in each of the batches whose gradients are accumulated.

    Args:
        batch_size: samples per step, over all processes and accumulated batches.
        step: the first step.
        accumulated: batches per step and process.
        processes: their number. rank: of this process.

    Raises AtelierError if the shares are not equal.
    """

    def __init__(
        self,
        batch_size: int,
        step: int = 0,
        accumulated: int = 1,
        processes: int = 1,
        rank: int = 0,
    ) -> None:
        if batch_size < 1 or batch_size % (accumulated * processes):
            raise AtelierError(
                f"{batch_size} pictures per step cannot be divided equally into {accumulated} "
                f"batches on {processes} devices; give --batch a multiple of "
                f"{accumulated * processes}"
            )
        self.batch_size, self.step = batch_size, step
        self.accumulated, self.processes, self.rank = accumulated, processes, rank

    def __iter__(self) -> Iterator[list[int]]:
        size = self.batch_size // (self.accumulated * self.processes)
        for step in count(self.step):
            for part in range(self.accumulated):
                share = part * self.processes + self.rank
                first = step * self.batch_size + share * size
                yield list(range(first, first + size))
