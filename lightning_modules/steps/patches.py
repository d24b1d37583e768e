"""Random patches of a picture: their possible places, and cutting all of one size at once.

CLIPstyler (Kwon and Ye, 2022, section 3.3) crops patches at random places, warps each by a random
perspective and resizes it to the encoder's input. Crop and perspective are one homography per
patch, so one `grid_sample` cuts them all. Boxes are rows (left, top, size) in pixels.

A method that treats parts of the picture differently has one `Places` per part. The patches of a
part have the same positions in the batch in every step.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor
from torch.nn import functional as F

from datamodules.models.cache import once_per_process
from datamodules.support.errors import AtelierError

log = logging.getLogger(__name__)

SMALLEST_PATCH = 8  # px; a smaller patch is a blur that no encoder can judge
BoxesBySide = list[tuple[int, Tensor]]  # side in pixels, and boxes (n, 3) of that side
_UNIT_SQUARE = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))


@dataclass(frozen=True)
class Patches:
    """Patches per step.

    Args:
        count: number of patches, at least 1.
        distortion: strength of the random perspective, in [0, 1].
        through: side in pixels to which a patch is resized (bilinear) on its way to the encoder's
            size (then bicubic, without antialiasing), as in the published codes of Soulstyler (400)
            and of Sem-CS with a single text (512); 0 = directly.
        fade_twice: the black around a warped patch darkens its edge twice, as in torchvision 0.9
            and later, instead of once, as in torchvision 0.8, which the published codes ask for.
    """

    count: int = 64
    distortion: float = 0.5
    through: int = 0
    fade_twice: bool = False

    def __post_init__(self) -> None:
        if self.count < 1 or not 0 <= self.distortion <= 1 or self.through < 0:
            raise AtelierError(
                f"Patches cannot be cut with count={self.count}, distortion={self.distortion}, "
                f"through={self.through}; give at least one patch, a distortion in [0, 1] and a "
                "side of 0 px or more"
            )


@dataclass(frozen=True)
class Places:
    """Possible places of the patches in one part of the picture, and their number per step.

    by_size: boxes (M, 3) of each patch size; sizes without boxes are left out.
    count:   patches per step; each size has an equal share. 0 if there are no boxes.
    """

    by_size: tuple[Tensor, ...]
    count: int

    @cached_property
    def sides(self) -> list[int]:
        """Patch sizes in pixels; transferred from the device once."""
        return [int(boxes[0, 2]) for boxes in self.by_size]

    def draw(self, random: torch.Generator | None = None) -> BoxesBySide:
        """`count` boxes for this step, uniformly with replacement."""
        each = shares(self.count, [1] * len(self.by_size))
        return [
            (side, boxes[torch.randint(len(boxes), (n,), device=boxes.device, generator=random)])
            for side, boxes, n in zip(self.sides, self.by_size, each, strict=True)
            if n
        ]


def draw(parts: Sequence[Places], random: torch.Generator | None = None) -> BoxesBySide:
    """Boxes of one step for all parts, part after part."""
    return [of_one_size for part in parts if part.count for of_one_size in part.draw(random)]


def divide(
    boxes: Sequence[Tensor], selections: Sequence[Tensor]
) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
    """Selected boxes and the others, by size; sizes without boxes are left out.

    boxes: (M, 3) per size. selections: (M,) bool per size.
    """
    pairs = [*zip(boxes, selections, strict=True)]
    return (
        tuple(b[selection] for b, selection in pairs if selection.any()),
        tuple(b[~selection] for b, selection in pairs if not selection.all()),
    )


def shares(total: int, weights: Sequence[float]) -> list[int]:
    """Whole shares of `total` in proportion to the weights (largest remainders); they sum to it."""
    exact = [total * weight / sum(weights) for weight in weights]
    counts = [int(value) for value in exact]
    by_remainder = sorted(range(len(exact)), key=lambda i: counts[i] - exact[i])
    for index in by_remainder[: total - sum(counts)]:
        counts[index] += 1
    return counts


def check_brush(brush: float | Sequence[float]) -> None:
    """AtelierError for a brush that is neither a share in (0, 1] nor a side of 8 px or more."""
    brushes = _each(brush)
    if not brushes or not all(0 < size <= 1 or size >= SMALLEST_PATCH for size in brushes):
        raise AtelierError(
            f"The brush is {brush}; give patch sizes relative to the picture's shorter side, in "
            f"(0, 1], such as 0.25, or in pixels, {SMALLEST_PATCH} or more"
        )


def sizes(brush: float | Sequence[float], height: int, width: int) -> list[int]:
    """Sides of the patches in pixels, from sides relative to the picture's shorter side.

    A number above 1 is a side in pixels already.
    """
    side = min(height, width)
    sides = [round(size if size > 1 else size * side) for size in _each(brush)]
    return [min(side, max(SMALLEST_PATCH, size)) for size in sides]


def _each(brush: float | Sequence[float]) -> Sequence[float]:
    return brush if isinstance(brush, Sequence) else [brush]


def every_box(height: int, width: int, size: int, device: torch.device | str = "cpu") -> Tensor:
    """Boxes (M, 3): all those of `size` px inside the picture."""
    tops = torch.arange(height - size + 1, device=device)
    lefts = torch.arange(width - size + 1, device=device)
    boxes = torch.cartesian_prod(lefts, tops, torch.tensor([size], device=device))
    return boxes.float()


def mean_within(values: Tensor, boxes: Tensor, strip: float = 1.0) -> Tensor:
    """Mean (M,) float64 of `values` (H, W) in each box (M, 3) or in the strip at its bottom.

    By a summed-area table (Crow 1984) in float64, so that the mean of a mask in a full box is
    exactly 1. Differentiable in `values`.

    strip: height relative to the box, in (0, 1], rounded down; at least one row.
    """
    table = F.pad(values.double().cumsum(0).cumsum(1), (1, 0, 1, 0))
    left, top, size = boxes.long().unbind(1)
    bottom, right = top + size, left + size
    height = (size.double() * strip).long().clamp(min=1)
    top = bottom - height
    total = table[bottom, right] - table[top, right] - table[bottom, left] + table[top, left]
    return total / (size * height)


def covered_boxes(mask: Tensor, size: int, at_least: float) -> Tensor:
    """Boxes (M, 3) of `size` px of which `mask` (H, W) covers at least the share `at_least`.

    For a small or thin object the size is reduced by fifths until a box fits, with a warning.
    Raises AtelierError if not even a box of SMALLEST_PATCH px fits.
    """
    full_size, size = size, min(size, *mask.shape)
    while True:
        boxes = every_box(*mask.shape, size, mask.device)
        boxes = boxes[mean_within(mask, boxes) >= at_least - 1e-9]
        if len(boxes) or size <= SMALLEST_PATCH:
            break
        size = max(SMALLEST_PATCH, size * 4 // 5)
    if not len(boxes):
        raise AtelierError(
            f"The object is too small or thin for any patch: no {size} px square is covered by "
            f"{at_least:.0%}; give a larger --size, a lower --model.coverage or another mask"
        )
    if size < full_size:
        log.warning(
            "Patches of %d px instead of %d: larger ones do not fit the object", size, full_size
        )
    return boxes


def random_corners(
    count: int,
    distortion: float,
    device: torch.device | str = "cpu",
    random: torch.Generator | None = None,
) -> Tensor:
    """Corners (count, 4, 2) of patches after a random perspective, as `moved_corners`."""
    shares = torch.rand(count, 4, 2, device=device, generator=random)
    return moved_corners(shares, distortion)


def moved_corners(shares: Tensor, distortion: float) -> Tensor:
    """Corners (N, 4, 2) of patches after a perspective, in units of the patch.

    Order: top left, top right, bottom right, bottom left. Each corner moves inwards by up to
    distortion/2 in x and in y, distortion in [0, 1]; shares: of that, (N, 4, 2) in [0, 1].
    """
    square = _unit_square(shares.device)
    return square + (1 - 2 * square) * shares * (distortion / 2)


# Copied to a device once, because a copy waits until a GPU has done all its work.


@once_per_process
def _unit_square(device: torch.device) -> Tensor:
    return torch.tensor(_UNIT_SQUARE, device=device)


@once_per_process(at_most=64)
def _spans(height: int, width: int, device: torch.device, dtype: torch.dtype) -> Tensor:
    """Width and height (2,) of a pixel in `grid_sample`'s coordinates, which span [-1, 1]."""
    return 2 / torch.tensor([width, height], device=device, dtype=dtype)


