"""Put many finished runs together in one table: mean, spread, number of runs, best in bold.

DIR is searched to any depth for result.json. Runs that agree in method and settings are a row;
pictures, styles, objects and seeds are averaged, unless --by says otherwise. What a run was given
is known from its job.json (`atelier bench` and `atelier sweep` write it), or else from its
parse.json and config.yaml.

  atelier results runs/demo                         methods against one another
  atelier results runs/demo --by method,style       a row a method and style
  atelier results runs/demo --where method=soulstyler style=fire --metrics style_patch,leakage
  atelier results runs/demo -o table.tex            for a paper; also .csv .md .json .parquet .txt
  atelier results runs/demo --each --metrics all -o runs.parquet      a row a run, every number

Spread is the standard deviation of a sample. An arrow says which way a score is better. A score
that fewer than n runs have is followed by its own (n=...); one that none has is "-".
--consolidate puts all runs in DIR/results.parquet, from which later calls read twice as fast;
a run that was added or changed after that is still read from its own files.
"""

from __future__ import annotations

import argparse
import csv
import difflib
import io
import json
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from datamodules.support.errors import AtelierError
from evaluation.tables.scores import ARROWS

if TYPE_CHECKING:
    from evaluation.tables.runs import Cell, Group, Run

SUFFIXES = {
    ".csv": "csv",
    ".json": "json",
    ".md": "markdown",
    ".parquet": "parquet",
    ".tex": "latex",
}
FORMATS = ("table", "csv", "parquet", "markdown", "latex", "json")
# Shown unless --metrics says otherwise, where there are any: a score or two of each question.
USUAL = (
    "style_patch",
    "style_direction",
    "leakage",
    "background_psnr",
    "object_content_distance",
    "mask_agreement",
    "dists",
    "lpips",
    "nima_mean",
    "seconds",
)
MISSING = "-"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("folder", metavar="DIR", type=Path, help="a folder that holds runs, at any depth")
    add("--by", metavar="A,B", help="a row for each value of these labels (default: what varies)")
    add("--metrics", metavar="A,B", help=f"scores, or all (default: {', '.join(USUAL)})")
    where = {"nargs": "+", "action": "extend", "default": [], "metavar": "LABEL=VALUE"}
    add("--where", **where, help="only these runs; of one label, any of several values")
    add("--format", choices=FORMATS, help="(default: by FILE's ending, else table)")
    add("-o", "--out", metavar="FILE", type=Path, help="write there instead of stdout")
    add("--each", action="store_true", help="a row a run, not a row a group")
    add("--consolidate", action="store_true", help="also put all runs in DIR/results.parquet")


def run(args: argparse.Namespace, rest: list[str]) -> int:
    if rest:
        raise AtelierError(f"atelier results knows no {rest[0]}; see atelier results --help")
    kind = _format(args)
    runs = _runs(args)
    sheet = _sheet([run for run in runs if not run.failure], args)
    if kind == "parquet":
        _write_parquet(sheet, args.out)
    elif kind in EXPORTS:
        _deliver(EXPORTS[kind](sheet), args.out)
    else:
        _deliver(WRITERS[kind](*_grid(sheet), args.out is None), args.out)
    _remark(runs, sheet, args)
    return 0


def _format(args: argparse.Namespace) -> str:
    """How to write; what cannot be done is refused before anything is read."""
    from evaluation.tables.runs import CONSOLIDATED

    kind = args.format or (SUFFIXES.get(args.out.suffix.lower()) if args.out else "") or "table"
    if kind == "parquet" and not args.out:
        raise AtelierError("Parquet is no text to be printed; give a file with -o FILE.parquet")
    if args.out and args.out.absolute() == (args.folder / CONSOLIDATED).absolute():
        raise AtelierError(f"{args.out} is where --consolidate puts its rows; choose another name")
    if not args.folder.is_dir():
        raise AtelierError(f"There is no folder {args.folder}; give one that holds runs")
    return kind


# --- what is to be shown


def _runs(args: argparse.Namespace) -> list[Run]:
    """The runs that --where leaves; AtelierError if none of them is whole."""
    from evaluation.tables.runs import consolidate, read_runs

    if args.consolidate:
        path, runs = consolidate(args.folder)
        print(f"wrote {path}: {len(runs)} runs", file=sys.stderr)
    else:
        runs = read_runs(args.folder)
    for name, values in _wanted(args.where, runs).items():
        runs = [run for run in runs if any(_is(run.label(name), value) for value in values)]
    if not runs:
        raise AtelierError(f"No run has all of {', '.join(args.where)}; leave one of them out")
    if all(run.failure for run in runs):
        first = runs[0]
        raise AtelierError(
            f"All {len(runs)} runs have failed, e.g. {args.folder / first.folder}: {first.failure}"
        )
    return runs


