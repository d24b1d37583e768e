"""Figures of the study's page as Plotly's JSON, from the rows of its tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from evaluation.report.plots import COLOURS, SHAPES, as_json, plain

Row = Mapping[str, Any]
Figure = dict[str, Any]
MARGIN = {"l": 52, "r": 14, "t": 12, "b": 44}
LINE = 21  # px per line of dots


def recognition(rows: Sequence[Row]) -> dict[str, Figure]:
    """AUC and retrieval at 5 by pictures, view and prompts."""

    def place(row: Row) -> str:
        return f"{row['pictures']}, {row['view']}, {row['prompts']}"

    five = 5 * float(rows[0]["chance at 1"])
    return {
        "AUC of right against wrong texts": dots(rows, place, "AUC", 0.5),
        "share of pictures with the right text among the 5 nearest": dots(
            rows, place, "at 5", five
        ),
    }


def explanation(rows: Sequence[Row]) -> dict[str, Figure]:
    """R2 of the linear map and of the Gaussian kernel's, and the most that is possible."""
    titles = {
        "R2, linear": "R2 of the linear map",
        "R2, gaussian": "R2 of the Gaussian kernel's map",
        "between styles": "R2 possible: share of dI's variance between styles",
    }
    return {
        title: dots(rows, lambda row: f"{row['view']}, unseen {row['unseen']}", name, 0.0)
        for name, title in titles.items()
    }


def new_styles(rows: Sequence[Row]) -> dict[str, Figure]:
    """AUC among unseen styles by map, one figure per view."""
    return {
        f"AUC among unseen styles, {view}": dots(
            [row for row in rows if row["view"] == view], lambda row: row["map"], "AUC", 0.5
        )
        for view in dict.fromkeys(row["view"] for row in rows)
    }


def strength(rows: Sequence[Row]) -> dict[str, Figure]:
    """Course of the move against the strength of the style, a line per encoder."""
    figures = {}
    for kind, measure in dict.fromkeys((row["by"], row["measure"]) for row in rows):
        figure = go.Figure()
        mine = [row for row in rows if (row["by"], row["measure"]) == (kind, measure)]
        for row in mine:
            points = {n.removeprefix("at "): v for n, v in row.items() if n.startswith("at ")}
            figure.add_scatter(
                x=[*map(float, points)], y=[*map(float, points.values())],
                mode="lines+markers", **_look(rows, row["encoder"]),
            )  # fmt: skip
        figure.update_layout(xaxis_title=f"weight of the {kind}", margin=MARGIN, height=270)
        figures[f"{measure}, by {kind}"] = as_json(figure)
    return figures


def styles(rows: Sequence[Row]) -> dict[str, Figure]:
    """Recognition of each style, worst first, by cosine and by the best linear map."""
    return {
        f"share of wrong texts below the right one, by {name}": dots(
            rows, lambda row: row["style"], name, 0.5
        )
        for name in ("cosine", "map")
    }


def encoders(rows: Sequence[Row]) -> list[str]:
    """Encoders of a table, in its order."""
    return list(dict.fromkeys(row["encoder"] for row in rows))


def dots(rows: Sequence[Row], place: Callable[[Row], str], score: str, reference: float) -> Figure:
    """A line per place, from the top, with a dot per encoder; `reference` is dashed."""
    figure = go.Figure()
    for encoder in encoders(rows):
        mine = [row for row in rows if row["encoder"] == encoder]
        figure.add_scatter(
            x=[float(row[score]) for row in mine], y=[plain(place(row)) for row in mine],
            mode="markers", **_look(rows, encoder),
        )  # fmt: skip
    figure.add_vline(x=reference, line_dash="dash", line_width=1)
    count = len({place(row) for row in rows})
    figure.update_layout(
        height=LINE * count + 70, margin=MARGIN, yaxis={"autorange": "reversed", "dtick": 1}
    )
    return as_json(figure)


def _look(rows: Sequence[Row], encoder: str) -> dict[str, Any]:
    number = encoders(rows).index(encoder)
    colour, shape = COLOURS[number % len(COLOURS)], SHAPES[number % len(SHAPES)]
    return {
        "name": plain(encoder),
        "marker": {"color": colour, "symbol": shape, "size": 8},
    }
