"""The parts of the page that need no script, as HTML: overview, tables, failures.

Every text passes through `text`; nothing that a run or a person named is ever markup.
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from evaluation.report.page_model import (
    Entry,
    Overview,
    all_scores,
    arrow,
    best,
    by_group,
    heading,
    kind,
    lasting,
    main_scores,
    network,
    spread,
    what,
    words,
)
from evaluation.report.plots import numbers
from evaluation.report.published import Published
from evaluation.tables.parsers import COLUMNS, Column
from evaluation.tables.runs import Cell, Run

NONE = '<span class="none" title="not measured">-</span>'


def text(value: object) -> str:
    """Any text as HTML that shows it."""
    return html.escape(str(value), quote=True)


def tag(name: str, inner: str, **attributes: str) -> str:
    """An element; `inner` is HTML already. A trailing "_" of an attribute's name goes."""
    given = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{text(value)}"' for key, value in attributes.items()
    )
    return f"<{name}{given}>{inner}</{name}>"


def table(head: Sequence[str], rows: Iterable[str], caption: str) -> str:
    """A table that scrolls in itself where it is too wide; cells and rows are HTML."""
    top = "".join(tag("th", cell, scope="col") for cell in head)
    body = f"<thead><tr>{top}</tr></thead><tbody>{''.join(rows)}</tbody>"
    inner = f'<caption class="hidden">{text(caption)}</caption>{body}'
    # A box that scrolls must be reachable without a mouse.
    box = {"class_": "scroll", "role": "region", "tabindex": "0", "aria_label": caption}
    return tag("div", tag("table", inner), **box)


def row(first: str, cells: Iterable[str], **attributes: str) -> str:
    """A row of a table; its first cell names it. All is HTML."""
    return tag(
        "tr",
        tag("th", first, scope="row") + "".join(tag("td", cell) for cell in cells),
        **attributes,
    )


# ---- overview ----


def overview_part(seen: Overview, names: Mapping[str, str]) -> str:
    """Counts in large figures, and what a reader must know before the tables."""
    methods = [names.get(method, method) for method in seen.methods]
    tiles = [
        (str(seen.done), "run" if seen.done == 1 else "runs"),
        (str(seen.failed), "failed"),
        (lasting(seen.seconds), "of computing"),
        (str(len(methods)), ", ".join(methods) if 0 < len(methods) < 7 else "methods"),
    ]
    shown = "".join(
        tag("div", tag("dt", text(name)) + tag("dd", text(figure)), class_="tile")
        for figure, name in tiles
    )
    facts = [("Encoder" if len(seen.encoders) == 1 else "Encoders", ", ".join(seen.encoders))]
    facts += [("Sets", ", ".join(seen.sets)), ("Made", span(seen.dates))]
    told = "".join(
        tag("div", tag("dt", text(name)) + tag("dd", text(value))) for name, value in facts if value
    )
    notes = "".join(tag("li", note) for note in _notes(seen))
    return (
        tag("dl", shown, class_="tiles")
        + tag("dl", told, class_="facts")
        + (tag("ul", notes, class_="notes", aria_label="What to know") if notes else "")
    )


def span(dates: Sequence[str]) -> str:
    """ "2026-11-20 to 2026-11-21"; one day alone."""
    return " to ".join(dict.fromkeys([dates[0], dates[-1]])) if dates else ""


def _notes(seen: Overview) -> list[str]:
    notes = []
    if seen.embedded:
        notes.append(
            "<b>Not comparable with published numbers:</b> these runs were made or judged with the "
            "embedded stand-in for CLIP (bridge). They compare with one another."
        )
    if seen.failed:
        notes.append(f'<a href="#failed">{seen.failed} failed</a>; no table counts what failed.')
    for why, (metrics, count) in seen.unavailable.items():
        named = ", ".join(tag("code", text(name)) for name in metrics)
        runs = "1 run" if count == 1 else f"{count} runs"
        notes.append(f"{named}: unavailable in {runs}: {text(why)}")
    return notes


# ---- methods ----


