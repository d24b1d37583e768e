"""A sweep as W&B's own sweep YAML, for those who prefer its agents to `atelier sweep`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from datamodules.support.errors import AtelierError
from datamodules.support.files import write_text
from experiments.campaigns.grid import Sweep, values_of
from experiments.campaigns.plan import setting
from experiments.run.configuration import compose
from experiments.run.offline import PROJECT


def export(sweep: Sweep, overrides: Mapping[str, Any], path: Path) -> None:
    """Write the W&B sweep, and beside it the configuration that its runs start from.

    Raises AtelierError for what W&B cannot express: several methods or models, a benchmark set.
    """
    if len(sweep.method) > 1 or len(sweep.models) > 1:
        raise AtelierError("W&B's sweep takes one method and one models; export one YAML for each")
    if sweep.search:
        raise AtelierError("W&B's sweep cannot go on from scores of runs here; leave search out")
    if sweep.set:
        raise AtelierError("W&B's sweep takes no benchmark set; name an image in `fixed`")
    config = path.with_suffix(".config.yaml")
    start = compose(sweep.method[0], sweep.models[0])
    write_text(config, yaml.safe_dump(start, sort_keys=False))
    write_text(path, yaml.safe_dump(as_wandb(sweep, overrides, config), sort_keys=False))


def as_wandb(sweep: Sweep, overrides: Mapping[str, Any], config: Path) -> dict[str, Any]:
    """The sweep as W&B's sweep configuration; its runs start from the file `config`.

    Paths below the current folder are relative to it, so that an agent can run in its copy.
    """
    fixed = {**sweep.fixed, **overrides}
    project = fixed.pop("wandb.project", PROJECT)
    parameters = {name: {"value": value} for name, value in fixed.items()}
    for name, span in sweep.grid.items():
        parameters[name] = {"values": values_of(name, span)}
    for name, span in sweep.random.over.items():
        parameters[name] = _distribution(span)
    return {
        "name": sweep.name,
        "project": project,
        "method": "random" if sweep.random.over else "grid",
        **({"run_cap": sweep.random.count} if sweep.random.over else {}),
        "command": ["atelier", "fit", f"--config={config}", "${args}"],
        "parameters": dict(_by_setting(*parameter) for parameter in parameters.items()),
    }


def _by_setting(name: str, parameter: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """A parameter under its setting's dotted name, its values as LightningCLI reads them."""
    if "values" in parameter:
        pairs = [setting(name, value) for value in parameter["values"]]
        return pairs[0][0], {"values": [_relative(value) for _, value in pairs]}
    if "value" in parameter:
        dotted, value = setting(name, parameter["value"])
        return dotted, {"value": _relative(value)}
    return setting(name, "")[0], parameter


def _relative(value: Any) -> Any:
    """An absolute path below the current folder as a relative one; other values as they are."""
    if isinstance(value, str) and Path(value).is_relative_to(Path.cwd()):
        return str(Path(value).relative_to(Path.cwd()))
    return value


def _distribution(span: Any) -> dict[str, Any]:
    if isinstance(span, list):
        return {"values": span}
    kind = "log_uniform_values" if span.get("log") else "uniform"
    return {"distribution": kind, "min": span["low"], "max": span["high"]}
