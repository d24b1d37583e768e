"""Losses against slow transcriptions of the papers' formulas, and what must hold of them."""

import numpy as np
import pytest
import torch

from datamodules.support.errors import AtelierError
from lightning_modules.losses.content import content_loss
from lightning_modules.losses.contrastive import contrastive_loss
from lightning_modules.losses.directional import directional_loss
from lightning_modules.losses.gram import gram, gram_loss
from lightning_modules.losses.patch import patch_loss, threshold_rejection
from lightning_modules.losses.total_variation import total_variation, total_variation_norms
from lightning_modules.stylization import weighted_sum


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)


def test_content_is_the_sum_over_layers_of_mean_squared_differences():
    output = [torch.rand(1, 4, 6, 5).double(), torch.rand(1, 8, 3, 2).double()]
    content = [torch.rand_like(layer) for layer in output]
    expected = 0.0
    for a, b in zip(output, content, strict=True):
        differences = [(x - y) ** 2 for x, y in zip(a.flatten(), b.flatten(), strict=True)]
        expected += sum(differences) / len(differences)
    assert content_loss(output, content).item() == pytest.approx(float(expected))
    assert content_loss(output, output).item() == 0


def test_content_refuses_layers_that_do_not_pair():
    with pytest.raises(ValueError, match="argument"):
        content_loss([torch.zeros(1)], [])


def test_directional_is_one_minus_the_cosine_of_the_two_directions():
    output, content = torch.randn(3, 7).double(), torch.randn(7).double()
    direction = torch.randn(7).double()
    ours = directional_loss(output, content, direction)
    for loss, embedding in zip(ours, output, strict=True):
        moved = (embedding - content).numpy()
        cosine = moved @ direction.numpy() / np.linalg.norm(moved) / np.linalg.norm(direction)
        assert loss.item() == pytest.approx(1 - cosine)


def test_directional_ignores_how_far_the_picture_moved():
    output, content, direction = torch.randn(2, 7), torch.randn(7), torch.randn(7)
    further = content + 3 * (output - content)
    torch.testing.assert_close(
        directional_loss(output, content, direction), directional_loss(further, content, direction)
    )
    aligned = directional_loss(content + direction[None], content, direction)
    assert aligned.item() == pytest.approx(0, abs=1e-6)


def test_the_gradient_is_finite_and_small_where_nothing_has_moved_yet():
    content = torch.nn.functional.normalize(torch.randn(7), dim=0)
    output = content.clone().requires_grad_()
    loss = directional_loss(output[None], content, torch.randn(7))
    loss.sum().backward()
    assert loss.item() == 1
    assert 0 < output.grad.norm() <= 101


def test_rejection_keeps_what_is_above_tau_and_drops_tau_itself():
    losses = torch.tensor([0.2, 0.7, 0.70001, 1.5])
    assert threshold_rejection(losses, 0.7).tolist() == pytest.approx([0, 0, 0.70001, 1.5])


def test_patch_is_the_mean_over_all_patches_rejected_ones_included():
    losses = torch.rand(64).double() * 2
    expected = sum(0.0 if loss <= 0.7 else float(loss) for loss in losses) / 64
    assert patch_loss(losses, 0.7).item() == pytest.approx(expected)
    shuffled = losses[torch.randperm(64)]
    assert patch_loss(shuffled, 0.7).item() == pytest.approx(expected)


def test_below_tau_keeps_tau_itself():
    losses = torch.tensor([0.5, 0.75, 1.5]).double()
    assert threshold_rejection(losses, 0.75).tolist() == [0, 0, 1.5]
    assert threshold_rejection(losses, 0.75, reject_below=True).tolist() == [0, 0.75, 1.5]


def test_patches_may_have_thresholds_and_weights_of_their_own():
    losses, tau = torch.rand(20).double() * 2, torch.rand(20).double()
    alpha = torch.rand(20).double()
    expected = 0.0
    for loss, t, a in zip(losses, tau, alpha, strict=True):
        expected += float(a) * (0.0 if loss <= t else float(loss))
    assert patch_loss(losses, tau, alpha).item() == pytest.approx(expected / 20)