def homography(corners: Tensor) -> Tensor:
    """Projective maps (N, 3, 3) from the unit square to `corners` (N, 4, 2).

    Closed form of Heckbert 1989 (Fundamentals of Texture Mapping, section 2.2.3). A solver would
    wait for the device.
    """
    p0, p1, p2, p3 = corners.unbind(1)
    d1, d2, s = p1 - p2, p3 - p2, p0 - p1 + p2 - p3
    det = d1[:, 0] * d2[:, 1] - d2[:, 0] * d1[:, 1]
    g = (s[:, 0] * d2[:, 1] - d2[:, 0] * s[:, 1]) / det
    h = (d1[:, 0] * s[:, 1] - s[:, 0] * d1[:, 1]) / det
    first = p1 - p0 + g[:, None] * p1
    second = p3 - p0 + h[:, None] * p3
    bottom = torch.stack([g, h, torch.ones_like(g)], dim=-1)
    return torch.cat([torch.stack([first, second, p0], dim=-1), bottom[:, None]], dim=1)


def cut(
    image: Tensor,
    boxes: Tensor,
    corners: Tensor,
    side: int,
    size: int,
    through: int = 0,
    fade_twice: bool = False,
) -> Tensor:
    """Patches (N, C, size, size) in `boxes`, warped so that their corners come to `corners`.

    Equals torchvision's crop, `perspective` (bilinear, fill 0) and resize; differentiable in
    `image`. Arguments: of `warp`, and `through` of `Patches`.
    """
    patches = warp(image, boxes, corners, side, fade_twice)
    if not through:
        return F.interpolate(patches, (size, size), mode="bilinear", antialias=True)
    patches = F.interpolate(patches, (through, through), mode="bilinear", align_corners=False)
    return F.interpolate(patches, (size, size), mode="bicubic", align_corners=False)


