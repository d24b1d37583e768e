"""Optimisation towards a linear map of dT instead of dT itself, judged by another encoder.

    python -m experiments.measure.mapped_directions     about 15 minutes on one core

A map as in docs/correlation.md (transposed ridge from dI to dT, patches) is trained for each style
on the embeddings of the optimised encoder, bridge-lite0, without that style. The judge,
bridge-lite2, ranks the words of all styles for the result: by its own cosine, and by its own map,
which has seen all styles. Prints the figures of docs/correlation.md and draws its pictures. Runs go
to runs/mapped-directions; finished ones are not repeated.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F

from datamodules.images import load_picture, to_tensor
from datamodules.run_folder import CONTENT, OUTPUT, RESULT
from datamodules.support.files import atomic
from evaluation.contact_sheet import labelled_grid
from experiments.campaigns.plan import make_job
from experiments.correlation import maps, pictures, tables
from experiments.correlation.embeddings import Collector, embed_texts, image_directions
from experiments.reproduce.correlation import encoder_by_name
from experiments.run.lightning_cli import AtelierCLI
from lightning_modules.generators.painter_styles import catalogue

ROOT = Path(__file__).parents[2]
RUNS = ROOT / "runs" / "mapped-directions"
SHEET = ROOT / "docs" / "pictures" / "mapped-directions.jpg"
OPTIMISED, JUDGE = "bridge-lite0", "bridge-lite2"
PICTURE = "chelsea"
STYLES = (
    "fire",
    "mosaic",
    "neon light",
    "brick wall",
    "Starry Night by Vincent van Gogh",
    "pencil sketch",
)
SETTINGS = {"method": "clipstyler", "image": f"skimage:{PICTURE}", "size": 192}
SETTINGS |= {"model.patches.count": 16, "run.keep_every": 0, "steps": 30}
GENERATORS = ("painter", "small_unet")


def embedded_pairs() -> dict[str, maps.Pairs]:
    """Pairs of both encoders, by patches."""
    styles, photos = catalogue()[0], [pictures.photo(name) for name in pictures.PHOTOS]
    collectors = {name: Collector(encoder_by_name(name), photos) for name in (OPTIMISED, JUDGE)}
    for style in styles:
        shots = pictures.shots(style, photos)
        for collector in collectors.values():
            collector.add(shots)
    return {
        name: tables.pairs_of(each.pictures(), embed_texts(each.encoder, styles), "patches")
        for name, each in collectors.items()
    }


def stylized(generator: str, style: str, text_map: maps.TextMap | None) -> Path:
    """Folder of a run whose direction is dT, or the map of dT."""
    folder = RUNS / f"{generator}, {style}, {'map of dT' if text_map else 'dT'}"
    if not (folder / RESULT).exists():
        values = {"style": style, "model.generator": generator, "run.out": str(folder)}
        job = make_job(SETTINGS | values, {}, "mapped-directions", False)
        settings = {**job.settings, **job.logging}
        cli = AtelierCLI.from_settings(job.config, settings, time.perf_counter())
        if text_map:
            plain = cli.model.directions_of
            cli.model.directions_of = lambda batch: F.normalize(
                text_map(plain(batch).double()), dim=-1
            ).float()
        cli.run()
    return folder


class Judge:
    """Rank of a style's words among all styles' words, by cosine and by the judge's own map."""

    def __init__(self, pairs: maps.Pairs) -> None:
        self.collector = Collector(encoder_by_name(JUDGE), [])
        self.common, self.plain = pairs.pictures.mean((0, 1)), pairs.first
        text_map = maps.text_maps(pairs)[tables.BEST]
        self.mapped = F.normalize(text_map(pairs.first), dim=-1)

    @torch.no_grad()
    def ranks(self, folder: Path, style: int) -> tuple[Tensor, Tensor]:
        """Cosines of the right words and their ranks, (2,) each: plain, mapped."""
        photo, output = (
            to_tensor(load_picture(str(folder / name)))[None] for name in (CONTENT, OUTPUT)
        )
        views = self.collector.views(output)[None, None].double()
        (move,) = image_directions(views, self.collector.views(photo)[:1].double())["patches"][0]
        centred = F.normalize(move - self.common, dim=-1)
        cosines = torch.stack([self.plain @ move, self.mapped @ centred])
        right = cosines[:, style]
        return right, 1 + (cosines > right[:, None]).sum(1)


def draw(folders: Sequence[Path]) -> None:
    """Draw the results, two styles per row."""
    cells = [(load_picture(str(folder / OUTPUT)), [folder.name]) for folder in folders]
    with atomic(SHEET) as temporary:
        labelled_grid(cells, 4, gap=4, font_size=11).save(temporary, "JPEG", quality=88)
    print(SHEET)


def main() -> None:
    pairs = embedded_pairs()
    judge, names = Judge(pairs[JUDGE]), [style.words[0] for style in catalogue()[0]]
    print("| generator | style | direction | cosine | rank of 53 | by the map | rank of 53 |")
    print("|---|---|---|---:|---:|---:|---:|")
    folders = []
    for generator in GENERATORS:
        for style in STYLES:
            number = names.index(style)
            others = [k for k in range(len(names)) if k != number]
            train = pairs[OPTIMISED].part(others, list(range(len(pictures.PHOTOS))))
            text_map = maps.text_maps(train)[tables.BEST]
            for direction, bend in (("dT", None), ("map of dT", text_map)):
                folders.append(stylized(generator, style, bend))
                right, ranks = judge.ranks(folders[-1], number)
                cells = (f"{v:.3f} | {r}" for v, r in zip(right, ranks.tolist(), strict=True))
                print(f"| {generator} | {style} | {direction} | {' | '.join(cells)} |", flush=True)
    draw(folders)


if __name__ == "__main__":
    main()
