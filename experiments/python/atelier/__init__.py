"""Atelier from Python: a call beside each command, on pictures, arrays or files.

    import atelier

    result = atelier.stylize("boat.jpg", "Turn the white sailboat to fire")
    result.picture.show()

The calls are fronts of the functions behind the command line. Importing this package imports
nothing else; each name brings what it needs when it is first used. docs/python.md shows all of it.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from atelier.building import build as build
    from atelier.campaigns import compare as compare
    from atelier.campaigns import sweep as sweep
    from atelier.networks import export as export
    from atelier.networks import train as train
    from atelier.parts import find_mask as find_mask
    from atelier.parts import parse as parse
    from atelier.scores import evaluate as evaluate
    from atelier.scores import read_runs as read_runs
    from atelier.stylization import Result as Result
    from atelier.stylization import read_run as read_run
    from atelier.stylization import stylize as stylize
    from datamodules.support.errors import AtelierError as AtelierError
    from datamodules.task import StyleTarget as StyleTarget
    from evaluation.scoring import Evaluation as Evaluation
    from evaluation.suite import Scores as Scores
    from experiments.campaigns.comparison import Sheet as Sheet
    from experiments.run.mask import ObjectMask as ObjectMask
    from experiments.run.score_run import ScoreRun as ScoreRun
    from experiments.run.visit import AtelierWarning as AtelierWarning
    from lightning_modules.callbacks import StepProgress as StepProgress
    from lightning_modules.callbacks import WriteRun as WriteRun

_PLACES = {  # module of each public name
    "AtelierError": "datamodules.support.errors",
    "AtelierWarning": "experiments.run.visit",
    "Evaluation": "evaluation.scoring",
    "ObjectMask": "experiments.run.mask",
    "Result": "atelier.stylization",
    "ScoreRun": "experiments.run.score_run",
    "Scores": "evaluation.suite",
    "Sheet": "experiments.campaigns.comparison",
    "StepProgress": "lightning_modules.callbacks",
    "StyleTarget": "datamodules.task",
    "WriteRun": "lightning_modules.callbacks",
    "build": "atelier.building",
    "compare": "atelier.campaigns",
    "evaluate": "atelier.scores",
    "export": "atelier.networks",
    "find_mask": "atelier.parts",
    "parse": "atelier.parts",
    "read_run": "atelier.stylization",
    "read_runs": "atelier.scores",
    "stylize": "atelier.stylization",
    "sweep": "atelier.campaigns",
    "train": "atelier.networks",
}

__all__ = list(_PLACES)


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from datamodules.support.versions import own_version

        return own_version()
    if name not in _PLACES:
        raise AttributeError(f"module 'atelier' has no attribute {name!r}")
    return getattr(import_module(_PLACES[name]), name)


def __dir__() -> list[str]:
    return [*(name for name in globals() if name.startswith("__")), *__all__, "__version__"]
