"""Ridge regression of the correlation study, against its normal equations and known maps."""

import numpy as np
import pytest
import torch

from experiments.correlation.regression import STRENGTHS, Ridge, fit, gaussian, split


@pytest.fixture
def samples():
    random = torch.Generator().manual_seed(0)
    x = torch.randn(30, 4, generator=random, dtype=torch.double)
    matrix = torch.randn(3, 4, generator=random, dtype=torch.double)
    noise = torch.randn(30, 3, generator=random, dtype=torch.double)
    return x + 5, (x @ matrix.T + 2), matrix, noise


def test_ridge_solves_the_normal_equations_with_a_free_offset(samples):
    x, y, *_ = (each.numpy() for each in samples)
    strength = 0.3
    columns = np.column_stack([x, np.ones(len(x))])
    penalty = len(x) * strength * np.diag([1.0] * 4 + [0.0])
    expected = np.linalg.solve(columns.T @ columns + penalty, columns.T @ y)
    model = Ridge(samples[0], samples[1], strength)
    np.testing.assert_allclose(model.matrix, expected[:4].T, atol=1e-10)
    np.testing.assert_allclose(model(samples[0]), columns @ expected, atol=1e-10)


def test_kernel_ridge_solves_its_dual_equations(samples):
    x, y = samples[0], samples[1]
    centred, offset = (x - x.mean(0)).numpy(), y.mean(0).numpy()
    distances = np.linalg.norm(centred[:, None] - centred[None], axis=-1)
    width = np.median(distances[distances > 1e-6])
    kernel = np.exp(-((distances / width) ** 2) / 2)
    duals = np.linalg.solve(kernel + 0.01 * len(x) * np.eye(len(x)), y.numpy() - offset)
    model = Ridge(x, y, 0.01, gaussian)
    np.testing.assert_allclose(model(x), kernel @ duals + offset, atol=1e-6)


def test_the_strength_is_small_for_an_exact_map_and_large_for_noise(samples):
    x, y, matrix, noise = samples
    groups = torch.arange(30) // 3
    exact = fit(x, y, groups, folds=5)
    torch.testing.assert_close(exact.matrix, matrix, atol=1e-3, rtol=0)
    blind = fit(x, noise, groups, folds=5)
    torch.testing.assert_close(
        blind.matrix, Ridge(x, noise, max(STRENGTHS)).matrix, atol=1e-9, rtol=0
    )


def test_parts_share_the_items_out():
    parts = split(range(53), 6, seed=1)
    assert sorted(k for part in parts for k in part) == [*range(53)]
    assert {len(part) for part in parts} == {8, 9}
    assert split(range(53), 6, seed=2) != parts
