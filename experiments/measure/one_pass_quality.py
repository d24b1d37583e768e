"""Quality of shipped weights for one pass: sheets of known and of unseen styles, and scores.

    python -m experiments.measure.one_pass_quality          all, a quarter of an hour on one core
    python -m experiments.measure.one_pass_quality sheets   one part; also: scores, words

Pictures of scikit-image are painted as a whole in eight styles that the weights were trained on and
in the eight that they never saw. The scores compare them with CLIPstyler's embedded default, which
optimises the painter, after all of its steps and before the first, by an encoder that neither was
trained on. `words` has those of one pass alone, for all words of the unseen styles: the judge of a
training (docs/embedded.md). --network attention takes the network of that method, --weights other
weights.
"""

from __future__ import annotations

import argparse
import statistics
import time
from itertools import pairwise, product

import torch
from torch import Tensor

from datamodules.images import load_picture, squash, to_picture, to_tensor
from datamodules.support.files import atomic
from datamodules.task import StyleBatch, StyleTarget, StyleTask
from evaluation.contact_sheet import labelled_grid
from evaluation.metrics.base import Pictures
from evaluation.metrics.style import GlobalStyle
from experiments.campaigns.plan import setting
from experiments.make.fast_lessons import course
from experiments.measure.embedded_quality import PICTURES, SHEETS
from experiments.measure.embedded_quality import STYLES as KNOWN
from experiments.run.configuration import compose
from experiments.run.lightning_cli import AtelierCLI
from lightning_modules.encoders.bridge import BridgeEncoder
from lightning_modules.generators.attention import AttentionPainter
from lightning_modules.generators.base import Generator
from lightning_modules.generators.fast_painter import EMBEDDED, FastPainter
from lightning_modules.generators.one_pass import OnePass
from lightning_modules.generators.painter_styles import catalogue

UNSEEN = (  # one of the words of each style in the list `unseen` of fast_painter_texts.yaml
    *("Claude Monet", "thick impasto oil painting", "Henri Matisse", "pop art"),
    *("ice", "smoke", "desert", "silver"),
)
STYLES = {"known": KNOWN, "unseen": UNSEEN}
SCORED, SCORED_SIDE = ("chelsea", "rocket", "coffee"), 256  # pictures of the set demo; px
JUDGED_SIDE = 224  # px, of what the judge sees
PAINTED, CELL = 384, 116  # px, painted and shown
NETWORKS = {"one-pass": FastPainter, "attention": AttentionPainter}  # by the names of their sheets
WAYS = ("optimised", "before the first step", "one pass")
SCORES = ("style_global", "style_direction")


