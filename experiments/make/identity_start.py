"""Train the identity start of StyleNet: weights that reproduce any picture.

    python -m experiments.make.identity_start            about four minutes on one processor core

Writes stylenet_identity.safetensors (float16) in lightning_modules/generators/ and prints its
sha256, which stylenet.py checks, and how well it reproduces pictures that it was not trained on.
Trained on crops of scikit-image's pictures in random colours, and on random colour fields. The same
seed on another processor or torch gives other bits, and weights as good.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

import torch
from safetensors.torch import save
from torch import Tensor
from torch.nn import functional as F

from datamodules.images import fit_within, load_picture, to_tensor
from datamodules.models import packaged
from datamodules.support.files import atomic, sha256
from experiments.run.registry import METHODS
from lightning_modules.generators.stylenet import IDENTITY, StyleNet, fit_colors

SHOWN = (  # to the training; those that the measurements of docs/ use are not among them
    *("brick", "camera", "cell", "clock_motion", "coins", "color", "grass", "gravel"),
    *("hubble_deep_field", "ihc", "moon", "page", "retina", "text"),
)
ASIDE = ("astronaut", "chelsea", "coffee", "motorcycle_left", "rocket")
SIDE, CROPS, RATE = 96, 4, 4e-3  # pixels; crops a step; peak learning rate


def picture(name: str, longer: int) -> Tensor:
    """A picture of scikit-image, (3, H, W) in [0, 1], at most `longer` px long."""
    return to_tensor(fit_within(load_picture(f"skimage:{name}"), longer))


def crop(pictures: Sequence[Tensor]) -> Tensor:
    """(3, SIDE, SIDE): a crop of a random picture at a random scale, or a field of colours."""
    chosen = int(torch.randint(len(pictures) + 2, ()))
    if chosen >= len(pictures):
        coarse = int(torch.randint(2, SIDE // 2, ()))
        return F.interpolate(torch.rand(1, 3, coarse, coarse), (SIDE, SIDE), mode="bilinear")[0]
    whole = pictures[chosen]
    side = int(torch.randint(64, min(whole.shape[1:]) + 1, ()))
    top, left = (int(torch.randint(length - side + 1, ())) for length in whole.shape[1:])
    part = whole[None, :, top : top + side, left : left + side]
    part = F.interpolate(part, (SIDE, SIDE), mode="bilinear", antialias=True)[0]
    return recoloured(part) if torch.rand(()) < 0.5 else part


def recoloured(picture: Tensor) -> Tensor:
    """In another contrast and colour cast: many of the pictures are grey."""
    mix = torch.eye(3) + 0.4 * torch.randn(3, 3)
    mean = 0.2 + 0.6 * torch.rand(3, 1, 1)
    spread = picture - picture.mean((1, 2), keepdim=True)
    return (torch.einsum("oi,ihw->ohw", mix, spread) + mean).clamp(0, 1)


def fitted(logits: Tensor, pictures: Tensor) -> Tensor:
    """What logits (N, 3, H, W) paint after the fit of the last layer to the pictures."""
    colors = fit_colors(logits.detach(), pictures)
    mixed = colors[..., :3] @ logits.flatten(2) + colors[..., 3:]
    return torch.sigmoid(mixed).view_as(pictures)


def loss(network: StyleNet, pictures: Tensor) -> Tensor:
    """Mean squared error of the pictures (N, 3, H, W) after the fit of the last layer.

    The logits are held near the pictures' own, standardised, so that the fit has little to do.
    """
    logits = network.logits(pictures)
    own = pictures.clamp(0.02, 0.98).logit()
    spread = own.std((1, 2, 3), keepdim=True) + 0.1
    near = F.mse_loss(logits, (own - own.mean((2, 3), keepdim=True)) / spread)
    return F.mse_loss(fitted(logits, pictures), pictures) + 0.01 * near


@torch.no_grad()
def psnr(network: StyleNet, content: Tensor) -> float:
    """Of the reproduction of a picture (3, H, W) by these weights, in dB; they stay as they are."""
    output = fitted(network.logits(content[None]), content[None])
    return float(-10 * torch.log10(F.mse_loss(output[0], content)))


def train(steps: int) -> StyleNet:
    torch.manual_seed(0)
    torch.set_num_threads(1)  # another number sums in another order
    pictures, aside = ([picture(n, 384) for n in names] for names in (SHOWN, ASIDE))
    network = StyleNet()
    optimizer = torch.optim.Adam(network.parameters())
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, steps, pct_start=0.1)
    for step in range(1, steps + 1):
        value = loss(network, torch.stack([crop(pictures) for _ in range(CROPS)]))
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
        schedule.step()
        if step % 200 == 0 or step == steps:
            found = ", ".join(
                f"{name} {psnr(network, content):.1f}"
                for name, content in zip(ASIDE, aside, strict=True)
            )
            print(f"step {step}: loss {value.item():.5f}; PSNR in dB: {found}", flush=True)
    return network


def ship(network: StyleNet, file: packaged.EmbeddedFile) -> None:
    """Write the weights where stylenet.py looks for them."""
    weights = {name: value.half().contiguous() for name, value in network.state_dict().items()}
    path = METHODS.parents[1] / file.package / file.path
    with atomic(path) as temporary:
        temporary.write_bytes(save(weights))
    print(f"{path}: {path.stat().st_size / 1e6:.2f} MB, sha256 {sha256(path)}")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--steps", type=int, default=2000, help="of Adam (default: %(default)s)")
    ship(train(parser.parse_args().steps), IDENTITY)


if __name__ == "__main__":
    main()
