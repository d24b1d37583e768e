"""Training of FastPainter's shipped weights.

    python -m experiments.make.fast_weights       about half an hour on one processor core

Writes lightning_modules/generators/fast_painter.safetensors (float16) and prints its sha256, which
belongs in fast_painter.py. The lessons (experiments/make/fast_lessons.py) come in many phrasings
and colours, and mixed in pairs; the network learns their codes by the squared error of the scales
and shifts that they mean for the painter. Then it is trained by `atelier train fast_clipstyler` on
the plain lessons, --refine steps of it. Unseen styles are only measured. Another processor or
version of torch gives other bits for the same seed, and weights of the same quality.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file, save
from torch import Tensor
from torch.nn import functional as F

from datamodules.models import packaged
from datamodules.models.published import UNTRAINED
from datamodules.support.files import atomic, sha256, write_text
from experiments.make.fast_lessons import COLORS, Course, Lesson, course
from experiments.run.configuration import compose_training
from experiments.run.registry import METHODS
from experiments.run.train import train
from lightning_modules.generators.fast_lessons import LESSONS
from lightning_modules.generators.fast_painter import WEIGHTS, FastPainter
from lightning_modules.generators.painter_styles import catalogue

PHRASES = (
    *("{}", "the {}", "{} style", "in the style of {}", "a painting in the style of {}"),
    *("the art of {}", "{} art", "a {} painting", "made of {}", "looks like {}", "covered in {}"),
    *("{} texture", "the art on {}", "a picture of {}", "turned into {}", "as {}", "like {}"),
    *("a statue made of {}", "{} everywhere", "an image in {} style", "painted as {}"),
)
OTHERS = ("in the manner of {}", "{} look", "rendered as {}", "something like {}")  # measured only
COLORED = ("{color} {}", "{} in {color}", "{} made in shades of {color}")
COLOR_ALONE = ("{color}", "{color} color", "shades of {color}", "everything in {color}")
BATCH, RATE, DECAY = 512, 2e-3, 1e-2
NOISE = 0.02  # of each of the 384 numbers of a unit vector


@dataclass(frozen=True)
class Data:
    """Embeddings (R, 384) of texts, their codes (R, 100), and how often each row is drawn (R,)."""

    embeddings: Tensor
    codes: Tensor
    often: Tensor

    def draw(self) -> tuple[Tensor, Tensor]:
        """A batch; half of it is mixed with the other half in random shares."""
        rows = torch.multinomial(self.often, BATCH, replacement=True)
        others = torch.multinomial(self.often, BATCH, replacement=True)
        share = torch.rand(BATCH, 1) * (torch.arange(BATCH) % 2).view(-1, 1)
        mixed = [
            torch.lerp(values[rows], values[others], share)
            for values in (self.embeddings, self.codes)
        ]
        noisy = mixed[0] + NOISE * torch.randn_like(mixed[0])
        return F.normalize(noisy, dim=-1), mixed[1]


def phrasings(plan: Course) -> list[tuple[Lesson, float]]:
    """The lessons in all phrasings and colours, and how often each is drawn."""
    rows = [(lesson, 5.0) for lesson in plan.lessons]
    for lesson in plan.lessons:
        rows += [(_in_phrase(lesson, phrase), 0.5) for phrase in PHRASES[1:]]
    number = len(plan.codes)
    for k in (k for k in range(number) if k not in plan.unseen):
        names = [lesson.text for lesson in plan.lessons if lesson.styles == (k,)][:2]
        rows += [
            (Lesson(phrase.format(name, color=color), (k,), color), 0.7)
            for name in names
            for color in COLORS[1:]
            for phrase in COLORED
        ]
    learnable = tuple(k for k in range(number) if k not in plan.unseen)
    rows += [
        (Lesson(phrase.format(color=color), learnable, color), 1.0)
        for color in COLORS[1:]
        for phrase in COLOR_ALONE
    ]
    return rows


def _in_phrase(lesson: Lesson, phrase: str) -> Lesson:
    return Lesson(phrase.format(lesson.text), lesson.styles, lesson.color)


def embed(painter: FastPainter, texts: Sequence[str], chunk: int = 256) -> Tensor:
    """Embeddings (T, 384) of texts by the painter's encoder, `chunk` at a time."""
    parts = (list(texts[start : start + chunk]) for start in range(0, len(texts), chunk))
    return torch.cat([painter.encoder.embed_texts(part) for part in parts])


def codes_course() -> Course:
    """The course with the codes of all styles, from the shipped lessons."""
    plan = course()
    return Course(plan.lessons, plan.unseen, load_file(packaged.locate(LESSONS))["styles"].float())


