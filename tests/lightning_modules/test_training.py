"""Training: losses by their definitions, as means over pictures, whoever processes them."""

import math

import pytest
import torch
from lightning import Trainer
from torch.nn import functional as F

from datamodules.photos import PhotosDataModule
from datamodules.support.errors import AtelierError
from lightning_modules.losses.directional import directional_loss
from lightning_modules.losses.patch import threshold_rejection
from lightning_modules.losses.total_variation import total_variation, total_variation_norms
from lightning_modules.steps.directions import blend_direction, embed_prompted
from lightning_modules.steps.patches import Patches
from lightning_modules.training import Training, TrainingDeviations
from tests.support.methods import adam
from tests.support.tiny import TinyEncoder, TinyFeatures
from tests.support.training import TinyOnePass, photos

WEIGHTS = {"global": 1.0, "patch": 10.0, "content": 1.0, "tv": 1e-4}
STYLES = ["fire", "0.7*ice + 0.3*wool", "gold"]


def training(generator=None, **settings):
    torch.manual_seed(0)
    defaults = {
        "weights": WEIGHTS,
        "patches": Patches(count=3),
        "tau": 0.1,
        "optimizer": adam(1e-2),
    }
    return Training(
        generator or TinyOnePass(), TinyEncoder(), TinyFeatures(), **(defaults | settings)
    )


@pytest.fixture
def data(tmp_path):
    torch.manual_seed(0)
    return PhotosDataModule(
        [str(photos(tmp_path / "photos"))], STYLES, crop=32, batch_size=4, workers=0
    )


@pytest.fixture
def batch(data):
    return next(iter(data.train_dataloader()))


def one(batch, number):
    return batch._each(lambda tensor: tensor[number : number + 1]), batch.styles[number]


def test_losses_are_the_means_of_each_pictures_own(batch):
    module = training()
    painted = module.painted(batch)
    losses, encoder = module.losses(painted), module.encoder
    source_text = embed_prompted(encoder, "a Photo")
    expected = dict.fromkeys(WEIGHTS, 0.0)
    patches = encoder.embed_images(module.cut(painted)).split(3)
    for number, blend in enumerate(batch.styles):
        photo, output = batch.contents[number][None], painted.output[number][None]
        source = encoder.embed_images(encoder.view(photo))[0]
        direction = blend_direction(lambda text: embed_prompted(encoder, text), blend, source_text)
        whole = encoder.embed_images(encoder.view(output))
        rejected = threshold_rejection(directional_loss(patches[number], source, direction), 0.1)
        maps = zip(module.content_features(output), module.content_features(photo), strict=True)
        expected["global"] += directional_loss(whole, source, direction).item() / 4
        expected["patch"] += rejected.mean().item() / 4
        expected["content"] += sum(F.mse_loss(a, b).item() for a, b in maps) / 4
        expected["tv"] += total_variation(output).item() / 4
    assert {name: loss.item() for name, loss in losses.items()} == pytest.approx(expected, rel=1e-5)


def test_patches_of_a_picture_do_not_depend_on_the_rest_of_the_batch(batch):
    module = training(brush=0.5)
    patches = module.cut(module.painted(batch))
    alone = module.cut(module.painted(batch.first(1)))
    assert torch.allclose(patches[:3], alone, atol=1e-6)
    sides = [patch for patch in patches if (patch - patches[0]).abs().mean() > 0.01]
    assert len(sides) == len(patches) - 1


def test_the_reference_shares_perspectives_and_takes_the_norms_of_the_whole_batch(batch):
    deviations = TrainingDeviations(shared_perspective=True)
    module, shared = training(), training(mode="reference")
    painted = module.painted(batch)
    outside = [(m.cut(painted) == 0).all(1).view(4, 3, 16, 16) for m in (module, shared)]
    assert not all(torch.equal(mask, outside[0][0]) for mask in outside[0])
    assert all(torch.equal(mask, outside[1][0]) for mask in outside[1])
    assert torch.equal(training(deviations=deviations).cut(painted), shared.cut(painted))
    variation = shared.losses(painted)["tv"].item()
    assert variation == pytest.approx(total_variation_norms(painted.output).item(), rel=1e-6)


def test_only_named_losses_are_computed_and_unknown_names_are_refused(batch):
    module = training(weights={"content": 1.0})
    assert module.losses(module.painted(batch)).keys() == {"content"}
    wrong = training(weights={"contents": 1.0})
    with pytest.raises(AtelierError, match=r"no loss 'contents'.*did you mean content"):
        wrong.losses(wrong.painted(batch))


def test_a_networks_own_losses_count_by_their_weights(batch):
    class WithPrior(TinyOnePass):
        def own_losses(self, styles, blends):
            assert len(styles) == len(blends) == 4
            return {"prior": styles.square().mean(), "unused": styles.sum() * math.nan}

    module = training(WithPrior(), weights={"global": 1.0, "prior": 2.0})
    painted = module.painted(batch)
    assert module.losses(painted)["prior"] == painted.styles.square().mean()


def test_a_picture_is_compared_with_all_styles_of_the_training(data, batch):
    module = training(weights={"contrastive": 1.0}, temperature=0.5)
    module.blends = data.blends
    painted = module.painted(batch)
    cosines = F.normalize(painted.moved - painted.source, dim=1) @ module.directions(data.blends).T
    own = torch.tensor([data.blends.index(blend) for blend in batch.styles])
    expected = F.cross_entropy(cosines / 0.5, own)
    torch.testing.assert_close(module.losses(painted)["contrastive"], expected)
    with pytest.raises(AtelierError, match="temperature is 0;"):
        training(temperature=0)


def test_only_the_network_is_trained(batch):
    module = training()
    sum(module.losses(module.painted(batch)).values()).backward()
    trained = {id(weight) for weight in module.generator.network.parameters()}
    for weight in module.parameters():
        assert weight.requires_grad == (weight.grad is not None) == (id(weight) in trained)


def fit(data, module, folder, steps, **settings):
    trainer = Trainer(
        max_steps=steps,
        max_epochs=-1,
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        use_distributed_sampler=False,
        default_root_dir=folder,
        **settings,
    )
    trainer.fit(module, datamodule=data)
    return module.generator.network.state_dict()


def gradients(data, folder, **settings):
    """Gradient of the first step, as the change by a step of length 1."""
    end = fit(data, training(optimizer=lambda w: torch.optim.SGD(w, lr=1.0)), folder, 1, **settings)
    return torch.cat(
        [
            (end[name] - start).flatten()
            for name, start in TinyOnePass().network.state_dict().items()
        ]
    )


def test_accumulated_batches_have_the_gradient_of_the_whole(data, tmp_path):
    whole = gradients(data, tmp_path)
    parts = gradients(data, tmp_path, accumulate_grad_batches=2)
    assert (whole - parts).abs().max() < 1e-6 * whole.abs().max()


def test_half_precision_has_nearly_the_same_gradient(data, tmp_path):
    full, half = (gradients(data, tmp_path, precision=kind) for kind in (32, "bf16-mixed"))
    assert 0 < (full - half).norm() < 0.05 * full.norm()
