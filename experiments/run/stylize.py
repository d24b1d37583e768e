"""Stylization of one picture: from a configuration to a finished run folder."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from experiments.run.configuration import Configuration, require_networks, with_settings
from experiments.run.watch import Watch

if TYPE_CHECKING:
    from datamodules.request import Wish
    from datamodules.run_records import Result


def stylize(
    config: Configuration,
    settings: Mapping[str, Any],
    watch: Watch | None = None,
    several: Configuration | None = None,
    goes_on: bool = False,
) -> Path:
    """Run a configuration, with settings over it by dotted name, and return the run's folder.

    several: the configuration to run instead if the request has several styles. goes_on: whether
    the run in its folder gets more steps. Raises AtelierError, before the slow imports if pictures
    or weights are missing.
    """
    started, watch = time.perf_counter(), watch or Watch()
    config = with_settings(config, settings)
    from datamodules.images import load_photo

    data = config.get("data", {})
    for picture in filter(None, (data.get("image"), data.get("style_image"))):
        load_photo(picture)
    require_networks(config)
    wish = _wish(data) if several else None
    if wish and wish.regions > 1:
        watch.on_method(several["model"]["class_path"].rpartition(".")[2])
        config = with_settings(several, {"data.parser": data["parser"], **settings})
        require_networks(config)
    from experiments.run.lightning_cli import AtelierCLI

    cli = AtelierCLI.from_settings(config, {}, started + (wish.seconds if wish else 0))
    cli.goes_on = goes_on
    if wish:
        cli.datamodule.wish = wish
    return cli.run(watch).folder


def _wish(data: Mapping[str, Any]) -> Wish:
    """Objects and styles of the settings of a data module, whose parser is built and asked."""
    from datamodules.parsing.base import Parser
    from datamodules.request import Request
    from experiments.run.parts import build

    def sequence(name: str) -> Any:
        value = data.get(name) or ()
        return yaml.safe_load(value) if isinstance(value, str) else value  # --data.targets JSON

    texts = ("instruction", "object", "style", "background_style")
    request = Request(
        **{name: data.get(name) or "" for name in texts},
        targets=sequence("targets"),
        exceptions=sequence("exceptions"),
        has_style_image=bool(data.get("style_image")),
    )
    config = {"data": {"parser": data["parser"]}}
    return request.resolve(build(Parser, "data.parser", config))


def summary(result: Result) -> dict[str, str]:
    """Result of a run for people: text by heading."""
    from evaluation.tables.meanings import judgements

    metrics, seconds = result.metrics, result.seconds
    names = {} if result.steps else {"optimise": "paint"}
    stages = ", ".join(f"{names.get(name, name)} {value:.1f}" for name, value in seconds.items())
    rows = {
        "time": f"{sum(seconds.values()):.1f} s ({stages})",
        "losses": ", ".join(f"{name} {value:.4g}" for name, value in result.losses.items())
        or "none: painted in one pass",
        "background": "none: the mask covers everything",
    }
    own = ", which was optimised" if result.steps else ", the run's own"
    for score, role in (("style_global", ""), ("own_style_global", own)):
        before = judgements(metrics, f"{score}_before")
        for judge, after in judgements(metrics, score).items():
            rows[f"nearness to the style by {judge}{role}"] = (
                f"{before.get(judge, 0):.3f} before, {after:.3f} after"
            )
    if metrics.get("background_max_error") is not None:
        rows["background"] = (
            f"max error {metrics['background_max_error'] * 255:.0f} of 255, "
            f"mean {metrics['background_mean_error'] * 255:.3f}"
        )
    return rows