def _task(picture: str, style: str, side: int) -> StyleTask:
    """The middle square of a picture of scikit-image, at `side` px, all of it in one style."""
    photo = load_picture(f"skimage:{picture}").convert("RGB")
    shorter = min(photo.size)
    left, top = ((length - shorter) // 2 for length in photo.size)
    middle = photo.crop((left, top, left + shorter, top + shorter))
    content = to_tensor(squash(middle, side))
    return StyleTask.of(content, [StyleTarget("", style)], [torch.ones(side, side)])


@torch.no_grad()
def _painted(generator: Generator, batch: StyleBatch) -> Tensor:
    generator.start(batch)
    return generator(batch.content)


def sheets(painter: OnePass, name: str) -> None:
    """Paint all pictures in all styles in one pass; write a sheet for each kind of styles."""
    for kind, styles in STYLES.items():
        cells = []
        for picture in PICTURES:
            batches = {style: _task(picture, style, PAINTED).batch() for style in styles}
            row = {"before": batches[styles[0]].content}
            row |= {style: _painted(painter, batch) for style, batch in batches.items()}
            cells += [(to_picture(image[0]).resize((CELL, CELL)), [k]) for k, image in row.items()]
        path = SHEETS / f"sheet-{name}-{kind}.jpg"
        with atomic(path) as temporary:
            grid = labelled_grid(cells, 1 + len(styles), gap=6)
            grid.save(temporary, "JPEG", quality=80)
        print(path)


def scores(painter: OnePass, name: str) -> None:
    """Mean scores of each kind of styles and each way, with their ratios to the optimised ones."""
    judge = _judge()
    print(f"| styles | way | {' | '.join(SCORES)} | seconds |\n|---|---|{'---:|' * 3}")
    for kind, styles in STYLES.items():
        rows: dict[str, list[tuple[float, ...]]] = {way: [] for way in WAYS}
        for picture, style in product(SCORED, styles):
            for way, values in _compared(painter, judge, picture, style).items():
                rows[way].append(values)
        means = {
            way: [statistics.mean(column) for column in zip(*rows[way], strict=True)]
            for way in WAYS
        }
        for way in WAYS:
            pairs = zip(means[way][:-1], means[WAYS[0]], strict=False)
            values = " | ".join(f"{mean:.3f} ({mean / best:.2f})" for mean, best in pairs)
            print(f"| {kind} | {way} | {values} | {means[way][-1]:.2f} |", flush=True)


def words(painter: OnePass, name: str) -> None:
    """Mean scores of one pass for the known styles, and for all words of the unseen ones."""
    judge, styles = _judge(), catalogue()[0]
    unseen = [text for k in course().unseen for text in styles[k].words]
    for kind, texts in {"known": KNOWN, "words of unseen": unseen}.items():
        rows = []
        for picture, text in product(SCORED, texts):
            task = _task(picture, text, JUDGED_SIDE)
            rows.append(_scores(judge, task, _painted(painter, task.batch())))
        means = [f"{statistics.mean(column):.3f}" for column in zip(*rows, strict=True)]
        print(f"| {kind} | {' | '.join(means)} |", flush=True)


def _judge() -> GlobalStyle:
    return GlobalStyle(BridgeEncoder(tower="lite2", image_size=JUDGED_SIDE))


def _compared(
    painter: OnePass, judge: GlobalStyle, picture: str, style: str
) -> dict[str, tuple[float, ...]]:
    """Scores of the picture painted in each way, and the seconds that it took after loading."""
    settings = {"image": f"skimage:{picture}", "style": style, "size": SCORED_SIDE}
    values = dict(setting(*pair) for pair in settings.items()) | {"wandb.enabled": False}
    cli = AtelierCLI.from_settings(compose("clipstyler"), values, time.perf_counter())
    cli.datamodule.setup()
    task, times = cli.datamodule.task, [time.perf_counter()]
    outputs = [_painted(cli.model.generator, task.batch())]
    times.append(time.perf_counter())
    cli.trainer.fit(cli.model, datamodule=cli.datamodule)
    outputs.insert(0, cli.model.stylize(task.batch()))
    times.append(time.perf_counter())
    outputs.append(_painted(painter, task.batch()))
    times.append(time.perf_counter())
    first, steps, one = (after - before for before, after in pairwise(times))
    seconds = dict(zip(WAYS, (first + steps, first, one), strict=True))
    return {
        way: (*_scores(judge, task, output), seconds[way])
        for way, output in zip(WAYS, outputs, strict=True)
    }


@torch.no_grad()
def _scores(judge: GlobalStyle, task: StyleTask, output: Tensor) -> list[float]:
    content = task.content[None]
    values = judge.score(Pictures(content, output, task.masks, (task.regions,)))
    return [float(values[score]) for score in SCORES]


PARTS = {"sheets": sheets, "scores": scores, "words": words}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"{', '.join(PARTS)}; or all")
    parser.add_argument("--network", choices=NETWORKS, default="one-pass")
    parser.add_argument("--weights", default=EMBEDDED, help="a file that atelier train wrote")
    args = parser.parse_args()
    if unknown := set(args.parts) - set(PARTS):
        parser.error(f"there is no part {', '.join(unknown)}; there are {', '.join(PARTS)}")
    painter = NETWORKS[args.network](weights=args.weights)
    for part in args.parts or PARTS:
        PARTS[part](painter, args.network)


if __name__ == "__main__":
    main()
