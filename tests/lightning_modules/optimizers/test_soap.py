"""SOAP by an independent transcription, and by what distinguishes it from Adam."""

import numpy as np
import pytest
import torch
from torch import nn

from lightning_modules.optimizers.soap import Soap

LR, BETAS, MEMORY = 0.01, (0.5, 0.9), 0.8


def moved(start, gradients, **settings):
    """The weights after these gradients."""
    weights = nn.Parameter(start.clone())
    optimizer = Soap([weights], lr=LR, betas=BETAS, memory=MEMORY, **settings)
    for gradient in gradients:
        weights.grad = gradient
        optimizer.step()
    return weights.detach()


@pytest.fixture
def gradients():
    torch.manual_seed(0)
    return [torch.randn(5, 4, 3, 3, dtype=torch.float64) for _ in range(6)]


def by_the_paper(start, gradients, floor):
    """Vyas et al. 2024, algorithm 3 (with 4 for the bases), a matrix for every place of the kernel.

    Numpy and einsum; the first bases by an eigendecomposition, and used at once.
    """
    weights = start.numpy().reshape(5, 4, 9).copy()
    left, right = np.zeros((5, 5)), np.zeros((4, 4))
    mean, square, q_left, q_right = np.zeros_like(weights), np.zeros_like(weights), None, None
    for t, gradient in enumerate(gradients, start=1):
        g = gradient.numpy().reshape(5, 4, 9)
        left = MEMORY * left + (1 - MEMORY) * np.einsum("aik,bik->ab", g, g)
        right = MEMORY * right + (1 - MEMORY) * np.einsum("oak,obk->ab", g, g)
        if t == 1:
            q_left, q_right = (np.linalg.eigh(m)[1][:, ::-1] for m in (left, right))
        else:
            q_left, q_right = np.linalg.qr(left @ q_left)[0], np.linalg.qr(right @ q_right)[0]
        mean = BETAS[0] * mean + (1 - BETAS[0]) * g
        turned, turned_mean = (np.einsum("ax,bz,abk->xzk", q_left, q_right, v) for v in (g, mean))
        square = BETAS[1] * square + (1 - BETAS[1]) * turned**2
        spread = np.sqrt(square / (1 - BETAS[1] ** t))
        step = turned_mean / (1 - BETAS[0] ** t) / (spread + floor * spread.max())
        weights -= LR * np.einsum("ax,bz,xzk->abk", q_left, q_right, step)
    return torch.from_numpy(weights).view(5, 4, 3, 3)


@pytest.mark.parametrize("floor", [1e-4, 0.1])
def test_a_convolution_moves_as_the_paper_says(gradients, floor):
    start = torch.randn(5, 4, 3, 3, dtype=torch.float64)
    torch.testing.assert_close(
        moved(start, gradients, floor=floor),
        by_the_paper(start, gradients, floor),
        rtol=1e-8,
        atol=1e-10,
    )


def test_a_vector_moves_as_adams():
    torch.manual_seed(1)
    start, gradients = torch.randn(7), [torch.randn(7) for _ in range(5)]
    weights = nn.Parameter(start.clone())
    adam = torch.optim.Adam([weights], lr=LR, betas=BETAS, eps=0)
    for gradient in gradients:
        weights.grad = gradient
        adam.step()
    torch.testing.assert_close(moved(start, gradients, floor=1e-9), weights.detach())


def test_in_turned_coordinates_it_takes_the_turned_steps(gradients):
    """Adam's steps, in contrast, depend on the coordinates."""
    turn = torch.linalg.qr(torch.randn(5, 5, dtype=torch.float64)).Q
    start = torch.zeros(5, 4, 3, 3, dtype=torch.float64)

    def turned(values):
        return torch.einsum("ab,bixy->aixy", turn, values)

    straight = moved(start, gradients)
    torch.testing.assert_close(moved(start, [turned(g) for g in gradients]), turned(straight))
    adam = nn.Parameter(start.clone())
    optimizer = torch.optim.Adam([adam], lr=LR, betas=BETAS)
    adam.grad = turned(gradients[0])
    optimizer.step()
    plain = torch.sign(gradients[0]) * -LR
    assert float((adam.detach() - turned(plain)).abs().max()) > LR / 10


def test_where_there_is_no_gradient_rounding_is_not_blown_up():
    """A direction of the inputs without a gradient, up to rounding, is left alone."""
    torch.manual_seed(2)
    start, along = torch.zeros(5, 4, 3, 3), torch.randn(4)
    others = [torch.randn(5, 1, 3, 3) for _ in range(20)]
    weights = moved(start, [g * along[None, :, None, None] for g in others])
    across = torch.linalg.svd(along[None]).Vh[1:]  # what is orthogonal to it
    aside = torch.einsum("ai,oixy->oaxy", across, weights)
    assert float(aside.norm() / weights.norm()) < 0.02
