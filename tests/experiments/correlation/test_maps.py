"""Maps from texts to pictures in made-up worlds whose correlation is certain."""

import pytest
import torch
from torch.nn import functional as F

from experiments.correlation import maps, tables
from experiments.correlation.embeddings import Pictures, Texts
from experiments.correlation.pictures import WEIGHTS

STYLES, PHOTOS, DIMENSIONS = 30, 3, 5


@pytest.fixture(autouse=True)
def one_division(monkeypatch):
    monkeypatch.setattr(maps, "SEEDS", (0,))
    monkeypatch.setattr(maps, "INNER", 2)


def world(relation, noise=0.0):
    """Pairs of two wordings per style, whose pictures are a relation of the texts plus the photo's
    own part and noise."""
    random = torch.Generator().manual_seed(0)

    def draw(*shape):
        return torch.randn(*shape, generator=random, dtype=torch.double)

    texts = F.normalize(draw(STYLES, DIMENSIONS), dim=-1).repeat_interleave(2, dim=0)
    matrix = torch.linalg.qr(draw(DIMENSIONS, DIMENSIONS)).Q
    pictures = relation(texts[::2], matrix)[:, None] + draw(PHOTOS, DIMENSIONS)
    pictures = pictures + noise * draw(STYLES, PHOTOS, DIMENSIONS)
    return maps.Pairs(texts, torch.arange(STYLES).repeat_interleave(2), pictures)


def linear(texts, matrix):
    return texts @ matrix.T


def bent(texts, matrix):
    return torch.cos(3 * texts @ matrix.T)


def test_folds_share_neither_styles_nor_photos_where_both_are_left_out():
    pairs = world(linear)
    numbers = torch.arange(STYLES * PHOTOS, dtype=torch.double).view(STYLES, PHOTOS, 1)
    pairs = maps.Pairs(pairs.texts, pairs.owners, numbers)
    for train, test, styles in maps.folds(pairs, "both"):
        (left,) = set((test.pictures.long() % PHOTOS).flatten().tolist())
        assert left not in (train.pictures.long() % PHOTOS).flatten().tolist()
        assert (test.pictures.long()[:, 0, 0] // PHOTOS).tolist() == styles
        assert not {*styles} & {*(train.pictures.long() // PHOTOS).flatten().tolist()}
        torch.testing.assert_close(test.first, pairs.first[styles])
        assert len(train.texts) == 2 * len(train.pictures) == 2 * (STYLES - len(styles))


def test_every_style_and_every_photo_is_left_out_once():
    pairs = world(linear)
    by_style = [styles for _, _, styles in maps.folds(pairs, "styles")]
    assert sorted(k for styles in by_style for k in styles) == [*range(STYLES)]
    assert [train.pictures.shape[1] for train, *_ in maps.folds(pairs, "photos")] == [2] * PHOTOS


def test_a_linear_world_is_explained_as_far_as_styles_explain_it():
    pairs = world(linear)
    shares = maps.explained_shares(pairs)
    between_styles, between_photos = maps.common_shares(pairs)
    assert between_styles + between_photos == pytest.approx(1)
    assert shares["styles", "linear"] == pytest.approx(between_styles, abs=0.03)
    scores = {
        name: maps.mean_scores(each) for name, each in maps.new_style_retrieval(pairs).items()
    }
    assert scores["plain cosine"]["AUC"] < 0.75 < 0.99 < scores["linear"]["AUC"]
    assert scores["linear, backward"]["at 1"] > 0.95
    assert scores["linear"]["chance at 1"] == pytest.approx(0.2)


def test_a_bent_world_needs_the_kernel():
    shares = maps.explained_shares(world(bent))
    assert shares["styles", "gaussian"] > shares["styles", "linear"] + 0.05


def test_a_world_without_relation_is_not_explained():
    pairs = world(lambda texts, matrix: 0 * texts, noise=1.0)
    assert maps.explained_shares(pairs)["styles", "linear"] < 0.05
    for folds in maps.new_style_retrieval(pairs).values():
        assert maps.mean_scores(folds)["AUC"] == pytest.approx(0.5, abs=0.1)


def test_shares_below_are_those_within_a_picture():
    similar = torch.tensor([[0.9, 0.1, 0.2], [0.3, 0.2, 0.1], [0.1, 0.5, 0.4]])
    result = maps.Retrieval(similar, torch.tensor([0, 1, 0]), torch.tensor([4, 2, 4]))
    shares = maps.shares_below([result], 5)
    assert shares[[2, 4]].tolist() == [0.5, 0.5]  # ranks 2 of 3; 1 and 3 of 3


def test_a_move_in_proportion_to_the_strength_is_monotone_and_a_line():
    direction = F.normalize(torch.tensor([[1.0, 2.0], [3.0, -1.0]]), dim=-1).double()
    weights = torch.tensor(WEIGHTS).double()
    series = 5 + weights[:, None, None, None] * direction[:, None]  # (W, 2 styles, 1 photo, 2)
    none = torch.zeros(0)
    pictures = Pictures(none, none, none, none, {"blend": series, "code": series.sqrt()})
    rows = tables.strength(pictures, Texts({"templates": direction}, none, none))
    assert [row["by"] for row in rows] == ["blend", "blend", "code", "code"]
    for row in rows[:2]:
        assert row["Spearman"] == row["rising"] == pytest.approx(1)
        assert row["R2 of a line"] == pytest.approx(1)
        assert row["at 0.4"] == pytest.approx(0.4)
    assert rows[2]["R2 of a line"] < 1
