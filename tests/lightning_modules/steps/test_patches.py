"""Patches: cut at once they equal crop, perspective, resize; places come from the mask alone."""

import numpy as np
import pytest
import torch
from torchvision.transforms import InterpolationMode
from torchvision.transforms import functional as tv

from datamodules.support.errors import AtelierError
from lightning_modules.steps.patches import (
    Patches,
    Places,
    check_brush,
    covered_boxes,
    cut,
    divide,
    draw,
    every_box,
    homography,
    mean_within,
    random_corners,
    shares,
    sizes,
)

IDENTITY = torch.tensor([[[0.0, 0], [1, 0], [1, 1], [0, 1]]])


@pytest.fixture
def image():
    torch.manual_seed(0)
    return torch.rand(1, 3, 90, 120, dtype=torch.float64)


def projected(matrix, x, y):
    u, v, w = np.asarray(matrix) @ [x, y, 1]
    return u / w, v / w


def solved_homography(quad):
    """Unit square to quad by eight linear equations in numpy: not the closed form under test."""
    rows, right = [], []
    for (x, y), (u, v) in zip([(0, 0), (1, 0), (1, 1), (0, 1)], quad, strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        right += [u, v]
    return np.append(np.linalg.solve(rows, right), 1).reshape(3, 3)


def by_torchvision(image, box, corners, size):
    """Crop, perspective on the same corner points, resize."""
    left, top, side = (int(value) for value in box)
    tile = image[..., top : top + side, left : left + side]
    forward = solved_homography(corners.tolist())
    starts = [[0, 0], [side - 1, 0], [side - 1, side - 1], [0, side - 1]]
    ends = [[side * c for c in projected(forward, x / side, y / side)] for x, y in starts]
    warped = tv.perspective(tile, starts, ends, InterpolationMode.BILINEAR, fill=None)
    return tv.resize(warped, [size, size], antialias=True)[0] if size != side else warped[0]


def test_homography_sends_the_square_to_the_corners():
    corners = random_corners(5, 1.0).double()
    for matrix, quad in zip(homography(corners), corners, strict=True):
        for (x, y), expected in zip([(0, 0), (1, 0), (1, 1), (0, 1)], quad, strict=True):
            assert projected(matrix, x, y) == pytest.approx(expected.tolist(), abs=1e-9)


def test_cut_equals_torchvision(image):
    boxes = torch.tensor([[5, 7, 40], [80, 50, 40], [0, 0, 40]]).double()
    corners = random_corners(3, 0.5).double()
    ours = cut(image, boxes, corners, 40, 40)
    for patch, box, quad in zip(ours, boxes, corners, strict=True):
        # torchvision solves for its coefficients in float32.
        torch.testing.assert_close(patch, by_torchvision(image, box, quad, 40), atol=1e-4, rtol=0)


@pytest.mark.parametrize("size", [96, 24])
def test_cut_resizes_as_torchvision_does(image, size):
    box, corners = torch.tensor([[20, 10, 64]]).double(), random_corners(1, 0.5).double()
    ours = cut(image, box, corners, 64, size)[0]
    theirs = by_torchvision(image, box[0], corners[0], size)
    torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=0)


def test_an_unwarped_cut_is_the_crop(image):
    patch = cut(image, torch.tensor([[30.0, 20, 32]]).double(), IDENTITY.double(), 32, 32)
    torch.testing.assert_close(patch[0], image[0, :, 20:52, 30:62])


def test_gradient_reaches_only_the_box(image):
    image.requires_grad_()
    cut(image, torch.tensor([[30, 20, 32]]).double(), IDENTITY.double(), 32, 16).sum().backward()
    touched = image.grad.abs().sum((0, 1)) > 1e-9  # rounding
    assert touched[20:52, 30:62].any()
    touched[20:52, 30:62] = False
    assert not touched.any()


def test_permuting_boxes_permutes_patches(image):
    boxes = torch.tensor([[0, 0, 30], [10, 20, 30], [60, 40, 30]]).double()
    corners, order = random_corners(3, 0.5).double(), torch.tensor([2, 0, 1])
    torch.testing.assert_close(
        cut(image, boxes, corners, 30, 24)[order], cut(image, boxes[order], corners[order], 30, 24)
    )


def test_corners_move_inwards_by_at_most_half_the_distortion():
    moved = (random_corners(500, 0.5) - IDENTITY).abs()
    assert moved.max() <= 0.25
    assert moved.max() > 0.2
    torch.testing.assert_close(random_corners(4, 0.0), IDENTITY.expand(4, 4, 2))


def test_every_box_lies_inside_and_none_is_missing():
    boxes = every_box(11, 17, 5).int().tolist()
    assert sorted(boxes) == [[x, y, 5] for x in range(13) for y in range(7)]


@pytest.mark.parametrize(("strip", "rows"), [(1.0, 5), (0.4, 2), (0.01, 1)])
def test_mean_within_a_box_or_the_strip_at_its_bottom(strip, rows):
    torch.manual_seed(0)
    values, boxes = torch.rand(11, 17), every_box(11, 17, 5)
    slow = [
        values[top + 5 - rows : top + 5, left : left + 5].mean()
        for left, top, _ in boxes.int().tolist()
    ]
    torch.testing.assert_close(mean_within(values, boxes, strip).float(), torch.stack(slow))


