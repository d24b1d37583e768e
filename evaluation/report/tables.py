"""Parts of the page that need no script, as HTML: overview, tables, failures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from evaluation.report.markup import command_box, row, table, tag, text
from evaluation.report.page_model import (
    Entry,
    Overview,
    all_scores,
    by_group,
    main_scores,
    words,
)
from evaluation.report.plots import curve_rows, is_tau, is_threshold
from evaluation.report.published import Published
from evaluation.tables import numbers
from evaluation.tables.groups import Cell, Group
from evaluation.tables.lead import explained, leads
from evaluation.tables.meanings import (
    ARROWS,
    SECONDS,
    arrow,
    direction,
    label_title,
    meaning,
    method_title,
    stem,
    title,
    unit,
)
from evaluation.tables.parsers import COLUMNS, Column

NONE = '<span class="none" title="not measured">-</span>'


# ---- overview ----


def overview_part(overview: Overview) -> str:
    """Counts in large figures, and notes for readers of the tables."""
    methods = list(map(method_title, overview.methods))
    tiles = [
        (_progress(overview), "run" if overview.planned == 1 else "runs"),
        (str(overview.failed), "failed"),
        (numbers.duration(overview.seconds), "of computing"),
        (str(len(methods)), ", ".join(methods) if 0 < len(methods) < 7 else "methods"),
    ]
    figures = "".join(
        tag("div", tag("dt", text(name)) + tag("dd", text(figure)), class_="tile")
        for figure, name in tiles
    )
    encoders = "Encoder" if len(overview.encoders) == 1 else "Encoders"
    facts = [
        (encoders, ", ".join(overview.encoders)),
        ("Sets", ", ".join(overview.sets)),
        ("Made", span(overview.dates)),
    ]
    pairs = "".join(
        tag("div", tag("dt", text(name)) + tag("dd", text(value))) for name, value in facts if value
    )
    notes = "".join(tag("li", note) for note in _notes(overview))
    return (
        tag("dl", figures, class_="tiles")
        + tag("dl", pairs, class_="facts")
        + (tag("ul", notes, class_="notes", aria_label="What to know") if notes else "")
    )


def _progress(overview: Overview) -> str:
    """ "17 of 24", or the number alone where none is still to come."""
    rest = overview.planned - overview.done - overview.failed
    return f"{overview.done} of {overview.planned}" if rest else str(overview.done)


def span(dates: Sequence[str]) -> str:
    """ "2026-11-20 to 2026-11-21"; a single day alone."""
    return " to ".join(dict.fromkeys([dates[0], dates[-1]])) if dates else ""


def _notes(overview: Overview) -> list[str]:
    notes = []
    if overview.embedded:
        notes.append(
            "<b>Not comparable with published numbers:</b> these runs were made or judged with the "
            "embedded stand-in for CLIP (bridge). They compare with one another."
        )
    if rest := overview.planned - overview.done - overview.failed:
        notes.append(
            f"<b>Unfinished:</b> {rest} of {overview.planned} runs are not made yet; the command "
            "that began them makes them."
        )
    if overview.failed:
        notes.append(f'<a href="#failed">{overview.failed} failed</a>; the tables leave them out.')
    for why, (metrics, count) in overview.unavailable.items():
        names = ", ".join(tag("code", text(name)) for name in metrics)
        runs = "1 run" if count == 1 else f"{count} runs"
        notes.append(f"{names}: unavailable in {runs}: {text(why)}")
    return notes


# ---- methods ----


def methods_part(entries: Sequence[Entry], published: Published) -> str:
    """Methods by main scores; below ours the rows of papers about the same sets."""
    groups = by_group(entries)
    scores = main_scores(run for group in groups.values() for run in group.runs)
    papers = published.about({run.set for group in groups.values() for run in group.runs})
    places = _places(papers, scores)
    alone = [name for name, place in places.items() if place == name and name not in scores]
    columns = [*scores, *alone]
    ahead = leads(list(groups.values()), {name: direction(name) for name in scores})
    best = {name: list(groups)[one.row] for name, one in ahead.items() if one and one.clear}
    heads = [*map(_score_head, scores), *(_paper_head(published, name) for name in alone)]
    head = ["method", "n", *heads, f"{title(SECONDS)} in {unit(SECONDS)}"]
    methods = {group.runs[0].method: None for group in groups.values()}
    rows = []
    for method in dict.fromkeys([*methods, *papers.methods]):
        titles = [name for name, group in groups.items() if group.runs[0].method == method]
        rows += [_our_row(name, groups[name], columns, best) for name in titles]
        rows += _paper_rows(papers, method, places, columns)
    about = tag("p", text(explained(ahead.values())), class_="fine")
    return table(head, rows, "Methods by scores") + about


def _places(published: Published, scores: Sequence[str]) -> dict[str, str]:
    """The column of each published number of our methods: our score of its kind, else its own."""
    places = {}
    for name, column in published.columns.items():
        if any(name in line.values for m in published.methods for _, line in published.of(m)):
            ours = (score for score in scores if column.beside and stem(score) == column.beside)
            places[name] = next(ours, name)
    return places


def _our_row(name: str, group: Group, columns: Sequence[str], best: Mapping[str, str]) -> str:
    """The row of a group; best: the group that leads, by score."""
    cells = [str(group.n)]
    cells += [_cell(group.cell(column), best.get(column) == name) for column in columns]
    cells.append(numbers.mean(group.cell(SECONDS)))
    return row(tag("span", "", class_="dot", data_group=name) + text(name), cells)


def _paper_rows(
    published: Published, method: str, places: Mapping[str, str], columns: Sequence[str]
) -> list[str]:
    """The rows of a method in papers."""
    rows = []
    for paper, line in published.of(method):
        cells = {places[n]: _published(published, n, v) for n, v in line.values.items()}
        first = f"{text(line.name)} <small>{text(paper.short)}</small>"
        cells = [tag("small", "paper"), *(cells.get(name, NONE) for name in columns), NONE]
        rows.append(row(first, cells, class_="paper"))
    return rows


def _score_head(name: str) -> str:
    """A score's heading; below it the key by which commands take it."""
    measure = f" ({unit(name)})" if unit(name) else ""
    key = tag("small", tag("code", text(name)))
    return f"{text(title(name) + measure)}&nbsp;{_arrow(arrow(name))}{key}"


