"""Rules of single methods in reference mode, against the published codes."""

import numpy as np
import pytest
import torch

from datamodules.images import enhance, to_array
from experiments.run.configuration import compose
from experiments.run.registry import method_class
from lightning_modules.clipstyler import CLIPstyler
from lightning_modules.generative_artisan import GenerativeArtisan, PortraitPlaces
from lightning_modules.sem_cs import SemCS
from lightning_modules.soulstyler import Likeness, Soulstyler
from lightning_modules.steps.blending import Blending
from lightning_modules.steps.patches import Patches, Places, mean_within
from lightning_modules.stylization import Features
from tests.golden.parity.published import facts, golden
from tests.support.methods import batch_of, build, build_tiny
from tests.support.tiny import TinyEncoder, TinyFeatures


def boxes_of(corners, side):
    return torch.cat([corners, torch.full((len(corners), 1), side)], dim=1)


# CLIPstyler, and what the others share


@pytest.mark.parity("Steps and learning rate")
@pytest.mark.parametrize("name", ["clipstyler", "soulstyler", "sem_cs"])
def test_steps_and_halvings_are_the_published_ones(name):
    module = build_tiny(method_class(name), mode="reference")
    recorded = facts("learning_rates")[name]
    steps = compose(name, "reference")["trainer"]["max_steps"]
    total = steps + bool(module.deviations.extra_step)
    assert total == recorded["steps"]
    parts = module._optimizer([torch.nn.Parameter(torch.zeros(1))], total)
    optimizer, schedule = parts["optimizer"], parts["lr_scheduler"]["scheduler"]
    rates = []
    for _ in range(total):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    lower = [step for step in range(1, total) if rates[step] < rates[step - 1]]
    assert lower == recorded["halves_at"]


@pytest.mark.parity("Contrast of the figures")
@pytest.mark.parametrize("method", [CLIPstyler, SemCS, Soulstyler])
def test_the_enhanced_picture_is_the_published_one(method, agree):
    recorded = golden("contrast")
    stretch = bool(build_tiny(method, mode="reference").deviations.stretched_contrast)
    assert stretch == (method is not Soulstyler)
    theirs = recorded["shown" if stretch else "without_stretch"]
    ours = to_array(enhance(recorded["image"], stretch)).transpose(2, 0, 1)
    agree(ours.copy(), theirs, within=0)  # of 255


# Generative Artisan, by the rule of its descendant


@pytest.fixture
def portrait_mask():
    mask = torch.zeros(512, 512)
    mask[150:400, 180:330] = 1
    mask[300:380, 60:90] = 1
    return mask


@pytest.mark.parity("Portrait patches, strip")
def test_a_patch_is_of_the_portrait_by_the_published_rows(portrait_mask, agree):
    recorded = golden("portrait_patches")
    for boxes, kinds in (("boxes", "portrait"), ("edge_boxes", "edge_portrait")):
        ours = mean_within(portrait_mask, boxes_of(recorded[boxes], 128), 0.2) > 0
        agree(ours, recorded[kinds], within=0)


@pytest.mark.parity("Portrait patches, number and weights")
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_limit_drops_the_published_patches_and_weights_meet_the_published_ones(seed, agree):
    recorded = golden("portrait_patches")
    drawn, losses = recorded[f"drawn_{seed}"].bool(), recorded[f"losses_{seed}"]
    allowed = drawn[~drawn | (drawn.cumsum(0) <= int(0.2 * 64))]
    assert len(allowed) == len(losses) == 64
    for mode, name in (("reference", "as_published"), ("paper", "as_meant")):
        method = build_tiny(GenerativeArtisan, mode=mode)
        agree(method.patch_loss(losses, allowed), recorded[f"{name}_{seed}"], within=1e-6)


@pytest.mark.parity("Portrait patches, number and weights")
def test_portrait_patches_are_drawn_as_by_the_published_rule(portrait_mask):
    """A loop that draws and drops, as published, against one draw: equal shares of each kind."""
    boxes = torch.cartesian_prod(torch.arange(0, 385, 16), torch.arange(0, 385, 16))
    boxes = boxes_of(boxes, 128)
    kinds = mean_within(portrait_mask, boxes, 0.2) > 0
    random, counts = torch.Generator().manual_seed(0), {"ours": [], "published": []}
    places = PortraitPlaces([boxes], [kinds], count=64, most=12)
    for _ in range(300):
        ((_, ours),) = places.draw(random)
        assert torch.equal(mean_within(portrait_mask, ours, 0.2) > 0, places.kinds)
        counts["ours"].append(int(places.kinds[:24].sum()))
        published = []
        while len(published) < 64:
            kind = bool(kinds[torch.randint(len(boxes), (), generator=random)])
            if not kind or sum(published) < 12:
                published.append(kind)
        counts["published"].append(sum(published[:24]))
    mean = {name: np.mean(values) for name, values in counts.items()}
    spread = {name: np.std(values) for name, values in counts.items()}
    assert mean["ours"] == pytest.approx(mean["published"], abs=0.5)
    assert spread["ours"] == pytest.approx(spread["published"], abs=0.3)


