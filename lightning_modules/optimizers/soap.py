"""SOAP: Adam in the eigenbasis of Shampoo's preconditioners (Vyas et al., 2024, arXiv 2409.11321).

The gradient of a convolution is rotated into the eigenvectors of the second moments of its outputs
and of its inputs. There Adam's step per coordinate suits the loss better; the step is rotated back.
The eigenvectors are updated by one orthogonalised power iteration per step. Vectors (norms, biases)
take plain steps of Adam. Memory in addition to Adam's: two square matrices for the outputs and two
for the inputs of each convolution.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn

AXES = (0, 1)  # of a convolution's weights (outputs, inputs, places): those that are rotated


class Soap(torch.optim.Optimizer):
    """Adam with preconditioned convolutions.

    Args:
        params: weights, or groups of them; those of four dimensions are preconditioned.
        lr: learning rate.
        betas: decay rates of the averages of gradients and of squared gradients, in [0, 1).
        memory: decay rate of the second moments of outputs and inputs, in [0, 1).
        floor: share of the largest root of squared gradients that is added to all of them: rotation
            leaves rounding errors where there is no gradient, which must not be amplified.
    """

    def __init__(
        self,
        params: Iterable[nn.Parameter] | Iterable[dict[str, Any]],
        lr: float = 3e-3,
        betas: tuple[float, float] = (0.5, 0.9),
        memory: float = 0.9,
        floor: float = 1e-4,
    ) -> None:
        if not all(0 <= rate < 1 for rate in (*betas, memory)):
            raise ValueError(f"betas {list(betas)} and memory {memory} must be in [0, 1)")
        super().__init__(params, {"lr": lr, "betas": betas, "memory": memory, "floor": floor})

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Take one step; returns the loss of `closure`, which computes the gradients, or None."""
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
        rotated, mean = _rotate(gradient, bases), _rotate(state["mean"], bases)
        state["square"].lerp_(rotated.square(), 1 - second)
        spread = (state["square"] / (1 - second ** state["step"])).sqrt()
        spread += group["floor"] * spread.max() + torch.finfo(spread.dtype).tiny
        step = _rotate(mean / (1 - first ** state["step"]) / spread, [basis.mT for basis in bases])
        weights.add_(step.view_as(weights), alpha=-group["lr"])


def _bases(state: dict[str, Any], gradient: Tensor, memory: float) -> list[Tensor]:
    """Eigenvectors per axis after this step's gradient (O, I, K): (O, O) and (I, I)."""
    rows = [gradient.transpose(0, axis).flatten(1) for axis in AXES]
    if not state["bases"]:
        state["moments"] = [(1 - memory) * row @ row.mT for row in rows]
        state["bases"] = [torch.linalg.eigh(m).eigenvectors.flip(1) for m in state["moments"]]
        return state["bases"]
    for moment, row in zip(state["moments"], rows, strict=True):
        moment.lerp_(row @ row.mT, 1 - memory)
    pairs = zip(state["moments"], state["bases"], strict=True)
    state["bases"] = [torch.linalg.qr(moment @ basis).Q for moment, basis in pairs]
    return state["bases"]


def _rotate(values: Tensor, bases: list[Tensor]) -> Tensor:
    """Values (O, I, K) in other bases of their axes; without bases unchanged."""
    for axis, basis in zip(AXES, bases, strict=False):
        rows = values.transpose(0, axis)
        values = (basis.mT @ rows.flatten(1)).view(rows.shape).transpose(0, axis)
    return values