def _arrow(sign: str) -> str:
    title = {"↑": "higher is better", "↓": "lower is better"}.get(sign)
    if not title:
        return ""
    return tag("span", sign, class_="arrow", role="img", aria_label=title, title=title)


def _paper_head(published: Published, name: str) -> str:
    column = published.columns[name]
    sign = _arrow(ARROWS[column.higher_is_better])
    return f"{text(column.title)} {sign}<small>published</small>"


def _published(published: Published, name: str, value: float) -> str:
    column = published.columns[name]
    return tag("span", text(f"{value:.{column.digits}f}{column.unit}"), title=column.note)


def _cell(cell: Cell, is_best: bool) -> str:
    """Mean and spread."""
    if cell.mean is None:
        return NONE
    mean, spread = numbers.mean(cell), numbers.spread(cell)
    mean = f"<b>{mean}</b>" if is_best else mean
    return f"{mean} <small>{spread}</small>" if spread else mean


def everything_part(entries: Sequence[Entry]) -> str:
    """Every score by method: mean, deviation and n, and its meaning."""
    groups = by_group(entries)
    scores = all_scores(run for group in groups.values() for run in group.runs)
    head = ["score", *(text(title) for title in groups), "what it is"]
    rows = []
    for name in scores:
        cells = []
        for group in groups.values():
            cell = group.cell(name)
            n = f" <small>n {cell.n}</small>" if 0 < cell.n < group.n else ""
            cells.append(_cell(cell, is_best=False) + n)
        score = meaning(name)
        about = "; ".join(p for p in (score.source, score.unit, score.note) if p) if score else ""
        first = f"{tag('code', text(name))} {_arrow(arrow(name))}"
        rows.append(row(first, [*cells, tag("small", text(about))]))
    return table(head, rows, "Every score by method")


def published_part(published: Published) -> str:
    """The papers' whole tables, and the meanings of their columns."""
    parts = []
    for paper in published.tables:
        columns = [n for n in published.columns if any(n in r.values for r in paper.rows)]
        rows = [
            row(
                text(line.name),
                [
                    _published(published, n, line.values[n]) if n in line.values else NONE
                    for n in columns
                ],
            )
            for line in paper.rows
        ]
        head = ["method", *(_paper_head(published, name) for name in columns)]
        notes = "; ".join(
            f"{published.columns[n].title}: {published.columns[n].note}" for n in columns
        )
        parts.append(
            tag("h4", text(paper.source))
            + table(head, rows, paper.source)
            + tag("p", text(f"{paper.about}. {notes}."), class_="fine")
        )
    return "".join(parts)


# ---- parsers ----


def parsers_part(ours: Mapping[str, Any] | None, published: Mapping[str, Any]) -> str:
    """Our parsers beside the paper's ten; how to measure them, if they were not."""
    if not ours:
        return _how_to_measure()
    rows = list(ours["rows"])
    papers = [{"n": published["instructions"], **line} for line in published["rows"]]
    columns = [
        column
        for column in COLUMNS
        if column.name != "parser" and any(column.name in line for line in (*rows, *papers))
    ]
    lines = []
    for line in rows:
        why = f" <small>{text(line['error'])}</small>" if "error" in line else ""
        lines.append(row(text(line["parser"]) + why, _parser_cells(line, columns)))
    for line in papers:
        first = f"{text(line['parser'])} <small>paper</small>"
        lines.append(row(first, _parser_cells(line, columns), class_="paper"))
    source = f"Paper: {published['source']}, {published['note']}."
    source += " The two halves do not compare directly: other instructions, another judge."
    head = ["parser", *(text(column.heading) for column in columns)]
    split = table(head, lines, "How well instructions are split")
    return split + tag("p", text(source), class_="fine")