# Sem-CS


@pytest.fixture
def embedded(content, left):
    """A Sem-CS in reference mode whose embeddings are the recorded ones, and its losses."""

    def losses(double):
        recorded = golden("sem_cs")
        texts = ("fire", "ice") if double else ("fire",)
        masks = [left, 1 - left] if double else [left]
        method = build_tiny(SemCS, mode="reference", tau=0.0)
        batch = batch_of(content, masks, *texts)
        method.prepare(batch)
        text = [recorded[name][0] for name in ("text_object", "text_background")][: len(texts)]
        units = [(one - recorded["text_source"][0]) for one in text]
        method.directions = torch.stack([unit / unit.norm() for unit in units])[[0, -1]]
        method.patch_directions = method.directions[[1] * 8]
        method.sources = method._source(recorded["content"][1:])
        method.source = method._source(recorded["content"][:1])
        wholes, patches = recorded["output"][1:], recorded["patches"]
        features = Features(torch.cat([wholes, patches]), method.content_features(content[None]))
        return method.losses(content[None], features, batch)

    return losses


@pytest.mark.parity("Sem-CS, losses")
@pytest.mark.parametrize("double", [True, False])
def test_sem_cs_has_the_published_losses(embedded, double, agree):
    recorded, kind = golden("sem_cs"), "double" if double else "single"
    losses = embedded(double)
    agree(losses["background"], recorded[f"{kind}_background"][0], within=1e-6)
    agree(losses["foreground"], recorded["double_object"][0] if double else 0.0, within=1e-6)
    agree(losses["patch"], recorded[f"{kind}_patches"].mean(), within=1e-6)


# Soulstyler


@pytest.mark.parity("Soulstyler, look-alike crops")
def test_far_and_near_crops_are_the_published_ones(agree):
    recorded = golden("soulstyler")
    likeness = Likeness()
    agree(likeness.anchors(recorded["distances"]), recorded["far"], within=0)
    agree(likeness.look_alikes(recorded["distances"]), recorded["near"], within=0)


@pytest.mark.parity("Soulstyler, background loss")
def test_the_background_loss_is_the_published_one(agree):
    recorded = golden("soulstyler")
    method = build_tiny(Soulstyler, mode="reference")
    boxes = boxes_of(recorded["boxes"], 64).float()
    total = 0.0
    for box in boxes:  # one place each, so that every draw is this box
        method.anchors, method.random = Places((box[None],), 1), torch.Generator()
        batch = batch_of(recorded["content"], [torch.ones(80, 90)], "fire")
        total += method._background(recorded["output"][None], batch).item()
    agree(total / recorded["background"].item(), 1.0, within=1e-5)


@pytest.mark.parity("Soulstyler, look-alike crops")
def test_target_background_and_extra_crops_are_as_many_as_published():
    settings = compose("soulstyler", "reference")["model"]["init_args"]
    count = settings.get("patches", {}).get("count", Patches().count)
    extra = Likeness().extra(count)
    assert [count, count, extra] == golden("soulstyler")["counts"].tolist()


class Recorder(TinyEncoder):
    """An encoder with CLIP's statistics that keeps what its network gets."""

    def __init__(self):
        super().__init__()
        self.input_mean.fill_(0.45)
        self.input_std.fill_(0.27)

    def embed_images(self, images):
        self.inputs = (images - self.input_mean) / self.input_std
        return super().embed_images(images)


@pytest.mark.parity("Soulstyler, look-alike crops")
@pytest.mark.parametrize("mode", ["paper", "reference"])
def test_background_crops_are_compared_bare_in_reference_mode_only(mode, content, left):
    settings = {"mode": mode, "brush": 32, "blending": Blending()}
    method = build(Soulstyler, Recorder(), TinyFeatures(), **settings)
    batch = batch_of(content, [left], "fire")
    method.prepare(batch)
    method._compare(batch, method.parts[0])
    darkest = method.encoder.inputs.min().item()  # bicubic interpolation overshoots a little
    assert (darkest > -0.5) == (mode == "reference")
    assert (darkest < -1.2) == (mode == "paper")
