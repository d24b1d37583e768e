"""A sweep's key `search`: what varies, between which bounds, towards which scores.

search:
  method: tpe                  # or asha: stops runs that fall behind; nsga2: several metrics
  over:
    model.tau: {low: 0.1, high: 0.95}
    model.optimizer.lr: {low: 1.0e-4, high: 1.0e-2, log: true}
    style: [fire, mosaic]
  metric: style_patch          # or several: [style_patch, leakage]
  direction: max               # or several; by default the better one of each metric
  trials: 60
  seed: 0
  round: 4                     # trials that are made at the same time
  halving: {factor: 3, rungs: 2, loss: total}    # of asha
"""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from datamodules.support.schema import Schema, Seed, Text

Count = Annotated[int, Field(ge=1, le=100_000, description="a whole number from 1 to 100000")]
Range = dict[str, Any]  # {low, high} and perhaps log
ROUNDS = {"tpe": 4, "asha": 4, "nsga2": 10}  # sizes of a round; NSGA-II's is its population
RANGE = "{low: 0.001, high: 0.1, log: true}"


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


class Halving(Schema):
    """Asynchronous successive halving: at each rung the best of `factor` trials goes on.

    rungs: number of steps at which a run may be stopped: steps / factor, steps / factor^2, ...
    loss: column of losses.csv that is compared.
    """

    factor: Annotated[int, Field(ge=2, description="a whole number, 2 or more")] = 3
    rungs: Annotated[int, Field(ge=1, description="a whole number, 1 or more")] = 2
    loss: Text = "total"


class Search(Schema):
    """A search for the settings with the best scores."""

    method: Literal["tpe", "asha", "nsga2"] = "tpe"
    over: Annotated[
        dict[Text, Any],
        Field(min_length=1, description="a mapping {SETTING: {low: ..., high: ...}} or of lists"),
    ]
    metric: Annotated[
        list[Text],
        BeforeValidator(_as_list),
        Field(min_length=1, description="a score's name or a list of names"),
    ]
    direction: Annotated[
        list[Literal["max", "min"]],
        BeforeValidator(_as_list),
        Field(description="max or min, or a list with one of them for each metric"),
    ] = Field(default_factory=list)
    trials: Count = 60
    seed: Seed = 0
    round: Annotated[int, Field(ge=0, le=1000, description="a whole number up to 1000")] = 0
    halving: Halving = Field(default_factory=Halving)

    @model_validator(mode="after")
    def _fits(self) -> Search:
        for name, span in self.over.items():
            if fault := _fault(span):
                raise ValueError(f"{name} is {span!r}; {fault}")
        if self.direction and len(self.direction) != len(self.metric):
            raise ValueError(
                f"there are {len(self.metric)} metrics and {len(self.direction)} directions; give "
                "one for each"
            )
        if len(set(self.metric)) < len(self.metric):
            raise ValueError("a metric is there twice; name each once")
        if self.method == "asha" and len(self.metric) > 1:
            raise ValueError("asha takes one metric; choose tpe or nsga2 for several")
        if self.method != "asha" and "halving" in self.model_fields_set:
            raise ValueError(f"halving belongs to asha, and the method is {self.method}")
        return self

    @property
    def at_once(self) -> int:
        """Trials per round: `round`, or the method's own number. The scores of one round are
        known before the next one begins.
        """
        return self.round or ROUNDS[self.method]


def _fault(span: Any) -> str:
    """The reason why a span holds nothing to choose from, with the remedy; "" if it does."""
    if isinstance(span, list):
        return "" if span else "give at least one value"
    if not isinstance(span, dict) or not {"low", "high"} <= span.keys() <= {"low", "high", "log"}:
        return f"give a list of values, or {RANGE}"
    low, high, log = span["low"], span["high"], span.get("log", False)
    numbers = all(type(v) in (int, float) and math.isfinite(v) for v in (low, high))
    if not numbers or not isinstance(log, bool):
        return f"give finite numbers, e.g. {RANGE}"
    if low >= high:
        return "low must be below high"
    return "low must be above 0 on a logarithmic scale" if log and low <= 0 else ""


def in_words(span: Any) -> str:
    """A span as people read it: "0.1 to 0.95", "fire, mosaic"."""
    if isinstance(span, list):
        return ", ".join(map(str, span))
    scale = " on a logarithmic scale" if span.get("log") else ""
    return f"{span['low']} to {span['high']}{scale}"
