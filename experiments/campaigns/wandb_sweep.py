"""A sweep as W&B's own sweep YAML, for those who prefer its agents to `atelier sweep`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from datamodules.support.errors import AtelierError
from datamodules.support.files import write_text
from experiments.campaigns import campaign
from experiments.campaigns.grid import values_of
from experiments.run.configuration import EMBEDDED, compose


def export(sweep: dict[str, Any], overrides: dict[str, Any], path: Path) -> int:
    """Write the W&B sweep, and the configuration that its runs start from beside it."""
    config = path.with_suffix(".config.yaml")
    method, models = sweep.get("method", "soulstyler"), sweep.get("models") or EMBEDDED
    if not (isinstance(method, str) and isinstance(models, str)):
        raise AtelierError("W&B's sweep takes one method and one models; export one YAML for each")
    if "set" in sweep:
        raise AtelierError("W&B's sweep takes no benchmark set; name an image in `fixed`")
    write_text(config, yaml.safe_dump(compose(method, models), sort_keys=False))
    write_text(path, yaml.safe_dump(as_wandb(sweep, overrides, config.absolute()), sort_keys=False))
    print(f"{path}\nwandb sweep {path}    then on every machine: wandb agent SWEEP-ID")
    return 0


def as_wandb(sweep: dict[str, Any], overrides: dict[str, Any], config: Path) -> dict[str, Any]:
    """The sweep in the terms of W&B's sweep configuration."""
    fixed = {**(sweep.get("fixed") or {}), **overrides}
    parameters = {name: {"value": value} for name, value in fixed.items()}
    for name, given in (sweep.get("grid") or {}).items():
        parameters[name] = {"values": values_of(name, given)}
    chance = sweep.get("random") or {}
    for name, span in chance.get("over", {}).items():
        parameters[name] = _distribution(span)
    named = dict(_dotted(name, parameter) for name, parameter in parameters.items())
    return {
        "name": sweep["name"],
        "method": "random" if chance else "grid",
        **({"run_cap": chance["count"]} if "count" in chance else {}),
        "command": ["atelier", "fit", f"--config={config}", "${args}"],
        "parameters": named,
    }


def _dotted(name: str, parameter: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """A parameter under its setting's dotted name, its values as LightningCLI reads them."""
    if "values" in parameter:
        pairs = [campaign.dotted(name, value) for value in parameter["values"]]
        return pairs[0][0], {"values": [value for _, value in pairs]}
    if "value" in parameter:
        setting, value = campaign.dotted(name, parameter["value"])
        return setting, {"value": value}
    return campaign.dotted(name, "")[0], parameter


def _distribution(span: Any) -> dict[str, Any]:
    if isinstance(span, list):
        return {"values": span}
    kind = "log_uniform_values" if span.get("log") else "uniform"
    return {"distribution": kind, "min": span["low"], "max": span["high"]}
