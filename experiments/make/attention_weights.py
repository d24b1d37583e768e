"""Training of AttentionPainter's shipped weights.

    python -m experiments.make.attention_weights    about ten minutes on an idle processor core

Writes lightning_modules/generators/attention.safetensors (float16) and prints its sha256, which
belongs in attention.py. First, every token of a text learns the code of the text as its value, by
the lessons of FastPainter in several phrasings; the styles that those leave out take no part here
either. Then the attention learns by the losses of lightning_modules/training.py on crops of the
photos that packages ship, while the values are held near the codes. Another processor or version of
torch gives other bits for the same seed, and weights of the same quality.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from safetensors.torch import save
from torch import Tensor

from datamodules.models.published import UNTRAINED
from datamodules.photos import PhotosDataModule
from datamodules.support.files import atomic, sha256
from experiments.run.registry import METHODS
from lightning_modules.encoders.bridge import BridgeEncoder
from lightning_modules.generators.attention import WEIGHTS, AttentionPainter
from lightning_modules.generators.fast_lessons import lessons
from lightning_modules.generators.painter_styles import catalogue
from lightning_modules.perceptual.efficientnet import EfficientNetFeatures
from lightning_modules.steps.patches import Patches
from lightning_modules.training import Training

PHRASES = ("{}", "{} style", "a painting in the style of {}", "made of {}", "the art of {}")
BATCH, RATE, NOISE = 256, 2e-3, 0.1  # of the first part; noise on tokens of variance 1
CROPS, CROP, LOW_RATE = 4, 128, 3e-4  # of the second part
LAMBDAS = {"global": 1.0, "patch": 4.0, "contrastive": 0.3, "content": 0.01, "tv": 1e-6}
HOLD = 100.0  # weight of the codes' error in the second part


@dataclass(frozen=True)
class Texts:
    """Tokens (T, L, D) of T texts, which of them are no padding (T, L), and codes (T, 100)."""

    tokens: Tensor
    words: Tensor
    codes: Tensor


def phrased(painter: AttentionPainter) -> Texts:
    """The lessons' texts in all phrasings."""
    texts = [phrase.format(text) for text in lessons().texts for phrase in PHRASES]
    codes = lessons().codes.repeat_interleave(len(PHRASES), dim=0)
    return Texts(*painter.read(texts), codes)


def code_error(painter: AttentionPainter, phrasings: Texts) -> Tensor:
    """Mean squared error of the scales and shifts that the tokens of random texts mean."""
    rows = torch.randint(len(phrasings.codes), (BATCH,))
    words = phrasings.words[rows]
    tokens = phrasings.tokens[rows][words]
    values = painter.network["value"](tokens + NOISE * torch.randn_like(tokens))
    goals = phrasings.codes[rows].repeat_interleave(words.sum(1), dim=0)
    matrix = painter.halves.matrix.flatten(0, 1)
    return ((values - goals) @ matrix.T).square().mean()


def learn_codes(painter: AttentionPainter, phrasings: Texts, steps: int) -> None:
    """Adam on the error of the values alone."""
    weights = painter.network["value"].requires_grad_(True).parameters()
    optimizer = torch.optim.AdamW(weights, RATE, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, steps, pct_start=0.1)
    for step in range(1, steps + 1):
        loss = code_error(painter, phrasings)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        if step % (steps // 10) == 0:
            print(f"codes, step {step} of {steps}: error {loss.item():.5f}", flush=True)


def learn_styles(painter: AttentionPainter, phrasings: Texts, steps: int) -> None:
    """Adam on the losses of the pictures, and on the codes' error so that these stay."""
    first = {style.words[0] for style in catalogue()[0]}
    styles = [text for text in lessons().texts if text in first]  # one text of each style
    data = PhotosDataModule("packages", styles, crop=CROP, batch_size=CROPS, flip=True, workers=0)
    module = Training(
        painter,
        BridgeEncoder(),
        EfficientNetFeatures(),
        LAMBDAS,
        patches=Patches(count=2),
        brush=0.5,
        tau=0.5,
        prompted=False,
    )
    module.blends = data.blends
    optimizer = torch.optim.Adam(module.trained, LOW_RATE)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, LOW_RATE, steps, pct_start=0.1)
    means: dict[str, float] = {}
    for step, batch in zip(range(1, steps + 1), data.train_dataloader(), strict=False):
        losses = module.losses(module.painted(batch)) | {"code": code_error(painter, phrasings)}
        optimizer.zero_grad()
        sum((LAMBDAS | {"code": HOLD})[name] * loss for name, loss in losses.items()).backward()
        optimizer.step()
        schedule.step()
        for name, loss in losses.items():
            means[name] = means.get(name, loss.item()) * 0.95 + 0.05 * loss.item()
        if step % max(1, steps // 20) == 0:
            parts = ", ".join(f"{name} {value:.4g}" for name, value in means.items())
            print(f"styles, step {step} of {steps}: running means {parts}", flush=True)


def ship(painter: AttentionPainter) -> None:
    """Write the weights to their place in the package."""
    state = painter.network.state_dict()
    path = METHODS.parents[1] / WEIGHTS.package / WEIGHTS.path
    with atomic(path) as temporary:
        temporary.write_bytes(save({name: w.half().contiguous() for name, w in state.items()}))
    print(f"{path}: {path.stat().st_size / 1e6:.2f} MB, sha256 {sha256(path)}")


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--codes", type=int, default=2000, help="steps of the first part")
    parser.add_argument("--styles", type=int, default=150, help="steps of the second part")
    args = parser.parse_args(arguments)
    torch.manual_seed(0)
    torch.set_num_threads(1)  # the order of sums depends on the number of threads
    started, painter = time.perf_counter(), AttentionPainter(weights=UNTRAINED)
    phrasings = phrased(painter)
    print(f"{len(phrasings.codes)} texts after {time.perf_counter() - started:.0f} s", flush=True)
    learn_codes(painter, phrasings, args.codes)
    learn_styles(painter, phrasings, args.styles)
    ship(painter)
    print(f"{time.perf_counter() - started:.0f} s")


if __name__ == "__main__":
    main()
