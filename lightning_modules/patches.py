"""Random patches of a picture: where they may lie, and cutting them all in one resampling.

CLIPstyler (Kwon and Ye, 2022, section 3.3) crops patches at random places, warps each by a random
perspective and resizes it to the encoder's input. Crop, perspective and resize are one homography
a patch, so one `grid_sample` cuts them all. Boxes are rows (left, top, size) in pixels.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

_UNIT_SQUARE = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))


def coverage(mask: Tensor, size: int) -> Tensor:
    """Mean of `mask` (H, W) in every size x size window: (H-size+1, W-size+1), by corner.

    One summed-area table (Crow 1984), in float64 so that full windows count as exactly 1.
    """
    table = F.pad(mask.double().cumsum(0).cumsum(1), (1, 0, 1, 0))
    total = (
        table[size:, size:] - table[:-size, size:] - table[size:, :-size] + table[:-size, :-size]
    )
    return (total / size**2).clamp(0, 1)


def boxes_covering(mask: Tensor, size: int, at_least: float) -> Tensor:
    """Every box of `size` px whose coverage by `mask` (H, W) is `at_least` so much: (M, 3)."""
    tops, lefts = torch.nonzero(coverage(mask, size) >= at_least - 1e-9, as_tuple=True)
    return torch.stack([lefts, tops, torch.full_like(lefts, size)], dim=1).float()


def draw(boxes: Tensor, count: int) -> Tensor:
    """`count` of the boxes (M, 3), drawn uniformly with replacement: (count, 3)."""
    return boxes[torch.randint(len(boxes), (count,), device=boxes.device)]


def random_corners(count: int, distortion: float, device: torch.device | str = "cpu") -> Tensor:
    """Where a random perspective sends a patch's corners: (count, 4, 2), in units of the patch.

    Order: top left, top right, bottom right, bottom left. Each corner moves inwards by up to
    distortion/2 in x and in y, distortion in [0, 1].
    """
    square = torch.tensor(_UNIT_SQUARE, device=device)
    inward = 1 - 2 * square
    return square + inward * torch.rand(count, 4, 2, device=device) * (distortion / 2)


def homography(corners: Tensor) -> Tensor:
    """The projective maps (N, 3, 3) taking the unit square to `corners` (N, 4, 2).

    Closed form of Heckbert 1989 (Fundamentals of Texture Mapping, section 2.2.3): no solver, so
    nothing waits for the device.
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


def cut(image: Tensor, boxes: Tensor, corners: Tensor, size: int) -> Tensor:
    """The patches in `boxes`, warped so that their corners land on `corners`, at size x size px.

    image: (1, C, H, W); boxes: (N, 3) inside the image; corners: (N, 4, 2) as by `random_corners`.
    Returns (N, C, size, size), bilinear, 0 outside the warped patch, differentiable in `image`.
    Equals torchvision's crop, `perspective` (fill 0) and, for size = box size, resize.
    """
    count, (height, width) = len(boxes), image.shape[-2:]
    centres = (torch.arange(size, device=image.device, dtype=image.dtype) + 0.5) / size
    y, x = torch.meshgrid(centres, centres, indexing="ij")
    points = torch.stack([x, y, torch.ones_like(x)], dim=-1).view(1, -1, 3)
    forward = homography(corners)
    # An inverse up to scale is the adjugate, whose rows are cross products of the columns.
    a, b, c = forward.unbind(-1)
    backward = torch.stack([b.cross(c, -1), c.cross(a, -1), a.cross(b, -1)], dim=1)
    source = points @ backward.mT
    side = boxes[:, None, 2:]
    inside = source[..., :2] / source[..., 2:] * side - 0.5  # pixel index within the box
    fade = ((inside + 1).clamp(0, 1) * (side - inside).clamp(0, 1)).prod(-1)
    at = torch.minimum(inside.clamp(min=0), side - 1) + boxes[:, None, :2]
    scale = 2 / torch.tensor([width, height], device=image.device, dtype=image.dtype)
    grid = ((at + 0.5) * scale - 1).view(1, count * size, size, 2)
    # One tall picture instead of N expanded ones: the gradient needs the image's memory once.
    patches = F.grid_sample(image, grid, padding_mode="border", align_corners=False)
    patches = patches.view(-1, count, size, size).transpose(0, 1)
    return patches * fade.view(count, 1, size, size)