def test_rejected_patches_send_no_gradient():
    losses = torch.tensor([0.5, 0.9], requires_grad=True)
    patch_loss(losses, 0.7).backward()
    assert losses.grad.tolist() == [0, 0.5]


def test_total_variation_sums_squared_neighbour_differences():
    image = torch.rand(1, 2, 4, 5).double()
    expected = 0.0
    for c in range(2):
        for i in range(4):
            for j in range(5):
                if i + 1 < 4:
                    expected += float(image[0, c, i + 1, j] - image[0, c, i, j]) ** 2
                if j + 1 < 5:
                    expected += float(image[0, c, i, j + 1] - image[0, c, i, j]) ** 2
    assert total_variation(image).item() == pytest.approx(expected)
    assert total_variation(torch.full((1, 3, 4, 4), 0.3)).item() == 0


def test_total_variation_of_the_published_codes_is_four_norms():
    image = torch.rand(1, 2, 4, 5).double()
    expected = 0.0
    for di, dj in ((0, 1), (1, 0), (1, 1), (1, -1)):
        squares = 0.0
        for c in range(2):
            for i in range(4):
                for j in range(5):
                    if i + di < 4 and 0 <= j + dj < 5:
                        squares += float(image[0, c, i + di, j + dj] - image[0, c, i, j]) ** 2
        expected += squares**0.5
    assert total_variation_norms(image).item() == pytest.approx(expected)


def test_gram_is_the_mean_product_of_channels():
    maps = torch.rand(1, 3, 4, 5).double()
    for c in range(3):
        for d in range(3):
            total = sum(
                float(maps[0, c, i, j] * maps[0, d, i, j]) for i in range(4) for j in range(5)
            )
            assert gram(maps)[c, d].item() == pytest.approx(total / (3 * 4 * 5))
    torch.testing.assert_close(gram(maps, torch.ones(1, 1, 8, 10).double()), gram(maps))


def test_gram_under_a_mask_sees_its_region_alone():
    maps, mask = torch.rand(1, 3, 4, 6).double(), torch.zeros(1, 1, 8, 12).double()
    mask[..., :6] = 1
    torch.testing.assert_close(gram(maps, mask), gram(maps[..., :3]))


def test_gram_loss_is_the_squared_frobenius_norm_over_layers():
    a = [torch.rand(3, 3).double(), torch.rand(2, 2).double()]
    b = [torch.rand_like(layer) for layer in a]
    expected = sum(np.linalg.norm((x - y).numpy()) ** 2 for x, y in zip(a, b, strict=True))
    assert gram_loss(a, b).item() == pytest.approx(expected)
    assert gram_loss(a, a).item() == 0


def test_weighted_sum_wants_exactly_one_weight_a_loss():
    losses = {"patch": torch.tensor(2.0), "tv": torch.tensor(3.0)}
    assert weighted_sum(losses, {"patch": 10, "tv": 0.5}).item() == 21.5
    for wrong in ({"patch": 1.0}, {"patch": 1.0, "tv": 1.0, "gram": 1.0}):
        with pytest.raises(AtelierError, match=r"model\.weights"):
            weighted_sum(losses, wrong)


def test_contrastive_is_the_cross_entropy_of_the_own_text_by_cosines():
    output, content = torch.randn(3, 7).double(), torch.randn(3, 7).double()
    directions, own = torch.randn(5, 7).double(), [4, 0, 4]
    norm, expected = np.linalg.norm, []
    for moved, text in zip((output - content).numpy(), own, strict=True):
        cosines = [d @ moved / norm(d) / norm(moved) for d in directions.numpy()]
        shares = np.exp(np.array(cosines) / 0.2)
        expected.append(-np.log(shares[text] / shares.sum()))
    ours = contrastive_loss(output, content, directions, torch.tensor(own), temperature=0.2)
    assert ours.item() == pytest.approx(np.mean(expected))


def test_contrastive_knows_no_text_for_a_picture_that_has_not_moved():
    embedding = torch.randn(2, 7).requires_grad_()
    loss = contrastive_loss(embedding, embedding.detach(), torch.randn(5, 7), torch.tensor([1, 2]))
    assert loss.item() == pytest.approx(np.log(5))
    loss.backward()
    assert embedding.grad.isfinite().all()
