"""Training of the learned start: weights from which styles are reached in few steps.

    python -m experiments.make.learned_start             about an hour on one processor core

Writes small_unet_learned.safetensors (float16) in lightning_modules/generators/ and prints its
sha256, which belongs in small_unet.py. The algorithm is Reptile (Nichol et al. 2018, arXiv
1803.02999): a task, which is a crop of one of scikit-image's pictures with a style, is optimised
for some steps, and the start moves a share of the way to the result. Neither the pictures nor the
styles are those of experiments/measure/fewer_steps.py. Another processor or version of torch gives
other bits for the same seed.
"""

from __future__ import annotations

import argparse
import math
import time

import torch
from torch import Tensor
from torch.nn import functional as F

from datamodules.task import StyleBatch
from experiments.make.identity_start import TRAINING, picture, recolour, ship
from experiments.run.configuration import compose
from experiments.run.lightning_cli import AtelierCLI
from lightning_modules.generators.small_unet import LEARNED, SmallUNet
from lightning_modules.optimizers.soap import Soap
from lightning_modules.stylization import Stylization

STYLES = (
    *("watercolor", "oil painting", "pencil sketch", "stained glass", "ice", "wood", "marble"),
    *("pop art", "The Great Wave off Kanagawa by Katsushika Hokusai", "The Scream by Edvard Munch"),
    *("a Monet style painting", "cubism by Picasso", "graffiti", "snow", "white wool"),
    *("green crystal", "desert sand", "underwater", "cloud", "stone wall", "ink wash painting"),
    *("comic book", "pixel art", "lava", "rust", "leaves", "flowers", "velvet", "knitted wool"),
    *("origami paper", "chocolate", "silver", "bronze statue", "batik", "embroidery", "lightning"),
    *("autumn", "jade", "blueprint", "charcoal drawing", "rainbow", "galaxy", "coral reef"),
    *("leather", "tiger fur", "smoke", "candy", "fauvism"),
)
SHAPES = ((176, 256), (256, 176), (200, 256), (256, 256))  # height, width
TASKS, STEPS, RATE = 192, 32, 2e-3
# Share of the way to the result, of the second and of the last task; 1 for the first.
FIRST, LAST = 0.5, 0.04


def judge() -> Stylization:
    """Soulstyler on the embedded models; its picture and style do not matter."""
    settings = {"data.image": "skimage:camera", "data.object": "man", "data.style": "ice"}
    settings |= {"model.generator": "small_unet", "wandb.enabled": False}
    return AtelierCLI.from_settings(compose("soulstyler"), settings, time.perf_counter()).model


def chance() -> float:
    """Random number in [0, 1)."""
    return float(torch.rand(()))


def task(pictures: list[Tensor], style: str) -> StyleBatch:
    """Random crop in its own or other colours, whole or masked by a soft ellipse, and a style."""
    whole = pictures[int(torch.randint(len(pictures), ()))]
    height, width = SHAPES[int(torch.randint(len(SHAPES), ()))]
    scale = min(whole.shape[1] / height, whole.shape[2] / width) * (0.5 + chance() / 2)
    tall, wide = int(height * scale), int(width * scale)
    top = int(torch.randint(whole.shape[1] - tall + 1, ()))
    left = int(torch.randint(whole.shape[2] - wide + 1, ()))
    part = whole[None, :, top : top + tall, left : left + wide]
    content = F.interpolate(part, (height, width), mode="bilinear", antialias=True)[0]
    if chance() < 0.5:
        content = content.flip(2)
    if chance() < 0.6:
        content = recolour(content)
    mask = torch.ones(height, width)
    if chance() < 0.5:
        y, x = torch.meshgrid(
            torch.linspace(-1, 1, height), torch.linspace(-1, 1, width), indexing="ij"
        )
        centre, radius = (torch.rand(2) - 0.5) * 0.6, 0.5 + 0.4 * torch.rand(2)
        inside = ((y - centre[0]) / radius[0]).square() + ((x - centre[1]) / radius[1]).square()
        mask = torch.sigmoid(20 * (1 - inside))
    return StyleBatch(content[None].clone(), mask[None, None], (((1.0, style),),), "a Photo")


def learn(method: Stylization, network: SmallUNet, batch: StyleBatch, seed: int) -> float:
    """Optimise the network for a task as in a run; returns the last total loss."""
    method.generator, method.seed = network, seed
    with torch.no_grad():
        method.prepare(batch)
    optimizer = Soap(network.parameters(), RATE)
    for number in range(STEPS):
        rise, fall = (number + 1) / (STEPS // 10), (1 + math.cos(math.pi * number / STEPS)) / 2
        optimizer.param_groups[0]["lr"] = RATE * min(rise, fall)
        losses = method.step(batch)
        optimizer.zero_grad()
        losses["loss"].backward()
        optimizer.step()
    return losses["loss"].item()


def train() -> SmallUNet:
    """SmallUNet's start after all tasks, with each task's last loss on stdout."""
    torch.manual_seed(0)
    torch.set_num_threads(1)  # the order of sums depends on the number of threads
    method, pictures = judge(), [picture(name, 512) for name in TRAINING]
    start, rounds = SmallUNet(), TASKS // len(STYLES) + 1
    order = [number for _ in range(rounds) for number in torch.randperm(len(STYLES)).tolist()]
    for number in range(TASKS):
        network = SmallUNet()
        network.load_state_dict(start.state_dict())
        style = STYLES[order[number]]
        last = learn(method, network, task(pictures, style), number)
        print(f"task {number + 1} of {TASKS}: {style}, total loss {last:.0f}", flush=True)
        share = FIRST + (LAST - FIRST) * number / (TASKS - 1) if number else 1.0
        with torch.no_grad():
            for weights, result in zip(start.parameters(), network.parameters(), strict=True):
                weights.lerp_(result, share)
    return start


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.parse_args()
    ship(train(), LEARNED)


if __name__ == "__main__":
    main()