def _wanted(where: Sequence[str], runs: Sequence[Run]) -> dict[str, list[str]]:
    """The values asked for, by label, each known to some run."""
    wanted: dict[str, list[str]] = {}
    for pair in where:
        name, equals, value = pair.partition("=")
        if not equals:
            raise AtelierError(f"{pair!r} is not LABEL=VALUE; write e.g. --where style=fire")
        _refuse_unknown([name], _labels(runs), "label")
        known = dict.fromkeys(shown_label(run.label(name)) for run in runs)
        if not any(_is(run.label(name), value) for run in runs):
            raise AtelierError(f"No run has {name}={value}{_known(value, known)}")
        wanted.setdefault(name, []).append(value)
    return wanted


def _is(label: Any, asked: str) -> bool:
    if isinstance(label, int | float) and not isinstance(label, bool):
        try:
            return float(asked) == label
        except ValueError:
            return False
    return shown_label(label) == asked


def _labels(runs: Sequence[Run]) -> list[str]:
    """All labels that runs can be told apart by."""
    from evaluation.tables.runs import label_names

    return list(dict.fromkeys([*label_names(runs), "set", "encoder"]))


def _refuse_unknown(asked: Iterable[str], known: Iterable[str], kind: str) -> None:
    for name in asked:
        if name not in known:
            raise AtelierError(f"There is no {kind} {name!r} in these runs{_known(name, known)}")


def _known(asked: str, known: Iterable[str]) -> str:
    """What there is, and what may have been meant, as the end of a sentence."""
    names = list(known)
    nearest = difflib.get_close_matches(asked, names, n=1)
    more = ", ..." if len(names) > 40 else ""
    hint = f"; did you mean {nearest[0]}?" if nearest else ""
    return f"; there are {', '.join(names[:40])}{more}{hint}"


@dataclass(frozen=True)
class Sheet:
    """What is to be written: rows that are told apart by `keys`, a column a score.

    each: whether a row is one run, and its cells have no spread.
    """

    keys: list[str]
    metrics: list[str]
    groups: list[Group]
    each: bool = False


def _sheet(runs: Sequence[Run], args: argparse.Namespace) -> Sheet:
    from evaluation.tables.runs import grouped, usual_labels

    labels = [name.strip() for name in (args.by or "").split(",") if name.strip()]
    _refuse_unknown(labels, _labels(runs), "label")
    metrics = _metrics(runs, args.metrics)
    if args.each:
        return _each(runs, labels, metrics)
    by = list(dict.fromkeys(labels)) if args.by is not None else usual_labels(runs)
    return Sheet(by, metrics, grouped(runs, by, metrics))


def _each(runs: Sequence[Run], labels: Sequence[str], metrics: list[str]) -> Sheet:
    """A row a run, with the labels asked for, or else with all."""
    from evaluation.tables.runs import Group, label_names, summary, varying

    told = varying(runs, ("set", "encoder"))
    names = list(dict.fromkeys(labels or [*label_names(runs), *told]))
    keys = [*names, "folder"]
    groups = []
    for one in runs:
        key = {name: one.label(name) for name in names} | {"folder": one.folder}
        values = one.values
        groups.append(Group(key, 1, {name: summary([values.get(name)]) for name in metrics}))
    return Sheet(keys, metrics, groups, each=True)


def _metrics(runs: Sequence[Run], asked: str | None) -> list[str]:
    """The scores that are meant, each as it is called in the runs: with its network."""
    from evaluation.tables.runs import stem

    numbers: Counter[str] = Counter()  # how many runs have a number
    for run in runs:
        for name, value in run.values.items():
            numbers[name] += value is not None
    present = sorted(numbers)
    if asked == "all":
        return [name for name in present if name != "seconds" or numbers[name]]
    if asked is None:
        there = [name for name in present if numbers[name]]
        return [name for usual in USUAL for name in there if stem(name) == usual]
    chosen = [name.strip() for name in asked.split(",") if name.strip()]
    stems = sorted({stem(name) for name in present})
    _refuse_unknown(chosen, dict.fromkeys([*stems, *present]), "score")
    meant = (name for one in chosen for name in present if one in (name, stem(name)))
    return list(dict.fromkeys(meant))


