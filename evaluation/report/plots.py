"""Figures of many runs as Plotly's JSON; the page sets the colours of paper and ink."""

from __future__ import annotations

import html
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from evaluation.front import front
from evaluation.report.page_model import (
    Entry,
    is_number,
    long,
    main_scores,
    short,
    thresholds,
    words,
)
from evaluation.tables import numbers
from evaluation.tables.groups import Cell, summary
from evaluation.tables.meanings import arrow, direction, heading, is_users, stem

# Distinct on white and on black, and for the colour-blind; shapes repeat the distinction.
COLOURS = ("#3d73dd", "#d9701f", "#239b76", "#c74d93", "#8d65d8", "#a8831a", "#3a9cc4", "#8f6a58")
SHAPES = ("circle", "square", "diamond", "triangle-up", "cross", "x", "star", "pentagon")
PAPERS_T = 0.7  # Soulstyler: the threshold with the best balance of style and background
KEPT = ("leakage", "background_psnr", "background_ssim", "object_content_distance")
STYLE = ("style_patch", "style_global", "style_direction")
FRONT = "Pareto front"


def looks_of(groups: Iterable[str]) -> dict[str, tuple[str, str]]:
    """Colour and shape of each group of runs, the same in every figure."""
    return {
        group: (COLOURS[i % len(COLOURS)], SHAPES[i % len(SHAPES)])
        for i, group in enumerate(groups)
    }


def plain(text: str) -> str:
    """Text that Plotly does not read as its HTML."""
    return html.escape(text, quote=False)


# ---- threshold curves ----


def curve(entries: Sequence[Entry], label: str, score: str) -> dict[str, dict[float, Cell]]:
    """Mean and spread of a score at every value of a label, by group, over all other labels."""
    values: dict[str, dict[float, list[float | None]]] = {}
    for entry in entries:
        at = entry.labels.get(label)
        if is_number(at) and not entry.failure:
            line = values.setdefault(entry.group, {})
            line.setdefault(at, []).append(entry.run.metrics.get(score))
    lines = {
        group: {at: cell for at in sorted(line) if (cell := summary(line[at])).n}
        for group, line in sorted(values.items())
    }
    return {group: line for group, line in lines.items() if line}


def curves(entries: Sequence[Entry], looks: Mapping[str, tuple]) -> list[dict[str, Any]]:
    """For every label that is a threshold one panel per score: {"label", "title", "panels"}."""
    whole = [entry for entry in entries if not entry.failure]
    scores = main_scores(entry.run for entry in whole)
    curves = []
    for label in sorted(thresholds(whole), key=lambda name: (not is_tau(name), name)):
        panels = []
        for score in scores:
            lines = curve(whole, label, score)
            if any(len(line) > 1 for line in lines.values()):
                figure = curve_figure(lines, label, looks)
                title = f"{heading(score)} {arrow(score)}".strip()
                panels.append({"score": score, "title": title, "figure": figure})
        if panels:
            curves.append({"label": label, "title": long(label), "panels": panels})
    return curves


def is_tau(label: str) -> bool:
    """Whether a label is the threshold whose best value the paper names."""
    return short(label) == "tau"


def is_threshold(label: str) -> bool:
    """Whether a label is a threshold of any kind."""
    return is_tau(label) or "threshold" in label


def curve_figure(
    lines: Mapping[str, Mapping[float, Cell]],
    label: str,
    looks: Mapping[str, tuple],
) -> dict[str, Any]:
    """One line per group: the mean, in a band of one standard deviation to either side."""
    figure = go.Figure()
    for group, line in lines.items():
        colour, shape = looks[group]
        at, cells = list(line), list(line.values())
        if any(cell.sd for cell in cells):
            edge = [cell.mean + (cell.sd or 0) for cell in cells]
            edge += [cell.mean - (cell.sd or 0) for cell in reversed(cells)]
            figure.add_scatter(
                x=at + at[::-1], y=edge, fill="toself", fillcolor=colour, opacity=0.16,
                line={"width": 0}, mode="lines", hoverinfo="skip", legendgroup=group,
            )  # fmt: skip
        texts = [f"{numbers.spread(cell)}, n = {cell.n}".strip(", ") for cell in cells]
        figure.add_scatter(
            x=at, y=[cell.mean for cell in cells], mode="lines+markers", name=plain(group),
            legendgroup=group, line={"color": colour, "width": 2.2}, text=texts,
            marker={"symbol": shape, "size": 8},
            hovertemplate="%{fullData.name}<br>%{x:g}: %{y:.4g} %{text}<extra></extra>",
        )  # fmt: skip
    figure.update_layout(
        xaxis_title=plain(long(label)), margin={"l": 56, "r": 14, "t": 12, "b": 44}
    )
    if is_tau(label):
        figure.add_vline(
            x=PAPERS_T, line_dash="dash", line_width=1.5, annotation_text="paper: t = 0.7",
            annotation_position="top right", annotation_font_size=11,
        )  # fmt: skip
    return as_json(figure)


