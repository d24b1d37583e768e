"""Interface of all generators: the content image in, the stylized image out."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.utils.checkpoint import checkpoint

from datamodules.support.errors import AtelierError
from datamodules.task import StyleBatch

log = logging.getLogger(__name__)


class Generator(nn.Module, ABC):
    """Network whose weights are optimised for one picture.

    Attributes:
        note: limits of the result that the user must know of, e.g. unfamiliar styles; "" if there
            are none.
        any_size: whether it can paint pictures of other sizes than that of the optimisation.
        optimisable: whether gradients go through it.
        stackable: whether several generators of this class can paint in one pass with their weights
            stacked: their only state is weights of equal shapes.
        recompute: store only the inputs of each part and compute the rest again in the backward
            pass: more time, less memory.
    """

    note: str = ""
    any_size: bool = True
    optimisable: bool = True
    stackable: bool = False
    recompute: bool = False

    def __init__(self) -> None:
        super().__init__()
        self._remarks: list[str] = []

    def remark(self, note: str) -> None:
        """Add a sentence to `note` and warn of it, unless this generator has done so before."""
        if note not in self._remarks:
            log.warning(note)
            self._remarks.append(note)
            self.note = ". ".join(self._remarks)

    def check(self, texts: Sequence[str], picture: bool) -> None:
        """AtelierError for a style text that it cannot paint, or if it reads no style picture and
        `picture` says that there is one; called before any mask is made.
        """

    def start(self, batch: StyleBatch) -> None:
        """Set the first weights for a picture; called once, before the optimizer is made."""

    def final_styles(self) -> dict[str, Tensor]:
        """Styles after the last step by name, with which `alone` paints other pictures; {} where
        the generator has no styles apart from its network.
        """
        return {}

    def alone(self, styles: Mapping[str, Tensor], region: int) -> nn.Module:
        """Network that paints pictures (N, 3, H, W) in [0, 1] in the style of one region.

        styles: those of `final_styles`, read from a file. Raises AtelierError where they are not of
        this generator.
        """
        raise AtelierError(f"{type(self).__name__} has no styles apart from its network")

    def part(self, function: Callable[..., Tensor], *inputs: Tensor) -> Tensor:
        """function(*inputs) as one part in the sense of `recompute`."""
        if not self.recompute:
            return function(*inputs)
        return checkpoint(function, *inputs, use_reentrant=False, preserve_rng_state=False)

    @abstractmethod
    def forward(self, content: Tensor) -> Tensor:
        """Pictures (N, 3, H, W) in [0, 1], stylized, at the same size and in the same range."""


def paint(generators: Sequence[Generator], contents: Sequence[Tensor]) -> list[Tensor]:
    """Picture of each generator from its own content image (1, 3, H, W).

    Stackable generators of one class with pictures of one size paint in a single pass with grouped
    kernels.
    """
    first = generators[0]
    kinds = {(type(g), tuple(p.shape for p in g.parameters())) for g in generators}
    sizes = {content.shape for content in contents}
    stack = first.stackable and not first.recompute and len(generators) > 1
    if not stack or len(kinds) > 1 or len(sizes) > 1:
        return [g(content) for g, content in zip(generators, contents, strict=True)]
    parameters = [dict(g.named_parameters()) for g in generators]
    weights = {name: torch.stack([one[name] for one in parameters]) for name in parameters[0]}

    def paint_one(one: dict[str, Tensor], content: Tensor) -> Tensor:
        return functional_call(first, one, (content,))

    return list(torch.vmap(paint_one)(weights, torch.stack(list(contents))))
