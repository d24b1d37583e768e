"""Formulas of the correlation study, against SciPy, hand-made cases and plain loops."""

import pytest
import scipy.stats
import torch

from experiments.correlation import scores


@pytest.fixture
def random():
    return torch.Generator().manual_seed(0)


def test_auc_is_mann_whitneys_statistic_also_with_ties(random):
    right = torch.randint(0, 9, (40,), generator=random).double() + 2
    wrong = torch.randint(0, 9, (70,), generator=random).double()
    statistic = scipy.stats.mannwhitneyu(right.numpy(), wrong.numpy()).statistic
    assert scores.auc(right, wrong) == pytest.approx(statistic / (40 * 70), abs=1e-12)
    assert scores.auc(torch.ones(3), torch.ones(5)) == 0.5


def test_retrieval_counts_the_right_texts_among_the_nearest():
    similar = torch.tensor([[0.9, 0.1, 0.2], [0.3, 0.2, 0.1], [0.1, 0.5, 0.4]])
    owners = torch.tensor([0, 1, 0])  # ranks 1, 2 and 3
    assert scores.ranks(similar, owners).tolist() == [1, 2, 3]
    assert [scores.retrieval(similar, owners, k) for k in (1, 2, 3)] == pytest.approx(
        [1 / 3, 2 / 3, 1]
    )
    assert scores.auc_of(similar, owners) == pytest.approx(9.5 / 18)


def test_equal_similarities_are_no_success():
    level = torch.zeros(4, 5)
    assert scores.ranks(level, torch.arange(4)).tolist() == [3.0] * 4
    assert scores.retrieval(level, torch.arange(4), 1) == 0


def test_spearman_is_scipys_column_by_column_also_with_ties(random):
    x = torch.randint(0, 5, (12,), generator=random)
    y = torch.randint(0, 5, (12, 3, 2), generator=random)
    ours = scores.spearman(x, y)
    for row in range(3):
        for column in range(2):
            theirs = scipy.stats.spearmanr(x.numpy(), y[:, row, column].numpy()).statistic
            assert float(ours[row, column]) == pytest.approx(theirs, abs=1e-12)


def test_a_lines_fit_is_scipys(random):
    x, y = torch.rand(9, generator=random), torch.rand(9, 4, generator=random)
    for column, ours in enumerate(scores.line_fit(x, y)):
        theirs = scipy.stats.linregress(x.double().numpy(), y[:, column].double().numpy()).rvalue
        assert float(ours) == pytest.approx(theirs**2, abs=1e-9)


def test_explained_variance_is_zero_for_the_reference_and_one_for_the_truth():
    truth = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    mean = truth.mean(0)
    assert scores.squared_errors(truth, truth, mean) == (0.0, 4.0)
    assert scores.squared_errors(truth, mean, mean) == (4.0, 4.0)