# ---- style against what is kept ----


def tradeoffs(entries: Sequence[Entry], looks: Mapping[str, tuple]) -> list[dict[str, Any]]:
    """Every choice of axes, the most telling first: {"x", "y", "figure", "shown", "missing"}.

    A point's customdata is the number of its run among the whole ones.
    """
    whole = [entry for entry in entries if not entry.failure]
    scores = main_scores(entry.run for entry in whole)
    others = [name for name in scores if is_users(name)]
    across = [name for kind in KEPT for name in scores if stem(name) == kind]
    # With an exact background all have the same leakage: then another score tells more.
    across.sort(key=lambda name: len({e.run.metrics.get(name) for e in whole} - {None}) < 2)
    choices = []
    for y in (*(name for name in scores if stem(name) in STYLE), *others):
        for x in (name for name in (*across, *others) if name != y):
            points = tradeoff(whole, x, y)
            if count := sum(len(runs) for *_, runs in points.values()):
                axes = {"x": heading(x), "y": heading(y)}
                axes["figure"] = tradeoff_figure(points, x, y, looks)
                choices.append(axes | {"shown": count, "missing": len(whole) - count})
    return choices


def tradeoff(whole: Sequence[Entry], x: str, y: str) -> dict[str, tuple[list, list, list]]:
    """By group: two scores, and numbers of the runs."""
    points: dict[str, tuple[list, list, list]] = {}
    for number, entry in enumerate(whole):
        a, b = (entry.run.metrics.get(name) for name in (x, y))
        if a is not None and b is not None:
            line = points.setdefault(entry.group, ([], [], []))
            for values, value in zip(line, (a, b, number), strict=True):
                values.append(value)
    return dict(sorted(points.items()))


def tradeoff_figure(
    points: Mapping[str, tuple[list, list, list]],
    x: str,
    y: str,
    looks: Mapping[str, tuple],
) -> dict[str, Any]:
    """One point per run, and the front; the page shows the picture under the pointer."""
    figure = go.Figure()
    across, up = front_line(points, x, y)
    if len(across) > 1:
        figure.add_scatter(
            x=across, y=up, mode="lines", name=FRONT, legendgroup=FRONT, hoverinfo="skip",
            line={"color": "#8a8a92", "width": 1.5, "dash": "dot"},
        )  # fmt: skip
    for group, (content, style, runs) in points.items():
        colour, shape = looks[group]
        figure.add_scatter(
            x=content, y=style, customdata=runs, mode="markers", hoverinfo="none",
            name=plain(group), legendgroup=group,
            marker={"color": colour, "symbol": shape, "size": 10, "opacity": 0.78},
        )  # fmt: skip
    figure.update_layout(
        xaxis_title=_axis(x), yaxis_title=_axis(y), hovermode="closest",
        margin={"l": 66, "r": 18, "t": 14, "b": 52},
    )  # fmt: skip
    # Better is always to the right and up.
    for name, update in ((x, figure.update_xaxes), (y, figure.update_yaxes)):
        if direction(name) is False:
            update(autorange="reversed")
    return as_json(figure)


def _axis(score: str) -> str:
    return plain(f"{heading(score)} {arrow(score)}".strip())


def front_line(
    points: Mapping[str, tuple[list, list, list]], x: str, y: str
) -> tuple[list[float], list[float]]:
    """The runs that no other beats in both scores, in order; none without directions."""
    directions = (direction(x), direction(y))
    if None in directions:
        return [], []
    pairs = [pair for a, b, _ in points.values() for pair in zip(a, b, strict=True)]
    best = sorted({pairs[number] for number in front(pairs, directions)})
    return [a for a, _ in best], [b for _, b in best]


def as_json(figure: go.Figure) -> dict[str, Any]:
    """A figure as plain values, without the template of Plotly's own colours."""
    figure.update_layout(template=go.layout.Template(), showlegend=False, dragmode=False)
    value = json.loads(figure.to_json())
    value["layout"].pop("template", None)
    return _short(value)


def _short(value: Any) -> Any:
    """Numbers with six digits: more are invisible, and would make the page larger."""
    if isinstance(value, float):
        return float(f"{value:.6g}")
    if isinstance(value, dict):
        return {name: _short(part) for name, part in value.items()}
    return [_short(part) for part in value] if isinstance(value, list) else value


def curve_rows(entries: Sequence[Entry], label: str, scores: Sequence[str]) -> list[list[str]]:
    """The curves as a table for those who do not see them: group, value, one cell per score."""
    whole = [entry for entry in entries if not entry.failure]
    lines = {score: curve(whole, label, score) for score in scores}
    places = {(group, at) for line in lines.values() for group, row in line.items() for at in row}
    missing = summary(())
    return [
        [
            group,
            words(at),
            *(numbers.mean_and_spread(lines[s].get(group, {}).get(at, missing)) for s in scores),
        ]
        for group, at in sorted(places)
    ]
