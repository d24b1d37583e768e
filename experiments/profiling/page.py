"""Figures of a profile as text; free of torch, so that `atelier profile --help` is quick."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

NAMES = {"content_features": "content features"}  # stages as people read them
UNITS = ("", "k", "M", "G", "T", "P")


def page(figures: Mapping[str, Any]) -> list[str]:
    """Lines of the text, from the figures by `experiments.profiling.figures.profile`."""
    f = figures
    patches = f", {f['patches']} patches of {f['patch_sizes']} px, {f['accept']:.0%} accepted"
    lines = [
        f"{f['method']}: {f['generator']}, {f['encoder']}, {f['content_features']}"
        + (", untrained" if f["untrained"] else ""),
        f"{f['size']}x{f['size']} px" + (patches if f["patches"] else ""),
        f"{f['device']}, {f['threads']} threads, torch {f['torch']}, {f['date']}",
        "",
        f"{'':18}{'ms per step':>12}{'share':>8}",
    ]
    total = sum(f["stages"].values())
    names = NAMES | {"generator": f["generator"]}
    for stage, seconds in f["stages"].items():
        lines.append(f"{names.get(stage, stage):18}{seconds * 1e3:12.1f}{seconds / total:8.1%}")
    lines += [
        f"{'step':18}{f['seconds'] * 1e3:12.1f}   median of {f['timed_steps']}",
        "",
        f"steps per second  {f['steps_per_second']:.4g}",
        f"peak memory       {_with_unit(f['peak_bytes'])}B",
        f"operations        {_with_unit(f['flops'])}FLOP per step",
    ]
    for kind, rate in f["matrix_rates"].items():
        lines.append(
            f"matrix rate       {_with_unit(rate)}FLOP/s in {kind}, of which a step reaches "
            f"{f['shares'][kind]:.1%}"
        )
    return lines + (_comparison(f) if "naive" in f else [])


def _comparison(f: Mapping[str, Any]) -> list[str]:
    naive = f["naive"]
    differences = ", ".join(f"{name} {value:.1e}" for name, value in f["loss_differences"].items())
    return [
        "",
        f"published loop    {naive['seconds'] * 1e3:.1f} ms per step, "
        f"{_with_unit(naive['flops'])}FLOP, {_with_unit(naive['peak_bytes'])}B",
        f"ratio             {f['ratio']:.2f} (published over ours)",
        f"losses            differ by {differences} (relative, same patches)",
    ]


def _with_unit(value: float) -> str:
    """The value with a decimal prefix: 1.5e9 as "1.5 G"."""
    power = 0
    while value >= 1000 and power < len(UNITS) - 1:
        value, power = value / 1000, power + 1
    return f"{value:.3g} {UNITS[power]}"
