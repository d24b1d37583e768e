"""Woven mesh and strokes in each of the painter's styles, as published and with our filters.

    python -m experiments.measure.mesh               all styles, about two minutes on one core
    python -m experiments.measure.mesh fire gold     these swatches; a number is a painting's code

Pictures of scikit-image, 384 px wide, are painted whole, before any optimisation, which changes the
mesh by little. `mesh` is the metric; `strokes` is the power at periods of 4 to 16 px with our
filters, relative to the power without them.
"""

from __future__ import annotations

import argparse

import torch
from torch import Tensor

from datamodules.images import fit_within, load_picture, to_tensor
from evaluation.metrics.mesh import WINDOW, mesh, spectrum
from lightning_modules.generators.painter import code_of
from lightning_modules.generators.painter_styles import PainterStyle, catalogue

PICTURES = ("chelsea", "coffee")
SIZE = 384  # px


def strokes(picture: Tensor) -> float:
    """Power at periods of 4 to 16 px along either axis; picture: (3, H, W) in [0, 1]."""
    cycles = torch.fft.fftfreq(WINDOW).abs()
    larger = torch.maximum(cycles[:, None], cycles)
    power = spectrum(picture, torch.ones(picture.shape[1:], dtype=torch.bool))
    return float(power[:, (larger >= 1 / 16) & (larger <= 1 / 4)].sum())


@torch.no_grad()
def measure(style: PainterStyle, photo: Tensor) -> tuple[float, float, float]:
    """Mesh as published and ours, and the share of the strokes that is left; photo: (3, H, W)."""
    network, code = code_of(style)
    published, ours = (network(photo[None], code, smooth=smooth)[0] for smooth in (False, True))
    everywhere = torch.ones(photo.shape[1:], dtype=torch.bool)
    before, after = (float(mesh(painted, photo, everywhere)) for painted in (published, ours))
    return before, after, strokes(ours) / strokes(published)


def name_of(style: PainterStyle) -> str:
    """Swatch, or code of a painting."""
    return style.swatch or str(style.code)


def main() -> None:
    styles = {name_of(style): style for style in catalogue()[0]}
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("styles", nargs="*", metavar="STYLE", help=", ".join(styles))
    names = parser.parse_args().styles or list(styles)
    if unknown := set(names) - set(styles):
        parser.error(f"there is no style {', '.join(unknown)}; there are {', '.join(styles)}")
    columns = [f"{part}, {picture}" for picture in PICTURES for part in ("mesh", "strokes")]
    print(f"| style | {' | '.join(columns)} |\n|---|{'---:|' * len(columns)}")
    photos = [to_tensor(fit_within(load_picture(f"skimage:{name}"), SIZE)) for name in PICTURES]
    for name in names:
        rows = (measure(styles[name], photo) for photo in photos)
        cells = (f"{before:.1f} -> {after:.1f} | {left:.2f}" for before, after, left in rows)
        print(f"| {name}: {styles[name].words[0]} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
