"""PatchCLIP loss: every patch follows the style text, those that already do are left alone."""

from __future__ import annotations

import torch
from torch import Tensor


def threshold_rejection(losses: Tensor, tau: float | Tensor, reject_below: bool = False) -> Tensor:
    """R(s, tau) = 0 if s <= tau else s, elementwise (CLIPstyler, eq. 2).

    tau: one threshold, or one a patch (Generative Artisan, eq. 15).
    reject_below: 0 if s < tau, as the published code has it; s = tau is kept.
    """
    rejected = losses < tau if reject_below else losses <= tau
    return torch.where(rejected, 0.0, losses)


def patch_loss(
    losses: Tensor,
    tau: float | Tensor,
    alpha: float | Tensor = 1.0,
    reject_below: bool = False,
) -> Tensor:
    """Mean over the N patches of alpha_i R(l_i, tau_i) (CLIPstyler, eq. 2; alpha and tau by patch:
    Generative Artisan, eq. 13 to 16).

    losses: (N,) directional losses of the patches, in [0, 2]; tau, alpha: a number or (N,).
    Returns a scalar >= 0.
    """
    return (alpha * threshold_rejection(losses, tau, reject_below)).mean()
