"""Figures of many runs, as Plotly's JSON; their colours of paper and ink are the page's own."""

from __future__ import annotations

import html
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from evaluation.report.page_model import (
    Entry,
    arrow,
    heading,
    is_number,
    kind,
    main_scores,
    short,
    spread,
    thresholds,
    what,
    words,
)
from evaluation.tables.runs import Cell

# Told apart on white and on black, and by those who see few colours; the shape says it again.
COLOURS = ("#3d73dd", "#d9701f", "#239b76", "#c74d93", "#8d65d8", "#a8831a", "#3a9cc4", "#8f6a58")
SHAPES = ("circle", "square", "diamond", "triangle-up", "cross", "x", "star", "pentagon")
PAPERS_T = 0.7  # Soulstyler: the threshold with the best balance of style and background
KEPT = {  # what says how much of the background is kept: score, title, how it becomes "more = kept"
    "leakage": ("background kept (1 - leakage)", lambda value: 1 - value),
    "background_psnr": ("background PSNR in dB (100 = equal)", lambda value: value),
    "background_ssim": ("background SSIM", lambda value: value),
}
STYLE = ("style_patch", "style_global", "style_direction")


def looks_of(groups: Iterable[str]) -> dict[str, tuple[str, str]]:
    """Colour and shape of each group of runs, the same in every figure."""
    return {
        group: (COLOURS[i % len(COLOURS)], SHAPES[i % len(SHAPES)])
        for i, group in enumerate(groups)
    }


def plain(text: str) -> str:
    """Text that Plotly shall not read as its HTML."""
    return html.escape(text, quote=False)


# ---- threshold curves ----


def curve(entries: Sequence[Entry], label: str, score: str) -> dict[str, dict[float, Cell]]:
    """Mean and spread of a score at every value of a label, by group; over all that differs
    besides.
    """
    values: dict[str, dict[float, list[float | None]]] = {}
    for entry in entries:
        at = entry.labels.get(label)
        if is_number(at) and not entry.failure:
            line = values.setdefault(entry.group, {})
            line.setdefault(at, []).append(entry.run.metrics.get(score))
    lines = {
        method: {at: found for at in sorted(line) if (found := spread(line[at]))}
        for method, line in sorted(values.items())
    }
    return {method: line for method, line in lines.items() if line}


def curves(entries: Sequence[Entry], looks: Mapping[str, tuple]) -> list[dict[str, Any]]:
    """For every label that is a threshold, a panel a score: {"label", "title", "panels"}."""
    whole = [entry for entry in entries if not entry.failure]
    scores = main_scores(entry.run for entry in whole)
    found = []
    for label in sorted(thresholds(whole), key=lambda name: (not is_tau(name), name)):
        panels = []
        for score in scores:
            lines = curve(whole, label, score)
            if any(len(line) > 1 for line in lines.values()):
                figure = curve_figure(lines, label, looks)
                title = f"{heading(score)} {arrow(what(score))}".strip()
                panels.append({"score": score, "title": title, "figure": figure})
        if panels:
            found.append({"label": label, "title": label, "panels": panels})
    return found


def is_tau(label: str) -> bool:
    """Whether a label is the threshold whose best value the paper names."""
    return short(label) == "tau"


def curve_figure(
    lines: Mapping[str, Mapping[float, Cell]],
    label: str,
    looks: Mapping[str, tuple],
) -> dict[str, Any]:
    """One line a group, mean, with a band of one standard deviation to either side."""
    figure = go.Figure()
    for group, line in lines.items():
        colour, shape = looks[group]
        at, means = list(line), [line[x].mean for x in line]
        spreads = [line[x].sd or 0 for x in line]
        if any(spreads):
            edge = [m + s for m, s in zip(means, spreads, strict=True)]
            edge += [m - s for m, s in zip(means, spreads, strict=True)][::-1]
            figure.add_scatter(
                x=at + at[::-1], y=edge, fill="toself", fillcolor=colour, opacity=0.16,
                line={"width": 0}, mode="lines", hoverinfo="skip", legendgroup=group,
            )  # fmt: skip
        told = [f"± {line[x].sd:.3g}, n = {line[x].n}" if line[x].sd else "n = 1" for x in line]
        figure.add_scatter(
            x=at, y=means, mode="lines+markers", name=plain(group),
            legendgroup=group, line={"color": colour, "width": 2.2}, text=told,
            marker={"symbol": shape, "size": 8},
            hovertemplate="%{fullData.name}<br>%{x:g}: %{y:.4g} %{text}<extra></extra>",
        )  # fmt: skip
    figure.update_layout(xaxis_title=plain(label), margin={"l": 56, "r": 14, "t": 12, "b": 44})
    if is_tau(label):
        figure.add_vline(
            x=PAPERS_T, line_dash="dash", line_width=1.5, annotation_text="paper: t = 0.7",
            annotation_position="top right", annotation_font_size=11,
        )  # fmt: skip
    return as_json(figure)