def test_covered_boxes_are_exactly_the_covered_places():
    mask = torch.zeros(20, 30)
    mask[5:15, 10:20] = 1
    assert covered_boxes(mask, 10, 1.0).tolist() == [[10, 5, 10]]
    covering = covered_boxes(mask, 10, 0.8)
    for left, top, size in covering.int().tolist():
        assert mask[top : top + size, left : left + size].mean() >= 0.8 - 1e-6
    assert len(covering) == sum(
        float(mask[i : i + 10, j : j + 10].mean()) >= 0.8 - 1e-6
        for i in range(11)
        for j in range(21)
    )


def test_patches_shrink_until_they_fit_a_small_object(caplog):
    mask = torch.zeros(100, 100)
    mask[40:60, 40:60] = 1
    boxes = covered_boxes(mask, 64, 0.8)
    assert 8 <= boxes[0, 2] <= 22
    assert "instead of 64" in caplog.text
    with pytest.raises(AtelierError, match="too small or thin"):
        covered_boxes(torch.zeros(100, 100), 64, 0.8)


def drawn_sides(places):
    assert all((boxes[:, 2] == side).all() for side, boxes in places)
    return [(side, len(boxes)) for side, boxes in places]


def test_draw_reaches_every_box_and_shares_out_the_sizes():
    torch.manual_seed(0)
    boxes = torch.tensor([[0.0, 0, 8], [1, 0, 8], [2, 0, 8]])
    ((side, drawn),) = Places((boxes,), 100).draw()
    assert side == 8 and drawn[:, 0].unique().tolist() == [0, 1, 2]
    places = Places(tuple(every_box(30, 30, size) for size in (8, 16, 24)), 8)
    assert drawn_sides(places.draw()) == [(8, 3), (16, 3), (24, 2)]
    assert drawn_sides(Places(places.by_size, 2).draw()) == [(8, 1), (16, 1)]


def test_parts_are_drawn_in_order_and_empty_ones_left_out():
    small, large = every_box(30, 30, 8), every_box(30, 30, 16)
    parts = [Places((large,), 2), Places((), 0), Places((small,), 3)]
    assert drawn_sides(draw(parts)) == [(16, 2), (8, 3)]


def test_divide_keeps_every_box_once():
    boxes = [every_box(9, 9, 8), every_box(9, 9, 9)]
    choice = [boxes[0][:, 0] == 1, torch.tensor([False])]
    here, there = divide(boxes, choice)
    assert [len(part) for part in here] == [2]
    assert [len(part) for part in there] == [2, 1]
    assert here[0][:, 0].unique().tolist() == [1]


@pytest.mark.parametrize(
    ("total", "weights", "expected"),
    [
        (8, [1, 1, 1], [3, 3, 2]),
        (5, [0, 3], [0, 5]),
        (12, [0.25, 0.75], [3, 9]),
        (1, [1, 3], [0, 1]),
    ],
)
def test_shares_sum_to_the_total(total, weights, expected):
    assert sum(shares(total, weights)) == total
    assert shares(total, weights) == expected


def test_sizes_are_relative_to_the_shorter_side():
    assert sizes(0.25, 512, 512) == [128]
    assert sizes([0.25, 0.5, 1.0], 256, 900) == [64, 128, 256]
    assert sizes(0.001, 64, 64) == [8]


def test_sizes_above_one_are_pixels():
    assert sizes(64, 512, 700) == [64]
    assert sizes([64, 0.25], 512, 700) == [64, 128]
    assert sizes(128, 100, 200) == [100]  # no larger than the picture


@pytest.mark.parametrize("brush", [0, -0.5, 1.5, 7, [], [0.25, 3]])
def test_a_brush_that_is_neither_a_share_nor_a_side_is_refused(brush):
    with pytest.raises(AtelierError, match=r"in \(0, 1\], such as 0.25, or in pixels, 8 or more"):
        check_brush(brush)


@pytest.mark.parametrize(
    "settings",
    [{"count": 0}, {"distortion": 1.5}, {"distortion": -0.1}, {"through": -1}],
)
def test_patches_that_cannot_be_cut_are_refused(settings):
    with pytest.raises(AtelierError, match="at least one patch, a distortion"):
        Patches(**settings)


def test_patches_of_several_pictures_are_those_of_each():
    torch.manual_seed(0)
    images = torch.rand(3, 3, 40, 50)
    boxes = torch.tensor([[0, 0, 20], [30, 20, 20], [7, 5, 20]] * 2).float()
    corners = random_corners(6, 0.5)
    together = cut(images, boxes, corners, 20, 16)
    for number, image in enumerate(images.split(1)):
        rows = slice(2 * number, 2 * number + 2)
        alone = cut(image, boxes[rows], corners[rows], 20, 16)
        assert torch.allclose(together[rows], alone, atol=1e-6)
