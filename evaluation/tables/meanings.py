"""Meanings of the numbers in tables, by the names that they have in result.json.

A score's name is "own_" (where the encoder that was optimised judges itself), its bare name, and
"." with the network that measured: "own_style_patch.bridge-lite0".
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path

import yaml

from datamodules.models.cache import once_per_process
from evaluation.metrics.scores import ALL, OWN, Score

SUITES = Path(__file__).parents[2] / "configs" / "evaluation"
SECONDS = "seconds"
ARROWS = {True: "↑", False: "↓", None: ""}
SHIPPED = "evaluation.metrics."  # metrics that declare their scores in evaluation/metrics/scores.py


@once_per_process
def meanings() -> dict[str, Score]:
    """Meanings by bare name: of our own metrics, and of others that configs/evaluation names."""
    scores = {SECONDS: Score(False, 0, math.inf, "the run's stages together", unit="s")} | ALL
    for class_path in _other_metrics():
        module, _, name = class_path.rpartition(".")
        others = getattr(import_module(module), name).scores
        scores |= {bare(key): score for key, score in others.items()}
    return scores


def _other_metrics() -> list[str]:
    suites = (yaml.safe_load(path.read_text(encoding="utf-8")) for path in SUITES.glob("*.yaml"))
    classes = {metric["class_path"] for suite in suites for metric in suite.values()}
    return sorted(name for name in classes if not name.startswith(SHIPPED))


def meaning(name: str) -> Score | None:
    """Meaning of a number by its name; None for one that no metric of ours gives."""
    return meanings().get(bare(name))


def direction(name: str) -> bool | None:
    """Whether higher is better; None where neither is, or where it is unknown."""
    score = meaning(name)
    return score.higher_is_better if score else None


def arrow(name: str) -> str:
    """ "↑" where higher is better, "↓" where lower is, else ""."""
    return ARROWS[direction(name)]


def stem(name: str) -> str:
    """A score's name without the network that measured."""
    return name.partition(".")[0]


def network(name: str) -> str:
    """The network in a score's name, "" for none."""
    return name.partition(".")[2]


def bare(name: str) -> str:
    """A score's name without the network and without "own_"."""
    return stem(name).removeprefix(OWN)


def judgements(values: Mapping[str, float | None], score: str) -> dict[str, float]:
    """Values of a score such as "own_style_global" by the encoder that judged."""
    return {
        network(name): value
        for name, value in values.items()
        if value is not None and stem(name) == score
    }
