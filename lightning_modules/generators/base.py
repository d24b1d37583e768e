"""What every generator does: the content image in, the stylized image out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.utils.checkpoint import checkpoint

from datamodules.task import StyleBatch


class Generator(nn.Module, ABC):
    """The network whose weights are optimised for one picture.

    Attributes:
        note: what people must know about how the styles were taken, "" if nothing.
        any_size: whether it paints pictures of other sizes than the one it was optimised on.
        stackable: whether several of it can paint in one pass with their weights stacked: no state
            but weights of equal shapes.
        recompute: of its parts, keep only what goes in, and compute the rest once more on the way
            back: more time, less memory.
    """

    note: str = ""
    any_size: bool = True
    stackable: bool = False
    recompute: bool = False

    def start(self, batch: StyleBatch) -> None:
        """Called once, before the optimizer is made, with what is to be painted."""

    def part(self, function: Callable[..., Tensor], *inputs: Tensor) -> Tensor:
        """function(*inputs), one of the parts that `recompute` speaks of."""
        if not self.recompute:
            return function(*inputs)
        return checkpoint(function, *inputs, use_reentrant=False, preserve_rng_state=False)

    @abstractmethod
    def forward(self, content: Tensor) -> Tensor:
        """Pictures (N, 3, H, W) in [0, 1] to pictures of the same size in [0, 1]."""


def paint(generators: Sequence[Generator], contents: Sequence[Tensor]) -> list[Tensor]:
    """What each generator makes of its own content image (1, 3, H, W).

    Several that are stackable and of one size paint in one pass, whose kernels are grouped.
    """
    first = generators[0]
    alike = {(type(g), tuple(p.shape for p in g.parameters())) for g in generators}
    sizes = {content.shape for content in contents}
    together = first.stackable and not first.recompute and len(generators) > 1
    if not together or len(alike) > 1 or len(sizes) > 1:
        return [g(content) for g, content in zip(generators, contents, strict=True)]
    own = [dict(g.named_parameters()) for g in generators]
    weights = {name: torch.stack([one[name] for one in own]) for name in own[0]}

    def painted(one: dict[str, Tensor], content: Tensor) -> Tensor:
        return functional_call(first, one, (content,))

    return list(torch.vmap(painted)(weights, torch.stack(list(contents))))
