"""PatchCLIP loss: every patch follows the style text; patches that have arrived are left alone."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

Rejection = Callable[[Tensor, float | Tensor], Tensor]  # losses (N,) and tau to losses (N,)


def threshold_rejection(losses: Tensor, tau: float | Tensor, reject_below: bool = False) -> Tensor:
    """R(s, tau) = 0 if s <= tau else s, elementwise (CLIPstyler, eq. 2).

    losses: (N,). tau: one threshold, or one per patch (N,) (Generative Artisan, eq. 15).
    reject_below: 0 only if s < tau, as in the published code.
    """
    rejected = losses < tau if reject_below else losses <= tau
    return torch.where(rejected, 0.0, losses)


def patch_loss(
    losses: Tensor,
    tau: float | Tensor,
    alpha: float | Tensor = 1.0,
    reject: Rejection = threshold_rejection,
) -> Tensor:
    """Mean over the N patches of alpha_i R(l_i, tau_i) (CLIPstyler, eq. 2; alpha and tau per patch:
    Generative Artisan, eq. 13 to 16).

    losses: (N,) directional losses of the patches, in [0, 2]. tau, alpha: a number or (N,).
    reject: R. Returns a scalar >= 0.
    """
    return (alpha * reject(losses, tau)).mean()
