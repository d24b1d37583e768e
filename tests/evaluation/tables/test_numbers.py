"""Numbers in tables."""

import pytest

from evaluation.tables.groups import Cell
from evaluation.tables.numbers import mean_and_spread


@pytest.mark.parametrize(
    ("mean", "sd", "written"),
    [
        (0.25137, 0.0123, "0.251 ± 0.012"),
        (0.25137, 0.0996, "0.25 ± 0.10"),
        (187.93, 49.3, "188 ± 49"),
        (1234.5, 345.6, "1230 ± 350"),
        (-0.0004, 0.12, "0.00 ± 0.12"),  # no "-0.00"
        (0.3, 0.0, "0.3 ± 0"),
        (0.123456, None, "0.1235"),
        (None, None, "-"),
        (41.5, 1e-9, "41.5000 ± 0.0000"),  # no more than six digits of the mean
        (1.234e-8, 5.6e-9, "1.2e-08 ± 5.6e-09"),
        (0.0, 0.12, "0.00 ± 0.12"),
    ],
)
def test_a_mean_has_the_digits_that_its_spread_allows(mean, sd, written):
    assert mean_and_spread(Cell(mean, sd, 3)) == written