def _how_to_measure() -> str:
    command = tag("code", "atelier evaluate-parsers --json &gt; DIR/parsers.json")
    return tag("p", f"They were not measured here. {command} puts them into the next report.")


def _parser_cells(line: Mapping[str, Any], columns: Iterable[Column]) -> list[str]:
    return [
        text(format(line[name], form)) if isinstance(line.get(name), int | float) else NONE
        for _, name, form in columns
    ]


# ---- failures ----


def failures_part(entries: Sequence[Entry]) -> str:
    """Every failed run: its labels, the reason, and the command that tries again."""
    parts = []
    for entry in entries:
        if entry.failure:
            labels = [f"{name} {words(value)}" for name, value in sorted(entry.labels.items())]
            inner = tag("h3", text(entry.title)) + tag("p", text(entry.failure), class_="why")
            inner += tag("p", text(" · ".join([*labels, entry.path])), class_="fine")
            if entry.command:
                inner += command_box(entry.command)
            parts.append(tag("li", inner))
    if not parts:
        return "<p>None. Every run is whole.</p>"
    return tag("ul", "".join(parts), class_="failures")


# ---- texts around the plots ----


def comparable_part(overview: Overview, published: Published) -> str:
    """The caveats of published numbers beside ours; "" where there are none."""
    if not published.about(overview.sets).tables:
        return ""
    fine = (
        "Rows marked paper are published, on other pictures and by other people. Sem-CS reads a "
        "higher DISTS as better, because it means more style; ours is marked as the distance that "
        "it is."
    )
    warning = (
        "<b>Not comparable:</b> ours were made or judged with the embedded stand-in for CLIP; the "
        "papers used CLIP. "
        if overview.embedded
        else ""
    )
    return tag("p", warning + fine, class_="note" if warning else "fine")


def curves_title(curves: Sequence[Mapping[str, Any]]) -> str:
    """ "Thresholds" where all that varies are thresholds, else what varies."""
    labels = [curve["label"] for curve in curves]
    if all(map(is_threshold, labels)):
        return "Thresholds" if labels else "Curves"
    return text(f"Scores over {', '.join(map(label_title, labels))}")


def curves_part(entries: Sequence[Entry], curves: Sequence[Mapping[str, Any]]) -> str:
    """The place of the curves, and their numbers; or why there are none."""
    if not curves:
        return (
            "<p>No setting with numbers differs among these runs. A sweep over one, such as "
            "model.tau, is drawn here.</p>"
        )
    caption = "Mean and one standard deviation over all runs that share the value."
    if any(is_tau(curve["label"]) for curve in curves):
        caption += (
            " The dashed line over model.tau is Soulstyler's published best threshold, t = 0.7."
        )
    parts = [tag("p", caption)]
    parts.append('<div class="panels" id="panels"><p class="wait">Loading the plots</p></div>')
    return "".join([*parts, *(_curve_numbers(entries, curve) for curve in curves)])


def _curve_numbers(entries: Sequence[Entry], curve: Mapping[str, Any]) -> str:
    """The numbers of some curves, for those who cannot see them or hover over them."""
    label, panels = curve["label"], curve["panels"]
    caption = f"Scores over {curve['title']}"
    head = ["method", label, *(panel["title"] for panel in panels)]
    lines = curve_rows(entries, label, [panel["score"] for panel in panels])
    rows = [row(text(line[0]), map(text, line[1:])) for line in lines]
    inner = table([text(cell) for cell in head], rows, caption)
    summary = tag("summary", f"{text(caption)} as numbers")
    return tag("details", summary + inner, data_curve=label)


def tradeoff_part(tradeoffs: Sequence[Mapping[str, Any]]) -> str:
    """The place of the plot; or why there is none."""
    if not tradeoffs:
        return (
            "<p>No run has both a style score and one of its background or content. "
            "<code>atelier evaluate</code> measures them.</p>"
        )
    plot = tag(
        "div",
        '<p class="wait">Loading the plot</p>',
        class_="plot large",
        id="points",
        role="img",
        aria_label="Style score against what is kept, one point per run; the "
        "order of the pictures below sorts by the same scores",
    )
    return tag("div", plot, class_="panel") + '<p class="fine" id="points-count"></p>'
