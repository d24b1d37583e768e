"""Scores of pictures, and tables of many runs."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Literal, overload

from datamodules.support.errors import AtelierError
from experiments.run.visit import visit

if TYPE_CHECKING:
    import pandas

    from datamodules.reading.in_memory import Picture
    from evaluation.scoring import Evaluation
    from evaluation.suite import Scores

    Folder = str | os.PathLike[str]
    Device = Literal["auto", "cpu", "gpu"]


@overload
def evaluate(
    folders: Folder | Sequence[Folder],
    *,
    metrics: Sequence[str] | None = None,
    models: str = "embedded",
    force: bool = False,
    device: Device = "auto",
    wandb: bool = False,
) -> Evaluation: ...


@overload
def evaluate(
    *,
    content: Picture,
    output: Picture,
    mask: Picture | None = None,
    mask_value: str = "",
    style: str = "",
    object: str = "",
    metrics: Sequence[str] | None = None,
    models: str = "embedded",
    device: Device = "auto",
) -> Scores: ...


def evaluate(
    folders: Folder | Sequence[Folder] = (),
    *,
    content: Picture | None = None,
    output: Picture | None = None,
    mask: Picture | None = None,
    mask_value: str = "",
    style: str = "",
    object: str = "",
    metrics: Sequence[str] | None = None,
    models: str = "embedded",
    force: bool = False,
    device: Device = "auto",
    wandb: bool = False,
) -> Evaluation | Scores:
    """Score run folders, or two pictures of any system, as `atelier evaluate` does.

    Args:
        folders: a run's folder or one that holds runs, or several. Their scores are also written
            to each result.json; what is there already is not measured again.
        content, output: instead of folders, the pictures before and after, of one size, as in
            `stylize`.
        mask: where the picture was to change, white, as in `stylize`; None = everywhere.
        mask_value: of the object in a mask of labels.
        style: in words, or a blend. object: in the mask.
        metrics: names, or paths of classes; ["all"] for all; None for all but those on request.
        models: a file in configs/evaluation.
        force: measure again what is there. device: where to compute.
        wandb: add the scores to the runs at Weights & Biases.

    Returns of folders an `Evaluation`: `scores` by folder, and `failures`, a sentence each; of two
    pictures their `Scores`: `values` by name, None where one is undefined, and `unavailable`, the
    reason by metric. docs/evaluation.md gives each score's range, unit and better direction.

    Raises:
        AtelierError: no folder holds a run, the pictures cannot be scored, or a name is unknown.

    Warns:
        AtelierWarning: a run could not be scored, or a metric's weights are missing.

    Example:
        >>> scores = evaluate(content="skimage:rocket", output="skimage:rocket",
        ...                   metrics=["change"])
        >>> scores.values["object_change"]
        0.0
    """
    paths = [folders] if isinstance(folders, str | os.PathLike) else folders
    if bool(paths) == (content is not None or output is not None):
        raise AtelierError("Give folders of runs, or content and output with mask and style")
    with TemporaryDirectory() as place, visit() as messages:
        from datamodules.reading.in_memory import file_of
        from evaluation.scoring import read_cases
        from evaluation.suite import Suite
        from experiments.run.metrics import metrics_by_name
        from experiments.run.scoring import device_by_name, pair_case, score

        specs = metrics_by_name(models, metrics)
        cases, failures = read_cases([Path(path) for path in paths])
        if not paths:
            pictures = [
                "" if picture is None else file_of(picture, Path(place), name)
                for name, picture in (("content", content), ("output", output), ("mask", mask))
            ]
            cases = [pair_case(*pictures, mask_value, style, object)]
        suite = Suite(specs, device_by_name(device))
        result = score(cases, failures, suite, force, wandb)
        if not paths and result.failures:
            raise AtelierError(*result.failures.values())
        messages += [remark.removeprefix("atelier: ") for remark in result.remarks()]
        if metrics:
            result.restrict(suite)
    return result if paths else next(iter(result.scores.values()))


def read_runs(
    folder: Folder, *, by: Sequence[str] | None = None, where: Sequence[str] = ()
) -> pandas.DataFrame:
    """All runs at or below a folder as a table, as `atelier results --each --metrics all` has them.

    Args:
        folder: of a sweep, a benchmark or any runs.
        by: labels that become columns; None for all. where: "LABEL=VALUE" conditions.

    Returns one row per run: its labels (method, settings, picture, style, seed, ...), its scores,
    NaN where one is undefined, and `folder`, relative to `folder`.

    Raises:
        AtelierError: the folder holds no finished run, or pandas is missing.

    Example:
        >>> read_runs("runs").groupby("method").mean(numeric_only=True)  # doctest: +SKIP
    """
    from datamodules.support.extras import require_extra

    require_extra("pandas", "pandas")
    import pandas

    from evaluation.tables.exact import flat
    from evaluation.tables.results import ALL, Selection, tabulate

    selection = Selection(None if by is None else tuple(by), (ALL,), tuple(where), each=True)
    with visit() as messages:
        table = tabulate(Path(folder), selection)
        messages += table.remarks
    exact = flat(table)
    return pandas.DataFrame(exact.rows, columns=list(exact.columns))
