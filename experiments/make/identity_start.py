"""Training of SmallUNet's identity start: weights that reproduce any picture.

    python -m experiments.make.identity_start            about four minutes on one processor core

Writes small_unet_identity.safetensors (float16) in lightning_modules/generators/. Prints its
sha256, which belongs in small_unet.py, and how well it reproduces pictures outside of the training.
Trained on crops of scikit-image's pictures in random colours and on random colour fields. Another
processor or version of torch gives other bits for the same seed, and weights of the same quality.
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
from lightning_modules.generators.small_unet import IDENTITY, SmallUNet, fit_colors

TRAINING = (  # without the pictures of the measurements in docs/
    *("brick", "camera", "cell", "clock_motion", "coins", "color", "grass", "gravel"),
    *("hubble_deep_field", "ihc", "moon", "page", "retina", "text"),
)
TEST = ("astronaut", "chelsea", "coffee", "motorcycle_left", "rocket")
SIDE, CROPS, RATE = 96, 4, 4e-3  # pixels; crops per step; peak learning rate


def picture(name: str, longer: int) -> Tensor:
    """Picture of scikit-image, (3, H, W) in [0, 1], with a longer side of `longer` px at most."""
    return to_tensor(fit_within(load_picture(f"skimage:{name}"), longer))


def crop(pictures: Sequence[Tensor]) -> Tensor:
    """Crop (3, SIDE, SIDE) of a random picture at a random scale, or a random colour field."""
    index = int(torch.randint(len(pictures) + 2, ()))
    if index >= len(pictures):
        coarse = int(torch.randint(2, SIDE // 2, ()))
        return F.interpolate(torch.rand(1, 3, coarse, coarse), (SIDE, SIDE), mode="bilinear")[0]
    whole = pictures[index]
    side = int(torch.randint(64, min(whole.shape[1:]) + 1, ()))
    top, left = (int(torch.randint(length - side + 1, ())) for length in whole.shape[1:])
    part = whole[None, :, top : top + side, left : left + side]
    part = F.interpolate(part, (SIDE, SIDE), mode="bilinear", antialias=True)[0]
    return recolour(part) if torch.rand(()) < 0.5 else part


def recolour(picture: Tensor) -> Tensor:
    """The picture with random contrast and colour cast, because many of the pictures are grey."""
    mix = torch.eye(3) + 0.4 * torch.randn(3, 3)
    mean = 0.2 + 0.6 * torch.rand(3, 1, 1)
    spread = picture - picture.mean((1, 2), keepdim=True)
    return (torch.einsum("oi,ihw->ohw", mix, spread) + mean).clamp(0, 1)


def fit(logits: Tensor, pictures: Tensor) -> Tensor:
    """Pictures (N, 3, H, W) from logits after the fit of the last layer to `pictures`."""
    colors = fit_colors(logits.detach(), pictures)
    mixed = colors[..., :3] @ logits.flatten(2) + colors[..., 3:]
    return torch.sigmoid(mixed).view_as(pictures)


def loss(network: SmallUNet, pictures: Tensor) -> Tensor:
    """Mean squared error of the pictures (N, 3, H, W) after the fit of the last layer.

    A small second term holds the logits near the standardised logits of the pictures, so that the
    fit has little to do.
    """
    logits = network.logits(pictures)
    goal = pictures.clamp(0.02, 0.98).logit()
    spread = goal.std((1, 2, 3), keepdim=True) + 0.1
    near = F.mse_loss(logits, (goal - goal.mean((2, 3), keepdim=True)) / spread)
    return F.mse_loss(fit(logits, pictures), pictures) + 0.01 * near


@torch.no_grad()
def psnr(network: SmallUNet, content: Tensor) -> float:
    """Signal-to-noise ratio in dB of a picture (3, H, W) as reproduced by the network."""
    output = fit(network.logits(content[None]), content[None])
    return float(-10 * torch.log10(F.mse_loss(output[0], content)))


def train(steps: int) -> SmallUNet:
    """SmallUNet after so many steps of Adam, with the test pictures' PSNR on stdout."""
    torch.manual_seed(0)
    torch.set_num_threads(1)  # the order of sums depends on the number of threads
    pictures, test = ([picture(name, 384) for name in names] for names in (TRAINING, TEST))
    network = SmallUNet()
    optimizer = torch.optim.Adam(network.parameters())
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, steps, pct_start=0.1)
    for step in range(1, steps + 1):
        value = loss(network, torch.stack([crop(pictures) for _ in range(CROPS)]))
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
        schedule.step()
        if step % 200 == 0 or step == steps:
            ratios = ", ".join(
                f"{name} {psnr(network, content):.1f}"
                for name, content in zip(TEST, test, strict=True)
            )
            print(f"step {step}: loss {value.item():.5f}; PSNR in dB: {ratios}", flush=True)
    return network


def ship(network: SmallUNet, file: packaged.EmbeddedFile) -> None:
    """Write the weights to their place in the package."""
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
