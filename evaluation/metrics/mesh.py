"""Woven mesh: pattern along rows and columns at periods of 2 to 3 px that the content lacks.

Networks that enlarge feature maps leave traces of the enlargement's grid (Odena et al. 2016,
"Deconvolution and checkerboard artifacts"): stripes along rows and columns near a period of 2 px,
or a checkerboard. Painted edges and noise have power at these periods, too, but in oblique
directions as well. So the mesh is measured as the power along the axes beyond that in oblique ones.

The mean power spectrum P_c(f) is that of WINDOW px squares with a Hann window, every half of that,
of those that lie wholly in the object (mask above 0), in grey, red against green, and yellow
against blue, an orthonormal basis of RGB, with values from 0 to 255. It is scaled so that its sum
over f is the mean square. Then

    excess_c(X) = max(0, sum of P_c over LATTICE - size of LATTICE * mean of P_c over OBLIQUE)
    mesh = sqrt(sum over c of max(0, excess_c(output) - excess_c(content)) / 3).

Stripes or a checkerboard of value +-a in an otherwise flat object have mesh a.
"""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional as F

from evaluation.metrics import scores as declared
from evaluation.metrics.base import UNDEFINED, PictureMetric, Pictures

WINDOW = 32  # px
LONGEST = 3  # px, the longest period of a mesh
OPPONENTS = ((1, 1, 1), (1, -1, 0), (1, 1, -2))  # grey, red - green, yellow - blue; not of length 1


def mesh(output: Tensor, content: Tensor, region: Tensor) -> Tensor:
    """Amplitude of the mesh, a scalar in grey levels of 255, >= 0.

    output, content: (3, H, W) in [0, 1]; region: (H, W) booleans. UNDEFINED where no window of
    WINDOW px lies in the region.
    """
    after, before = (_excess(picture, region) for picture in (output, content))
    return ((after - before).clamp(min=0).sum() / 3).sqrt()


def _excess(picture: Tensor, region: Tensor) -> Tensor:
    """Mean square (3,) along the axes beyond that in oblique directions, by opponent colour."""
    lattice, oblique = (part.to(picture.device) for part in directions())
    power = spectrum(picture, region)
    expected = lattice.sum() * power[:, oblique].mean(1)
    return (power[:, lattice].sum(1) - expected).clamp(min=0)


def directions() -> tuple[Tensor, Tensor]:
    """LATTICE and OBLIQUE, booleans (WINDOW, WINDOW) over the frequencies of an FFT.

    LATTICE: periods up to LONGEST px along one axis and none along the other, or 2 px along both;
    OBLIQUE: the same periods in other directions. Both leave room for the width of a window's peak.
    """
    cycles = torch.fft.fftfreq(WINDOW, 1 / WINDOW).abs()
    larger, smaller = (pick(cycles[:, None], cycles) for pick in (torch.maximum, torch.minimum))
    half, first = WINDOW / 2, WINDOW / LONGEST
    lattice = ((larger >= first) & (smaller <= 2)) | (smaller >= half - 1)
    length = torch.hypot(larger, smaller)
    return lattice, (smaller > 3) & (length >= first) & (length <= half)


def spectrum(picture: Tensor, region: Tensor) -> Tensor:
    """P (3, WINDOW, WINDOW) of a picture (3, H, W) in [0, 1], by opponent colour; see above."""
    basis = F.normalize(picture.new_tensor(OPPONENTS), dim=1)
    colours = 255 * torch.einsum("kc,chw->khw", basis, picture)
    line = torch.hann_window(WINDOW, device=picture.device)
    window = torch.outer(line, line)
    total, count = picture.new_zeros(3, WINDOW, WINDOW), 0
    # One row of windows after another, so that memory stays small on large pictures.
    for row, inside in zip(_rows(colours), _rows(region[None]), strict=True):
        squares = row[:, inside[0].flatten(1).all(1)]
        if not squares.shape[1]:  # which MKL refuses
            continue
        centred = squares - squares.mean((2, 3), keepdim=True)
        total += torch.fft.fft2(centred * window).abs().square().sum(1)
        count += squares.shape[1]
    if not count:
        return torch.full_like(total, UNDEFINED)
    return total / (count * WINDOW**2 * window.square().sum())


def _rows(x: Tensor) -> list[Tensor]:
    """Windows of (C, H, W), row by row: (C, N, WINDOW, WINDOW) each; [] if none fits."""
    if min(x.shape[1:]) < WINDOW:
        return []
    half = WINDOW // 2
    return list(x.unfold(1, WINDOW, half).unfold(2, WINDOW, half).unbind(1))


class Mesh(PictureMetric):
    """The mesh in the object."""

    scores: ClassVar = declared.MESH

    def score(self, pictures: Pictures) -> dict[str, Tensor]:
        triples = zip(pictures.output, pictures.content, pictures.mask > 0, strict=True)
        return {"mesh": torch.stack([mesh(*triple) for triple in triples])}
