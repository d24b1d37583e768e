"""Random numbers by keys."""

import torch

from lightning_modules.steps.hashing import mixed, uniforms


def test_words_are_mixed_one_to_one():
    words = torch.cat([torch.arange(2**16), 2**32 - 1 - torch.arange(2**16)])
    assert len(mixed(words).unique()) == len(words)
    assert 0 <= int(mixed(words).min()) <= int(mixed(words).max()) < 2**32


def test_numbers_are_uniform_and_independent():
    numbers = uniforms(7, torch.arange(3000), 40)
    assert numbers.min() >= 0 and numbers.max() < 1
    counts = torch.histc(numbers, 20, 0, 1) / numbers.numel()
    assert (counts - 0.05).abs().max() < 0.002
    for rows in (numbers, numbers.T[:, :300]):  # of neighbouring places, of neighbouring keys
        between = torch.corrcoef(rows.T).fill_diagonal_(0)
        assert between.abs().max() < 6 / len(rows) ** 0.5


def test_a_row_is_a_function_of_seed_and_key_alone():
    keys = torch.tensor([5, 2**40 + 5, 5, 6])
    rows = uniforms(1, keys, 8)
    assert torch.equal(rows[0], rows[2])
    assert torch.equal(uniforms(1, keys[1:2], 8)[0], rows[1])
    others = [rows[1], rows[3], uniforms(2, keys, 8)[0], uniforms(1 + 2**32, keys, 8)[0]]
    assert all((rows[0] - other).abs().max() > 0.1 for other in others)