def methods_part(entries: Sequence[Entry], published: Published) -> str:
    """Methods by main scores, the papers' rows below ours."""
    groups = by_group(entries)
    scores = main_scores(run for runs in groups.values() for run in runs)
    # A column for every published number of our methods, whether we measure it or not.
    papers = [
        name
        for name in published.columns
        if any(name in line.values for m in published.methods for _, line in published.of(m))
    ]
    places = {name: _beside(published.columns[name].beside, scores) or name for name in papers}
    # First what can be compared, so that it can be seen at once.
    beside = [name for name in scores if name in places.values()]
    alone = [name for name in papers if places[name] == name]
    columns = [*beside, *alone, *(name for name in scores if name not in beside)]
    heads = {name: _paper_head(published, name) for name in alone}
    heads |= {name: _score_head(name) for name in scores}
    head = ["method", "n", *(heads[name] for name in columns), "s a run"]
    methods = {runs[0].method: None for runs in groups.values()}
    rows = []
    for method in dict.fromkeys([*methods, *published.methods]):
        own = {group: runs for group, runs in groups.items() if runs[0].method == method}
        rows += _our_rows(own, groups, columns)
        for paper, line in published.of(method):
            told = {places[n]: _published(published, n, v) for n, v in line.values.items()}
            first = f"{text(line.name)} <small>{text(paper.short)}</small>"
            cells = [tag("small", "paper"), *(told.get(name, NONE) for name in columns), NONE]
            rows.append(row(first, cells, class_="paper"))
    return table(head, rows, "Methods by scores, ours and published")


def _our_rows(
    own: Mapping[str, list[Run]], groups: Mapping[str, list[Run]], columns: Sequence[str]
) -> list[str]:
    """The rows of some groups; the best of all groups is bold."""
    rows = []
    for group, runs in own.items():
        cells = [str(len(runs))]
        for name in columns:
            means = {g: spread(r.metrics.get(name) for r in of) for g, of in groups.items()}
            cells.append(_cell(means[group], best(means, what(name)) == group))
        seconds = spread(run.seconds for run in runs if run.seconds)
        cells.append(f"{seconds.mean:.0f}" if seconds else NONE)
        dot = tag("span", "", class_="dot", data_group=group)
        rows.append(row(dot + text(group), cells))
    return rows


def _beside(base: str, scores: Sequence[str]) -> str | None:
    """Our column of a kind that a published number stands in, None if we have none."""
    return next((name for name in scores if base and kind(name) == base), None)


def _score_head(name: str) -> str:
    title = text(heading(kind(name)))
    below = tag("small", text(network(name))) if network(name) else ""
    return f"{title} {_arrow(arrow(what(name)))}{below}"


def _arrow(sign: str) -> str:
    said = {"↑": "higher is better", "↓": "lower is better"}.get(sign)
    return (
        tag("span", sign, class_="arrow", role="img", aria_label=said, title=said) if said else ""
    )


def _paper_head(published: Published, name: str) -> str:
    column = published.columns[name]
    sign = _arrow("↑" if column.higher_is_better else "↓")
    return f"{text(column.title)} {sign}<small>published</small>"


def _published(published: Published, name: str, value: float) -> str:
    column = published.columns[name]
    return tag("span", text(f"{value:.{column.digits}f}{column.unit}"), title=column.note)


def _cell(found: Cell | None, wins: bool) -> str:
    if found is None:
        return NONE
    mean = f"<b>{found.mean:.4g}</b>" if wins else f"{found.mean:.4g}"
    return mean + (f" <small>± {found.sd:.2g}</small>" if found.sd is not None else "")


def everything_part(entries: Sequence[Entry]) -> str:
    """Every score by method: mean, deviation and n; what the number is."""
    groups = by_group(entries)
    scores = all_scores(run for runs in groups.values() for run in runs)
    head = ["score", *(text(group) for group in groups), "what it is"]
    rows = []
    for name in scores:
        cells = []
        for runs in groups.values():
            found = spread(run.metrics.get(name) for run in runs)
            n = f" <small>n {found.n}</small>" if found and found.n != len(runs) else ""
            cells.append(_cell(found, False) + n)
        score = what(name)
        about = "; ".join(p for p in (score.source, score.unit, score.note) if p) if score else ""
        first = f"{tag('code', text(name))} {_arrow(arrow(score))}"
        rows.append(row(first, [*cells, tag("small", text(about))]))
    return table(head, rows, "Every score by method")


def published_part(published: Published) -> str:
    """The papers' tables whole, and what their columns are."""
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
    """Our parsers, if they were measured, and the paper's ten."""
    rows = list(ours["rows"]) if ours else []
    beside = [{"n": published["instructions"], **line} for line in published["rows"]]
    columns = [
        column
        for column in COLUMNS
        if column.name != "parser" and any(column.name in line for line in (*rows, *beside))
    ]
    lines = []
    for line in rows:
        why = f" <small>{text(line['error'])}</small>" if "error" in line else ""
        lines.append(row(text(line["parser"]) + why, _parser_cells(line, columns)))
    lines += [
        row(
            f"{text(line['parser'])} <small>paper</small>",
            _parser_cells(line, columns),
            class_="paper",
        )
        for line in beside
    ]
    told = f"Paper: {published['source']}, {published['note']}."
    if ours:
        told += " The two halves do not compare directly: other instructions, another judge."
    made = "" if ours else _how_to_measure()
    return (
        made
        + table(
            ["parser", *(text(column.heading) for column in columns)],
            lines,
            "How well instructions are split",
        )
        + tag("p", text(told), class_="fine")
    )