def warp(
    image: Tensor, boxes: Tensor, corners: Tensor, side: int, fade_twice: bool = False
) -> Tensor:
    """Patches (N, C, side, side) in `boxes`, warped so that their corners come to `corners`.

    image: (1, C, H, W), or (B, C, H, W) with N / B patches each, picture after picture. boxes:
    (N, 3) inside the image, all of this side in pixels. corners: (N, 4, 2) as by `random_corners`.
    fade_twice: see `Patches`.
    """
    count, (pictures, _, height, width) = len(boxes), image.shape
    centres = (torch.arange(side, device=image.device, dtype=image.dtype) + 0.5) / side
    y, x = torch.meshgrid(centres, centres, indexing="ij")
    points = torch.stack([x, y, torch.ones_like(x)], dim=-1).view(1, -1, 3)
    forward = homography(corners.to(image.dtype))
    # An inverse up to scale is the adjugate, whose rows are cross products of the columns.
    a, b, c = forward.unbind(-1)
    backward = torch.stack([b.cross(c, -1), c.cross(a, -1), a.cross(b, -1)], dim=1)
    source = points @ backward.mT
    inside = source[..., :2] / source[..., 2:] * side - 0.5  # pixel index within the box
    fade = ((inside + 1).clamp(0, 1) * (side - inside).clamp(0, 1)).prod(-1)
    at = inside.clamp(0, side - 1) + boxes[:, None, :2]
    grid = ((at + 0.5) * _spans(height, width, image.device, image.dtype) - 1).view(
        pictures, -1, side, 2
    )
    # One tall picture instead of N expanded ones: the gradient needs the image's memory once.
    tall = F.grid_sample(image, grid, padding_mode="border", align_corners=False)
    patches = tall.unflatten(2, (-1, side)).transpose(1, 2).flatten(0, 1)
    fade = (fade.square() if fade_twice else fade).view(count, 1, side, side)
    return patches * fade
