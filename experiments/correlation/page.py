"""Page of the study: figures and tables in one folder that opens from disk, from its CSVs."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from evaluation.report import markup
from evaluation.report.write import HERE, PAGE, PLOTLY, as_script, replacing
from experiments.correlation import figures
from experiments.correlation.figures import Row

REASON = "not measured"  # column of the summary: the reason, "" for an encoder that was
TITLE = "What the encoders know of style"
SECTIONS = {  # heading and explanation of each table
    "recognition": (
        "Right against wrong texts",
        "The cosine of dT and dI, for photos painted in a style and for the style's own picture. "
        "Chance is dashed.",
    ),
    "explanation": (
        "What of dI a map of dT explains",
        "R2 on styles, photos or both that the map never saw; 0 is the mean of the training "
        "pictures. No function of the text can explain more than the share between styles.",
    ),
    "new_styles": (
        "Styles that a map never saw",
        "Retrieval among the styles left out in training. All maps but the plain cosine have the "
        "mean of the training styles taken off.",
    ),
    "strength": (
        "Magnitude against the strength of the style",
        "The move of the whole picture's embedding as the painting is blended in, or as the code "
        "goes from a plain one to the style's.",
    ),
    "styles": (
        "Which styles fail",
        "Worst first: the share of wrong texts that are less similar than the right one, by the "
        "patch loss's cosine among all styles, and by the backward linear map among styles that "
        "it never saw. Chance is 0.5.",
    ),
}


def write_page(summary: Sequence[Row], tables: Mapping[str, Sequence[Row]], out: Path) -> Path:
    """Write the folder `out` anew, whole or not at all; the path of its page.

    summary: a row per encoder, also those without weights. tables: rows by the names of SECTIONS,
    all with the column "encoder".
    """
    drawn = {name: getattr(figures, name)(rows) for name, rows in tables.items() if rows}
    parts = {
        "TITLE": markup.text(TITLE),
        "STYLE": (HERE / "style.css").read_text("utf-8"),
        "SUMMARY": _summary(summary),
        "SECTIONS": "".join(_section(name, drawn[name], tables[name]) for name in drawn),
        "FIGURES": as_script(
            {key: each for panels in drawn.values() for key, each in panels.items()}
        ),
    }
    template = Path(__file__).with_suffix(".html").read_text("utf-8")
    with replacing(out) as folder:
        html = re.sub("@([A-Z]+)@", lambda place: parts[place[1]], template)
        (folder / PAGE).write_text(html, encoding="utf-8")
        shutil.copyfile(PLOTLY, folder / PLOTLY.name)
    return out / PAGE


def _summary(rows: Sequence[Row]) -> str:
    """Table of the encoders, and the reasons for those that were not measured."""
    table = _table([{k: v for k, v in row.items() if k != REASON} for row in rows], "Encoders")
    reasons = (f"{row['encoder']}: {row[REASON]}" for row in rows if row[REASON])
    notes = "".join(markup.tag("li", markup.text(reason)) for reason in reasons)
    return table + markup.tag("ul", notes, class_="notes")


def _section(name: str, panels: Mapping[str, figures.Figure], rows: Sequence[Row]) -> str:
    heading, explanation = SECTIONS[name]
    plots = "".join(map(_panel, panels))
    numbers = markup.tag("summary", "Numbers") + _table(rows, heading)
    inner = (
        markup.tag("h2", markup.text(heading)),
        markup.tag("p", markup.text(explanation)),
        _legend(rows),
        markup.tag("div", plots, class_="panels"),
        markup.tag("details", numbers),
    )
    return markup.tag("section", "".join(inner), id=name)


def _legend(rows: Sequence[Row]) -> str:
    names = figures.encoders(rows)
    marks = (
        markup.tag("span", markup.text(f"● {name}"), style=f"color: {figures.COLOURS[k % 8]}")
        for k, name in enumerate(names)
    )
    return markup.tag("p", "".join(marks), class_="legend")


def _panel(title: str) -> str:
    plot = markup.tag("div", "", class_="plot", data_figure=title, role="img", aria_label=title)
    return markup.tag("figure", markup.tag("figcaption", markup.text(title)) + plot, class_="panel")


def _table(rows: Sequence[Row], caption: str) -> str:
    lines = [
        markup.row(markup.text(first), (markup.text(cell or "-") for cell in cells))
        for first, *cells in (row.values() for row in rows)
    ]
    return markup.table([markup.text(name) for name in rows[0]], lines, caption)