def _how_to_measure() -> str:
    command = tag("code", "atelier evaluate-parsers --json &gt; DIR/parsers.json")
    return tag("p", f"Ours were not measured here. {command} puts them into the next report.")


def _parser_cells(line: Mapping[str, Any], columns: Iterable[Column]) -> list[str]:
    return [
        text(format(line[name], form)) if isinstance(line.get(name), int | float) else NONE
        for _, name, form in columns
    ]


# ---- failures ----


def failures_part(entries: Sequence[Entry]) -> str:
    """Every run that failed: what it was, why, and the command that tries again."""
    parts = []
    for entry in entries:
        if entry.failure:
            told = [f"{name} {words(value)}" for name, value in sorted(entry.labels.items())]
            inner = tag("h3", text(entry.title)) + tag("p", text(entry.failure), class_="why")
            inner += tag("p", text(" · ".join([*told, entry.path])), class_="fine")
            if entry.command:
                inner += command_box(entry.command)
            parts.append(tag("li", inner))
    return (
        tag("ul", "".join(parts), class_="failures")
        if parts
        else "<p>None. Every run is whole.</p>"
    )


def command_box(command: str) -> str:
    """A command with a button that copies it."""
    button = '<button type="button" class="copy">Copy</button>'
    return tag(
        "div", tag("pre", tag("code", text(command)), tabindex="0") + button, class_="command"
    )


def curves_numbers(head: Sequence[str], lines: Iterable[Sequence[str]], caption: str) -> str:
    """The curves' numbers, for those who cannot see or hover over them."""
    rows = [row(text(line[0]), map(text, line[1:])) for line in lines]
    return table([text(cell) for cell in head], rows, caption)


# ---- what surrounds the plots ----


def comparable_part(seen: Overview) -> str:
    """What must be said where published numbers stand beside ours."""
    fine = (
        "Rows marked paper are published, on other pictures and by other people. Sem-CS reads a "
        "higher DISTS as better, because it means more style; ours is marked as the distance that "
        "it is."
    )
    warned = (
        "<b>Not comparable:</b> ours were made or judged with the embedded stand-in for CLIP; the "
        "papers used CLIP. "
        if seen.embedded
        else ""
    )
    return tag("p", warned + fine, class_="note" if warned else "fine")


def curves_part(entries: Sequence[Entry], curves: Sequence[Mapping[str, Any]]) -> str:
    """The place of the curves, and their numbers; or why there are none."""
    if not curves:
        return (
            "<p>No threshold differs among these runs. A sweep over one, such as model.tau, is "
            "drawn here.</p>"
        )
    told = (
        "<p>Mean and one standard deviation over all runs that share the value. The dashed line is "
        "Soulstyler's published best threshold, t = 0.7.</p>"
    )
    parts = [told, '<div class="panels" id="panels"><p class="wait">Loading the plots</p></div>']
    for curve in curves:
        scores = [panel["score"] for panel in curve["panels"]]
        head = ["method", curve["label"], *(panel["title"] for panel in curve["panels"])]
        caption = f"Scores over {curve['label']}"
        lines = curves_numbers(head, numbers(entries, curve["label"], scores), caption)
        inner = f"<summary>{text(caption)} as numbers</summary>{lines}"
        parts.append(tag("details", inner, data_curve=curve["label"]))
    return "".join(parts)


def tradeoff_part(tradeoffs: Sequence[Mapping[str, Any]]) -> str:
    """The place of the plot; or why there is none."""
    if not tradeoffs:
        return (
            "<p>No run has both a style score and one of its background. "
            "<code>atelier evaluate</code> measures them.</p>"
        )
    plot = tag(
        "div",
        '<p class="wait">Loading the plot</p>',
        class_="plot large",
        id="points",
        role="img",
        aria_label="Style score against how much of the background is kept, a point a run; the "
        "order of the pictures below sorts by the same scores",
    )
    return tag("div", plot, class_="panel") + '<p class="fine" id="points-count"></p>'
