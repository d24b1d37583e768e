"""Metrics by name."""

import pytest

from experiments.run.metrics import ALL, ON_REQUEST, metrics_by_name


@pytest.mark.parametrize("models", ["embedded", "paper"])
def test_second_readings_are_measured_on_request_alone(models):
    usual, every = metrics_by_name(models), metrics_by_name(models, [ALL])
    assert set(every) - set(usual) == set(ON_REQUEST)
    assert {"dists", "structure", "brisque", "clip_iqa"} <= set(usual)
    assert list(metrics_by_name(models, ["piq_dists ", "dists"])) == ["piq_dists", "dists"]