# --- for machines: plain columns, unrounded


def _columns(sheet: Sheet) -> dict[str, str]:
    """The flat columns and DuckDB's types of them; no two differ in their case alone, which DuckDB
    would not see.
    """
    columns = [(key, _type([group.key[key] for group in sheet.groups])) for key in sheet.keys]
    if sheet.each:
        columns += [(name, "DOUBLE") for name in sheet.metrics]
    else:
        parts = (("mean", "DOUBLE"), ("sd", "DOUBLE"), ("n", "BIGINT"))
        columns.append(("n", "BIGINT"))
        columns += [(f"{name}_{part}", kind) for name in sheet.metrics for part, kind in parts]
    unique: dict[str, str] = {}
    for name, kind in columns:
        while not name or name.lower() in map(str.lower, unique):
            name += "_"
        unique[name] = kind
    return unique


def _rows(sheet: Sheet) -> Iterator[list[Any]]:
    """The values of the flat columns."""
    for group in sheet.groups:
        labels = [group.key[name] for name in sheet.keys]
        cells = [group.cells[name] for name in sheet.metrics]
        if sheet.each:
            yield labels + [cell.mean for cell in cells]
        else:
            yield [*labels, group.n, *(x for c in cells for x in (c.mean, c.sd, c.n))]


def _csv(sheet: Sheet) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_columns(sheet))
    writer.writerows(map(shown_label, row) for row in _rows(sheet))
    return text.getvalue()