def data(painter: FastPainter, plan: Course) -> Data:
    lessons, often = zip(*phrasings(plan), strict=True)
    embeddings = embed(painter, [lesson.text for lesson in lessons])
    return Data(embeddings, plan.targets(lessons), torch.tensor(often))


def learn_codes(painter: FastPainter, rows: Data, steps: int) -> None:
    """Adam on the error of the codes."""
    optimizer = torch.optim.AdamW(painter.trainable(), RATE, weight_decay=DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, steps, pct_start=0.1)
    for step in range(1, steps + 1):
        embeddings, codes = rows.draw()
        loss = painter.code_errors(painter.network(embeddings), codes).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        if step % max(1, steps // 10) == 0:
            print(f"step {step} of {steps}: error of codes {loss.item():.5f}", flush=True)


@torch.no_grad()
def report(painter: FastPainter, plan: Course) -> None:
    """Errors of codes relative to the spread of styles, and retrieval, of words and phrasings.

    An error of 1 is that of the mean code; `nearest` is that of the code of the nearest lesson.
    """
    styles, plain = catalogue()[0], plan.codes[:, 0]
    single = [lesson for lesson in plan.lessons if len(lesson.styles) == 1 and not lesson.color]
    unseen = [Lesson(words, (k,)) for k in plan.unseen for words in styles[k].words]
    words = embed(painter, [lesson.text for lesson in plan.lessons])
    spread = painter.code_errors(plain, plain.mean(0)).mean()
    for name, lessons in {
        "words of styles": single,
        "other phrasings": [_in_phrase(lesson, phrase) for lesson in single for phrase in OTHERS],
        "unseen styles": unseen,
    }.items():
        embeddings = embed(painter, [lesson.text for lesson in lessons])
        codes, goals = painter.network(embeddings), plan.targets(lessons)
        owners = torch.tensor([lesson.styles[0] for lesson in lessons])
        flat = torch.einsum("pwc,nc->npw", painter.matrix, torch.cat([codes, plain])).flatten(1)
        order = torch.cdist(flat[: len(codes)], flat[len(codes) :]).argsort(1)
        places = (order == owners[:, None]).int().argmax(1)
        lookup = plan.targets(plan.lessons)[(embeddings @ words.T).argmax(1)]
        error, nearest = (painter.code_errors(c, goals).mean() / spread for c in (codes, lookup))
        print(
            f"{name}: error {error:.3f} (nearest lesson {nearest:.3f}); style first "
            f"{(places == 0).float().mean():.2f}, among five {(places < 5).float().mean():.2f} "
            f"(n = {len(lessons)})",
            flush=True,
        )


def ship(painter: FastPainter) -> None:
    """Write the weights to their place in the package."""
    weights = {
        key: value.half().contiguous() for key, value in painter.network.state_dict().items()
    }
    path = METHODS.parents[1] / WEIGHTS.package / WEIGHTS.path
    with atomic(path) as temporary:
        temporary.write_bytes(save(weights, {"network": type(painter).__name__}))
    print(f"{path}: {path.stat().st_size / 1e6:.2f} MB, sha256 {sha256(path)}")


def refine(painter: FastPainter, plan: Course, steps: int) -> FastPainter:
    """FastPainter after so many steps by CLIPstyler's losses, from the weights of `painter`."""
    with tempfile.TemporaryDirectory() as folder:
        weights, styles = Path(folder) / "codes.safetensors", Path(folder) / "styles.txt"
        painter.save(weights, {})
        write_text(styles, "\n".join(lesson.text for lesson in plan.lessons))
        settings = {
            "model.generator.weights": str(weights),
            "data.styles": str(styles),
            "trainer.max_steps": steps,
            "training.out": str(Path(folder) / "training"),
            "training.pictures_every": 0,
            "wandb.enabled": False,
            "seed_everything": 0,
        }
        return FastPainter(weights=str(train(compose_training("fast_clipstyler"), settings)))


def train_painter(steps: int, refining: int) -> FastPainter:
    """FastPainter after so many steps on the codes, and by CLIPstyler's losses."""
    torch.manual_seed(0)
    torch.set_num_threads(1)  # the order of sums depends on the number of threads
    painter, plan = FastPainter(weights=UNTRAINED), codes_course()
    learn_codes(painter, data(painter, plan), steps)
    report(painter, plan)
    if refining:
        painter = refine(painter, plan, refining)
        report(painter, plan)
    return painter


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--steps", type=int, default=2500, help="on codes (default: %(default)s)")
    parser.add_argument("--refine", type=int, default=0, help="steps by CLIPstyler's losses")
    args = parser.parse_args()
    ship(train_painter(args.steps, args.refine))


if __name__ == "__main__":
    main()
