"""Connected pieces of masks."""

import numpy as np
import pytest
from PIL import Image

from datamodules.support.errors import AtelierError
from experiments.studio.pieces import keep_pieces, pieces_of


@pytest.fixture
def mask():
    """A large square, a small one with a soft edge, and a crumb near the small one."""
    values = np.zeros((100, 200), np.uint8)
    values[10:50, 20:60] = 255
    values[60:82, 138:162] = 60
    values[61:81, 140:160] = 200
    values[90, 150] = 255
    return Image.fromarray(values)


def test_pieces_are_the_largest_first_without_crumbs(mask):
    large, small = pieces_of(mask)
    assert (large.share, small.share) == (0.08, 0.02)
    assert (large.x, large.y) == pytest.approx((0.2, 0.3))
    assert (small.x, small.y) == pytest.approx((0.75, 0.71))
    assert pieces_of(Image.new("L", (20, 10))) == ()


def test_a_piece_keeps_its_soft_edge_and_its_crumbs(mask, tmp_path):
    file = tmp_path / "mask-1.png"
    mask.save(file)
    whole = np.asarray(mask)
    large, small = (np.asarray(Image.open(keep_pieces(file, [k]))) for k in (0, 1))
    assert (large[:, :100] == whole[:, :100]).all() and not large[:, 100:].any()
    assert (small[:, 100:] == whole[:, 100:]).all() and not small[:, :100].any()
    both = keep_pieces(file, (1, 0, 1))
    assert (np.asarray(Image.open(both)) == whole).all() and both.name == "mask-1-0-1.png"
    assert Image.open(both).mode == "L"


@pytest.mark.parametrize("indices", [(), (2,), (-1,)])
def test_a_mask_of_no_piece_is_refused(mask, tmp_path, indices):
    mask.save(tmp_path / "mask-1.png")
    with pytest.raises(AtelierError, match="choose at least one"):
        keep_pieces(tmp_path / "mask-1.png", indices)


def test_an_empty_mask_has_no_piece_to_choose(tmp_path):
    Image.new("L", (20, 10)).save(tmp_path / "a.png")
    with pytest.raises(AtelierError, match="choose at least one"):
        keep_pieces(tmp_path / "a.png", [0])