def _json(sheet: Sheet) -> str:
    rows = []
    for group in sheet.groups:
        cells = {name: _cell(group.cells[name], sheet.each) for name in sheet.metrics}
        number = {} if sheet.each else {"n": group.n}
        rows.append({"labels": group.key, **number, "metrics": cells})
    return json.dumps(rows, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _cell(cell: Cell, each: bool) -> Any:
    return cell.mean if each else {"mean": cell.mean, "sd": cell.sd, "n": cell.n}


def _write_parquet(sheet: Sheet, path: Path) -> None:
    from evaluation.tables.runs import write_parquet

    columns, rows = _columns(sheet), []
    for values in _rows(sheet):
        row = dict(zip(columns, values, strict=True))
        for name, value in row.items():
            if columns[name] == "VARCHAR" and value is not None:
                row[name] = shown_label(value)
        rows.append(row)
    write_parquet(path, columns, rows)


def _type(values: Iterable[Any]) -> str:
    """DuckDB's type of a label's values."""
    known = [value for value in values if value is not None]
    kinds = {type(value) for value in known}
    if kinds == {bool}:
        return "BOOLEAN"
    if kinds == {int} and all(-(2**63) <= value < 2**63 for value in known):
        return "BIGINT"
    return "DOUBLE" if kinds and kinds <= {int, float} else "VARCHAR"


EXPORTS = {"csv": _csv, "json": _json}


# --- for people: rounded, arrows, best in bold


@dataclass(frozen=True)
class Shown:
    """A cell as people see it."""

    text: str
    best: bool = False
    number: bool = True


Row = list[Shown]


def shown_label(value: Any) -> str:
    """A label as text, exactly; "-" if there is none."""
    if value is None:
        return MISSING
    return str(value).lower() if isinstance(value, bool) else str(value)


def _grid(sheet: Sheet) -> tuple[Row, list[Row]]:
    """Head and rows of a table."""
    from evaluation.tables.runs import bare, best, directions

    way = {name: directions().get(bare(name)) for name in sheet.metrics}
    won = {name: best(sheet.groups, name, way[name]) for name in sheet.metrics}
    labels = {key: [group.key[key] for group in sheet.groups] for key in sheet.keys}
    head = [Shown(key, number=_type(labels[key]) in ("BIGINT", "DOUBLE")) for key in sheet.keys]
    head += [] if sheet.each else [Shown("n")]
    head += [Shown(f"{name} {ARROWS[way[name]]}".strip()) for name in sheet.metrics]
    rows = []
    for k, group in enumerate(sheet.groups):
        row = [Shown(_plain(shown_label(group.key[key])), number=False) for key in sheet.keys]
        row += [] if sheet.each else [Shown(str(group.n))]
        row += [Shown(_value(group.cells[m], group.n), k in won[m]) for m in sheet.metrics]
        rows.append(row)
    return head, rows


def _value(cell: Cell, runs: int) -> str:
    """Mean and spread; the number of runs where it is not that of the row."""
    if cell.mean is None:
        return MISSING
    spread = f" ± {cell.sd:.2g}" if cell.sd is not None else ""
    return f"{cell.mean:.4g}" + spread + (f" (n={cell.n})" if cell.n != runs else "")


def _plain(text: str) -> str:
    """A label on one line, without characters that would command a terminal."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def _table(head: Row, rows: list[Row], on_screen: bool) -> str:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE, pad_edge=False)
    for column in head:
        # The network goes to a line of its own, with the arrow.
        name = _plain(column.text).replace(".", "\n", 1) if column.number else _plain(column.text)
        table.add_column(Text(name), justify="right" if column.number else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell.text, style="bold" if cell.best else "") for cell in row))
    terminal = on_screen and sys.stdout.isatty()
    file = io.StringIO()
    console = Console(file=file, force_terminal=terminal, width=None if terminal else 10_000)
    if not terminal:
        console.width = max(160, console.measure(table).maximum)
    console.print(table)
    return "\n".join(line.rstrip() for line in file.getvalue().splitlines()) + "\n"


def _markdown(head: Row, rows: list[Row], on_screen: bool) -> str:
    lines = [[_in_markdown(_plain(cell.text)) for cell in head]]
    lines.append(["---:" if cell.number else ":---" for cell in head])
    for row in rows:
        texts = [_in_markdown(cell.text) for cell in row]
        lines.append([f"**{t}**" if c.best else t for t, c in zip(texts, row, strict=True)])
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _in_markdown(text: str) -> str:
    """Text that Markdown shows as it is; within a word an underscore means nothing to it."""
    text = re.sub(r"([\\`*|<>\[\]~])", r"\\\1", text)
    return re.sub(r"(?<![^\W_])_|_(?![^\W_])", r"\\_", text)


_LATEX = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "±": r"$\pm$",
    "↑": r"$\uparrow$",
    "↓": r"$\downarrow$",
    **{sign: "\\" + sign for sign in "&%$#_{}"},
}


def _latex(head: Row, rows: list[Row], on_screen: bool) -> str:
    sides = "".join("r" if cell.number else "l" for cell in head)
    lines = [
        r"% needs \usepackage{booktabs}",
        rf"\begin{{tabular}}{{{sides}}}",
        r"\toprule",
        " & ".join(_in_latex(_plain(cell.text)) for cell in head) + r" \\",
        r"\midrule",
    ]
    for row in rows:
        cells = []
        for cell in row:
            text = _in_latex(cell.text)
            text = re.sub(r"^-(?=\d)", "$-$", text) if cell.number else text
            cells.append(rf"\textbf{{{text}}}" if cell.best else text)
        lines.append(" & ".join(cells) + r" \\")
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}"]) + "\n"


def _in_latex(text: str) -> str:
    return "".join(_LATEX.get(character, character) for character in text)


WRITERS = {"table": _table, "markdown": _markdown, "latex": _latex}


# --- out


def _deliver(text: str, path: Path | None) -> None:
    from datamodules.support.files import write_text

    if path is None:
        sys.stdout.write(text)
        sys.stdout.flush()
    else:
        write_text(path, text)


def _remark(runs: Sequence[Run], sheet: Sheet, args: argparse.Namespace) -> None:
    """On stderr: what is missing from the table, and why."""
    whole = [run for run in runs if not run.failure]
    asked = args.metrics is None
    counts = Counter(
        (why, name)
        for run in whole
        for name, why in run.unavailable.items()
        if asked or any(name in score for score in sheet.metrics)
    )
    for why in dict.fromkeys(why for why, _ in counts):
        named = {name: count for (reason, name), count in counts.items() if reason == why}
        told = f"unavailable in {max(named.values())} of {len(whole)} runs: {_plain(why)}"
        print(f"{', '.join(named)}: {told}", file=sys.stderr)
    if failed := [run for run in runs if run.failure]:
        first = failed[0]
        runs_are = "1 failed run is" if len(failed) == 1 else f"{len(failed)} failed runs are"
        where = f"{args.folder / first.folder}: {_plain(first.failure)}"
        print(f"{runs_are} left out; e.g. {where}", file=sys.stderr)
