"""SOAP: Adam in the eigenbasis of Shampoo's preconditioners (Vyas et al., 2024, arXiv 2409.11321).

A convolution's gradient is turned into the eigenvectors of the second moments of its outputs and of
its inputs, where Adam's step by coordinate fits the loss better; what is found there is turned
back. The eigenvectors follow by one orthogonalised power iteration a step. Vectors (norms, biases)
take plain steps of Adam. Memory beside Adam's: two matrices a side of a convolution.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn

SIDES = (0, 1)  # of a convolution's weights (outputs, inputs, places): what is turned


class Soap(torch.optim.Optimizer):
    """Adam's settings, and what the preconditioners remember from step to step.

    Args:
        params: weights, or groups of them; those of four dimensions are preconditioned.
        lr: learning rate.
        betas: shares of what is remembered of gradients and of their squares.
        memory: share of what is remembered of the second moments of outputs and inputs.
        floor: share of the largest gradient below which steps fade: turning leaves rounding errors
            where there is no gradient, which are not to be blown up.
    """

    def __init__(
        self,
        params: Iterable[nn.Parameter] | Iterable[dict[str, Any]],
        lr: float = 3e-3,
        betas: tuple[float, float] = (0.5, 0.9),
        memory: float = 0.9,
        floor: float = 1e-4,
    ) -> None:
        super().__init__(params, {"lr": lr, "betas": betas, "memory": memory, "floor": floor})

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """One step; the closure's loss, if one is given to compute the gradients."""
        with torch.enable_grad():
            loss = closure() if closure else None
        for group in self.param_groups:
            for weights in group["params"]:
                if weights.grad is not None:
                    self._move(weights, group)
        return loss

    def _move(self, weights: nn.Parameter, group: dict[str, Any]) -> None:
        (first, second), state = group["betas"], self.state[weights]
        gradient = weights.grad.flatten(2) if weights.dim() == 4 else weights.grad
        if not state:
            state |= {"step": 0, "mean": torch.zeros_like(gradient)}
            state |= {"square": torch.zeros_like(gradient), "moments": [], "bases": []}
        state["step"] += 1
        state["mean"].lerp_(gradient, 1 - first)
        bases = _bases(state, gradient, group["memory"]) if weights.dim() == 4 else []
        turned, mean = _turn(gradient, bases), _turn(state["mean"], bases)
        state["square"].lerp_(turned.square(), 1 - second)
        spread = (state["square"] / (1 - second ** state["step"])).sqrt()
        spread += group["floor"] * spread.max() + torch.finfo(spread.dtype).tiny
        step = _turn(mean / (1 - first ** state["step"]) / spread, [basis.mT for basis in bases])
        weights.add_(step.view_as(weights), alpha=-group["lr"])


def _bases(state: dict[str, Any], gradient: Tensor, memory: float) -> list[Tensor]:
    """The eigenvectors by side, after this step's gradient (O, I, K)."""
    rows = [gradient.transpose(0, side).flatten(1) for side in SIDES]
    if not state["bases"]:
        state["moments"] = [(1 - memory) * row @ row.mT for row in rows]
        state["bases"] = [torch.linalg.eigh(m).eigenvectors.flip(1) for m in state["moments"]]
        return state["bases"]
    for moment, row in zip(state["moments"], rows, strict=True):
        moment.lerp_(row @ row.mT, 1 - memory)
    pairs = zip(state["moments"], state["bases"], strict=True)
    state["bases"] = [torch.linalg.qr(moment @ basis).Q for moment, basis in pairs]
    return state["bases"]


def _turn(values: Tensor, bases: list[Tensor]) -> Tensor:
    """Values (O, I, K) in other bases of their sides; no bases: as they are."""
    for side, basis in zip(SIDES, bases, strict=False):
        rows = values.transpose(0, side)
        values = (basis.mT @ rows.flatten(1)).view(rows.shape).transpose(0, side)
    return values
