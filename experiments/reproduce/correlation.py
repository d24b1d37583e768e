"""Cyizere 2024, text-image correlations: what joint encoders know of style, linear or not

The thesis asks how dT and dI correlate in CLIP and SigLIP, and publishes no numbers. Photos are
painted into styles that frozen painters know, so that the right text of every picture is certain;
docs/correlation.md explains the tables. Paper's form: CLIP and SigLIP, whose columns this command
measures where their weights are (atelier weights fetch open_clip:ViT-B-32-quickgelu/openai);
"-" and the reason where they are not. Reduced form: the two embedded encoders, six photos of
scikit-image at 256 px in the painter's 53 styles, one processor core, about 10 min.

    python -m experiments.reproduce.correlation            measure, write tables and page
    python -m experiments.reproduce.correlation --redraw   the page alone, from the tables
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from datamodules.support.errors import AtelierError
from datamodules.support.files import write_text
from datamodules.support.progress import progress_bar
from experiments.reproduce import base

if TYPE_CHECKING:
    from torch import Tensor

    from lightning_modules.encoders.base import JointEncoder
    from lightning_modules.generators.painter_styles import PainterStyle

ENCODERS = (
    "bridge-lite0",
    "bridge-lite2",
    "ViT-B-32-quickgelu/openai",
    "ViT-B-16-SigLIP/webli",
)
TABLES = ("recognition", "explanation", "new_styles", "strength", "styles")
BRIDGE_SIZES = {"lite0": 128, "lite2": 224}  # px: optimised, and judging
SIZE = 256  # px, as in experiments.correlation.pictures
Row = dict[str, Any]
Tables = dict[str, list[Row]]  # by the names of TABLES


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure every encoder, write the CSVs and draw the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    add = parser.add_argument
    add("--encoders", default=",".join(ENCODERS), help="bridge-TOWER, MODEL/TAG or MODEL/FILE of "
        "open_clip, with commas (default: %(default)s)")  # fmt: skip
    add("--out", type=Path, default=base.ROOT / "runs" / "correlation", help="folder of the page")
    add("--redraw", action="store_true", help="measure nothing; draw the committed tables")
    args = parser.parse_args(arguments)
    if not args.redraw:
        from experiments.correlation.pictures import PHOTOS, photo
        from lightning_modules.generators.painter_styles import catalogue

        photos = [photo(name) for name in PHOTOS]
        write(*measure(args.encoders.split(","), catalogue()[0], photos))
    print(draw(args.out))


def measure(
    names: Sequence[str], styles: Sequence[PainterStyle], photos: Sequence[Tensor]
) -> tuple[dict[str, Tables], dict[str, str]]:
    """Tables of each encoder whose weights are here, and for the others the reason, by name.

    photos: (1, 3, H, W) in [0, 1].
    """
    from experiments.correlation import pictures, tables
    from experiments.correlation.embeddings import Collector, embed_texts

    encoders, missing = load(names)
    collectors = {name: Collector(encoder, photos) for name, encoder in encoders.items()}
    with progress_bar(before="painting", elapsed=True, remaining=True) as bar:
        for style in bar.track(styles):
            shots = pictures.shots(style, photos)
            for collector in collectors.values():
                collector.add(shots)
    return {
        name: tables.all_tables(styles, collectors[name].pictures(), embed_texts(encoder, styles))
        for name, encoder in encoders.items()
    }, missing


def load(names: Sequence[str]) -> tuple[dict[str, JointEncoder], dict[str, str]]:
    """Encoders by name, and the reasons why others cannot be loaded, which go to stderr too."""
    encoders, missing = {}, {}
    for name in names:
        try:
            encoders[name] = encoder_by_name(name)
        except AtelierError as error:
            print(f"{name}: {error}", file=sys.stderr)
            missing[name] = str(error).split(";")[0]
    return encoders, missing


def encoder_by_name(name: str) -> JointEncoder:
    """Bridge encoder of a tower, at the size that suits its role, or any encoder of open_clip."""
    from lightning_modules.encoders.bridge import BridgeEncoder
    from lightning_modules.encoders.open_clip import OpenCLIPEncoder

    kind, _, tower = name.partition("-")
    if kind == "bridge":
        if tower not in BRIDGE_SIZES:
            raise AtelierError(f"There is no encoder {name}; there are {', '.join(ENCODERS)}")
        return BridgeEncoder(BRIDGE_SIZES[tower], tower).eval()
    model, _, weights = name.partition("/")
    return OpenCLIPEncoder(model, weights)


def write(measured: Mapping[str, Tables], missing: Mapping[str, str]) -> None:
    """The summary with every encoder, and the other tables with those that were measured."""
    from experiments.correlation.tables import summary

    if not measured:
        raise AtelierError("No encoder could be loaded, so the tables are left as they are")
    summaries = {name: rounded(summary(tables)) for name, tables in measured.items()}
    empty = dict.fromkeys(next(iter(summaries.values())), "")
    rows = [
        {"encoder": name} | summaries.get(name, empty) | {"not measured": missing.get(name, "")}
        for name in [*measured, *missing]
    ]
    base.write_rows("correlation", rows, "all", {"size": SIZE, "steps": "-"})
    for table in TABLES:
        rows = [
            {"encoder": name} | rounded(row)
            for name, tables in measured.items()
            for row in tables[table]
        ]
        write_text(base.RESULTS / "correlation" / f"{table}.csv", base.as_csv(rows))


def rounded(row: Row) -> Row:
    """Numbers of a row with three digits after the point; more would be noise."""
    return {k: f"{v:.3f}" if isinstance(v, float) else v for k, v in row.items()}


def draw(out: Path) -> Path:
    """Page of the committed tables; its path."""
    from experiments.correlation.page import write_page

    summary = [
        {name: value for name, value in row.items() if name not in base.PROVENANCE}
        for row in read(base.RESULTS / "correlation.csv")
    ]
    tables = {name: read(base.RESULTS / "correlation" / f"{name}.csv") for name in TABLES}
    return write_page(summary, tables, out)


def read(path: Path) -> list[Row]:
    """Rows of a CSV, every value as text."""
    with path.open(encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


if __name__ == "__main__":
    main()