# ---- style against background ----


def tradeoffs(entries: Sequence[Entry], looks: Mapping[str, tuple]) -> list[dict[str, Any]]:
    """Every choice of axes: {"x", "y", "figure", "shown", "missing"}; the most telling first.

    A point's customdata is the number of its run among the whole ones.
    """
    whole = [entry for entry in entries if not entry.failure]
    scores = main_scores(entry.run for entry in whole)
    across = [name for name in KEPT if name in scores]
    # With an exact background all have the same leakage: then what differs tells more.
    across.sort(key=lambda name: len({e.run.metrics.get(name) for e in whole} - {None}) < 2)
    found = []
    for y in (name for name in scores if kind(name) in STYLE):
        for x in across:
            points = tradeoff(whole, x, y)
            shown = sum(len(numbers) for *_, numbers in points.values())
            if shown:
                figure = tradeoff_figure(points, KEPT[x][0], y, looks)
                found.append({"x": KEPT[x][0], "y": heading(y), "figure": figure})
                found[-1] |= {"shown": shown, "missing": len(whole) - shown}
    return found


def tradeoff(whole: Sequence[Entry], x: str, y: str) -> dict[str, tuple[list, list, list]]:
    """By group: how much background is kept, the style score, and the runs' numbers."""
    points: dict[str, tuple[list, list, list]] = {}
    for number, entry in enumerate(whole):
        a, b = (entry.run.metrics.get(name) for name in (x, y))
        if a is not None and b is not None:
            line = points.setdefault(entry.group, ([], [], []))
            for values, value in zip(line, (KEPT[x][1](a), b, number), strict=True):
                values.append(value)
    return dict(sorted(points.items()))


def tradeoff_figure(
    points: Mapping[str, tuple[list, list, list]],
    x: str,
    y: str,
    looks: Mapping[str, tuple],
) -> dict[str, Any]:
    """A point a run; the page shows the picture under the pointer."""
    figure = go.Figure()
    for group, (kept, style, numbers) in points.items():
        colour, shape = looks[group]
        figure.add_scatter(
            x=kept, y=style, customdata=numbers, mode="markers", hoverinfo="none",
            name=plain(group), legendgroup=group,
            marker={"color": colour, "symbol": shape, "size": 10, "opacity": 0.78},
        )  # fmt: skip
    figure.update_layout(
        xaxis_title=plain(f"{x} →"), yaxis_title=plain(f"{heading(y)} →"), hovermode="closest",
        margin={"l": 66, "r": 18, "t": 14, "b": 52},
    )  # fmt: skip
    return as_json(figure)


def as_json(figure: go.Figure) -> dict[str, Any]:
    """A figure as plain values, without the template of a library's own colours."""
    figure.update_layout(template=go.layout.Template(), showlegend=False, dragmode=False)
    value = json.loads(figure.to_json())
    value["layout"].pop("template", None)
    return _short(value)


def _short(value: Any) -> Any:
    """Numbers of six digits: nobody sees more, and the page is smaller."""
    if isinstance(value, float):
        return float(f"{value:.6g}")
    if isinstance(value, dict):
        return {name: _short(part) for name, part in value.items()}
    return [_short(part) for part in value] if isinstance(value, list) else value


def numbers(entries: Sequence[Entry], label: str, scores: Sequence[str]) -> list[list[str]]:
    """The curves as a table for those who do not see them: group, value, a cell a score."""
    whole = [entry for entry in entries if not entry.failure]
    lines = {score: curve(whole, label, score) for score in scores}
    places = {(m, at) for line in lines.values() for m, row in line.items() for at in row}
    return [
        [method, words(at), *(_cell(lines[s].get(method, {}).get(at)) for s in scores)]
        for method, at in sorted(places)
    ]


def _cell(found: Cell | None) -> str:
    if found is None:
        return "-"
    return f"{found.mean:.4g}" + (f" ± {found.sd:.2g}" if found.sd is not None else "")
