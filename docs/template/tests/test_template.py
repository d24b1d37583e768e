"""The parts by themselves, without any network."""

import pytest
import torch
from atelier_template.arrow import Arrow
from atelier_template.contours import Contours
from atelier_template.disc import Disc
from atelier_template.edges import contours

from datamodules.support.errors import AtelierError
from evaluation.metrics.base import Pictures


def test_contours_lie_where_the_picture_changes():
    picture = torch.zeros(1, 3, 8, 8)
    picture[..., 4:] = 1
    strength = contours(picture)[0, 0]
    assert (strength[:, 3] > 0.9).all()
    assert (strength[:, [0, 1, 2, 4, 5, 6]] < 0.01).all()


def test_an_unchanged_picture_has_lost_no_contours():
    picture = torch.rand(2, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    pictures = Pictures(picture, picture, torch.ones(2, 8, 8))
    assert Contours().score(pictures)["contour_loss"].tolist() == [0, 0]


def test_the_disc_lies_in_the_middle():
    mask = Disc(radius=0.5).segment(torch.zeros(3, 20, 40), "cat")
    assert mask[10, 20] == 1
    assert mask[0, 0] == mask[10, 0] == 0
    with pytest.raises(AtelierError, match="radius is 2"):
        Disc(radius=2)


def test_arrows_are_read():
    targets = Arrow().parse("cat -> fire; sky -> Starry Night")
    assert [(target.object, target.style) for target in targets] == [
        ("cat", "fire"),
        ("sky", "Starry Night"),
    ]
    with pytest.raises(AtelierError, match="write it like that"):
        Arrow().parse("Turn the cat to fire")
