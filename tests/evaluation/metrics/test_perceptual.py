"""DISTS and LPIPS: golden values, properties and weights."""

import pickle
from pathlib import Path

import pytest
import torch
import torchmetrics
from torch import nn
from torch.nn import functional as F

from datamodules.models import published
from datamodules.models.schemes import by_name
from datamodules.support.errors import AtelierError
from evaluation.metrics.base import Pictures
from evaluation.metrics.brisque import BRISQUE
from evaluation.metrics.clip_iqa import CLIPIQA
from evaluation.metrics.dists import DISTS, DISTSDistance, L2Pooling
from evaluation.metrics.efficientnet_distance import EfficientNetDistance, Lite0Distance
from evaluation.metrics.lpips import LPIPS, NETS, LPIPSDistance
from evaluation.metrics.nima import LAYOUTS, NIMA, nima
from evaluation.metrics.perceptual import CHUNK, PairDistance, distances, packaged
from evaluation.metrics.piq_distances import PiqDISTS, PiqLPIPS
from tests.support.network_metrics import IMAGENET, MODELS
from tests.support.traps import Trap

pytestmark = pytest.mark.usefixtures("no_network")


@pytest.fixture(scope="module")
def all_distances(backbones):
    instances = {"dists": DISTSDistance(backbones["vgg16"][1]), "lite0": EfficientNetDistance()}
    for model, net in MODELS.items():
        instances[net] = LPIPSDistance(net, backbones[model][1])
    return instances


@pytest.fixture(scope="module")
def metrics(backbones):
    return [
        DISTS(backbones["vgg16"][1]),
        *(LPIPS(net, backbones[model][1]) for model, net in MODELS.items()),
        Lite0Distance(),
    ]


def test_dists_is_torchmetrics(backbones, pair, all_distances, monkeypatch):
    from torchmetrics.functional.image import deep_image_structure_and_texture_similarity
    from torchmetrics.functional.image import dists as theirs

    class Features:
        features = backbones["vgg16"][0]

    monkeypatch.setattr(theirs, "vgg16", lambda weights: Features)
    expected = deep_image_structure_and_texture_similarity(*pair)
    torch.testing.assert_close(all_distances["dists"](*pair), expected, atol=1e-5, rtol=0)
    assert expected.max() > 0.05


def double_layers(network, picture):
    """DISTS's maps (C, h w) of a picture (3, H, W) in double precision, the pooling written out."""
    hann = torch.tensor([1, 2, 1, 2, 4, 2, 1, 2, 1], dtype=torch.float64) / 16
    x = ((picture[None] - IMAGENET[0]) / IMAGENET[1]).double()
    stages = [picture.double().flatten(1)]
    for index, layer in enumerate(network[:30]):
        if isinstance(layer, nn.MaxPool2d):
            windows = F.unfold(F.pad(x.square(), [1] * 4).transpose(0, 1), 3, stride=2)
            size = (1, x.shape[1], -(-x.shape[2] // 2), -(-x.shape[3] // 2))
            x = torch.einsum("ckp,k->cp", windows, hann).reshape(size).sqrt()
        elif isinstance(layer, nn.Conv2d):
            x = F.conv2d(x, layer.weight.double(), layer.bias.double(), padding=1)
        else:
            x = x.clamp(min=0)
        if index in (3, 8, 15, 22, 29):
            stages.append(x[0].flatten(1))
    return stages


def test_dists_is_the_papers_formula(backbones, pair, all_distances):
    folder = Path(torchmetrics.__file__).parent / "functional" / "image" / "dists_models"
    trained = torch.load(folder / "weights.pt", weights_only=True)
    alpha, beta = (trained[name].double().flatten() for name in ("alpha", "beta"))
    for a, b, ours in zip(*pair, all_distances["dists"](*pair), strict=True):
        terms = []
        maps = (double_layers(backbones["vgg16"][0], picture) for picture in (a, b))
        for x, y in zip(*maps, strict=True):
            both = torch.stack([x, y])
            means, spread = both.mean(2), both.var(2, correction=0)
            texture = (2 * means.prod(0) + 1e-6) / (means.square().sum(0) + 1e-6)
            covariance = (x * y).mean(1) - means.prod(0)
            terms.append(torch.stack([texture, (2 * covariance + 1e-6) / (spread.sum(0) + 1e-6)]))
        texture, structure = torch.cat(terms, 1)
        expected = 1 - (alpha @ texture + beta @ structure) / (alpha.sum() + beta.sum())
        assert float(ours) == pytest.approx(float(expected), abs=1e-5)


def test_dists_of_flat_pictures_loses_no_digits(all_distances):
    flat = torch.full((1, 3, 64, 64), 0.7)
    assert all_distances["dists"](flat, flat) <= 1e-6


def test_l2_pooling_of_a_constant_is_the_constant():
    pooled = L2Pooling()(torch.full((1, 4, 8, 10), 3.0))
    assert pooled.shape == (1, 4, 4, 5)
    torch.testing.assert_close(pooled[:, :, 1:, 1:], torch.full((1, 4, 3, 4), 3.0))


@pytest.mark.parametrize("model", MODELS)
def test_lpips_is_torchmetrics(backbones, pair, all_distances, model, monkeypatch):
    from torchmetrics.functional.image import learned_perceptual_image_patch_similarity
    from torchmetrics.functional.image import lpips as theirs

    features = backbones[model][0]
    monkeypatch.setattr(theirs, "_get_tv_model_features", lambda net, pretrained: features)
    for a, b, ours in zip(*pair, all_distances[MODELS[model]](*pair), strict=True):
        expected = learned_perceptual_image_patch_similarity(
            a[None], b[None], MODELS[model], normalize=True
        )
        assert float(ours) == pytest.approx(float(expected), abs=1e-5)
        assert expected > 0.01


def test_the_embedded_distance_is_its_formula(pair, all_distances):
    distance = all_distances["lite0"]
    layers = zip(distance.features(pair[0]), distance.features(pair[1]), strict=True)
    cosines = [F.cosine_similarity(x, y, dim=1).mean((1, 2)) for x, y in layers]
    assert len(cosines) == 5
    expected = (2 - 2 * torch.stack(cosines)).mean(0)  # |a - b|^2 of unit vectors
    torch.testing.assert_close(distance(*pair), expected, atol=1e-5, rtol=0)


@pytest.mark.parametrize("name", ["dists", "lite0", *MODELS.values()])
def test_equal_is_0_symmetric_and_one_by_one(all_distances, pair, name):
    distance = all_distances[name]
    assert distance(pair[0], pair[0]).abs().max() <= 1e-6
    assert distance(pair[1], pair[1]).abs().max() <= 1e-6
    together = distance(*pair)
    torch.testing.assert_close(together, distance(*pair[::-1]), atol=1e-6, rtol=0)
    singles = torch.cat([distance(a[None], b[None]) for a, b in zip(*pair, strict=True)])
    torch.testing.assert_close(together, singles, atol=1e-5, rtol=0)
    assert not any(p.requires_grad for p in distance.parameters())
    assert not distance.train().training


def test_large_batches_are_looked_at_in_chunks(photo):
    class Mean(PairDistance):
        largest = 0

        def forward(self, a, b):
            self.largest = max(self.largest, len(a))
            return (a - b).abs().mean((1, 2, 3))

    a = F.interpolate(photo, (1024, 512)).repeat(5, 1, 1, 1)
    b = a.clone()
    b[[0, 1, 4], 0, 0, 0] += 0.5
    distance = Mean()
    torch.testing.assert_close(distances(distance, a, b), (a - b).abs().mean((1, 2, 3)))
    assert distance.largest == CHUNK // (1024 * 512) == 2
    assert distances(distance, a[:1], a[:1]).tolist() == [0]


def test_background_scores_see_nothing_of_the_mask(metrics, pair):
    content, output = pair
    mask = torch.zeros(3, 96, 80)
    mask[:, 30:60, 20:50] = 0.2  # the feathered edge of a mask counts as mask
    mask[2] = 1
    inside = output.clone()
    inside[:, :, 22:68, 12:58] = torch.rand(3, 3, 46, 46)  # the mask and a band of 8 px
    for metric in metrics:
        whole, background = metric.scores
        first = metric(Pictures(content=content, output=output, mask=mask))
        second = metric(Pictures(content=content, output=inside, mask=mask))
        name = metric.column(background)
        assert name.startswith("background_")
        assert torch.equal(first[name][:2], second[name][:2])
        assert first[name][:2].min() > 0
        assert first[name][2].isnan()
        assert (first[metric.column(whole)] != second[metric.column(whole)]).all()
        for score, values in first.items():
            meaning = metric.scores[score.split(".")[0]]
            defined = values[~values.isnan()]
            assert meaning.low <= defined.min()
            assert defined.max() <= meaning.high
        assert metric.compute()[name].shape == (6,)
        metric.reset()


def test_a_composited_picture_has_no_background_distance(metrics, pair):
    mask = torch.zeros(3, 96, 80)
    mask[:, 30:60, 20:50] = 1
    output = torch.where(mask[:, None] > 0, pair[1], pair[0])
    for metric in metrics:
        values = metric(Pictures(content=pair[0], output=output, mask=mask))
        assert values[metric.column(list(metric.scores)[1])].tolist() == [0, 0, 0]
        metric.reset()


def test_networks_are_made_once_and_named(metrics, backbones):
    assert [metric.column(next(iter(metric.scores))) for metric in metrics] == [
        "dists.vgg16",  # a file, of which nobody knows whether it is the published one
        "lpips.vgg-vgg16",
        "lpips.alex-alexnet",
        "lpips.squeeze-squeezenet1_1",
        "lite0_distance",
    ]
    assert [metric.distance.identity for metric in metrics] == [
        "dists-vgg16",
        "lpips-vgg-vgg16",
        "lpips-alex-alexnet",
        "lpips-squeeze-squeezenet1_1",
        "lite0",
    ]
    assert all(metric.higher_is_better is False for metric in metrics)


def test_ratings_of_known_distributions():
    certain, even = torch.eye(10)[[0, 9]], torch.full((1, 10), 0.1)
    mean, spread = nima(torch.cat([certain, even, (certain[:1] + certain[1:]) / 2]))
    torch.testing.assert_close(mean, torch.tensor([1, 10, 5.5, 5.5]))
    torch.testing.assert_close(spread, torch.tensor([0, 0, 8.25**0.5, 4.5]))


def constructors():
    yield from (DISTS, NIMA, PiqDISTS, PiqLPIPS, BRISQUE, CLIPIQA)
    yield from (lambda weights, net=net: LPIPS(net, weights) for net in NETS)


@pytest.mark.parametrize("damage", ["truncated", "another model", "not a dict", "code", "text"])
def test_a_wrong_checkpoint_is_one_sentence_and_runs_nothing(backbones, tmp_path, damage):
    path, mark = tmp_path / "weights.pth", tmp_path / "mark"
    if damage == "another model":
        torch.save({"features.0.weight": torch.zeros(3), "classifier.1.bias": torch.ones(3)}, path)
    elif damage == "not a dict":
        torch.save([torch.zeros(3)], path)
    else:
        path.write_bytes(
            {
                "truncated": Path(backbones["alexnet"][1]).read_bytes()[:100_000],
                "code": pickle.dumps(Trap(str(mark))),
                "text": b"not a checkpoint",
            }[damage]
        )
    for make in constructors():
        with pytest.raises(AtelierError, match="is no checkpoint of ") as refusal:
            make(str(path))
        assert "\n" not in str(refusal.value)
    assert not mark.exists()


def test_missing_weights_are_said_with_what_goes_without():
    for make, name, instead in (
        (DISTS, "torchvision:vgg16", "lite0_distance"),
        (LPIPS, "torchvision:alexnet", "lite0_distance"),
        (lambda: LPIPS("squeeze"), "torchvision:squeezenet1_1", "lite0_distance"),
        (NIMA, LAYOUTS["inception_resnet_v2"].published, "ratings are left out"),
        (PiqDISTS, "torchvision:vgg16", "lite0_distance"),
        (PiqLPIPS, "torchvision:vgg16", "lite0_distance"),
        (BRISQUE, "piq:v0.4.0/brisque_svm_weights.pt", "quality"),
        (CLIPIQA, "open_clip:RN50/openai", "left out"),
    ):
        with pytest.raises(AtelierError, match=f"atelier weights fetch {name} .*{instead}"):
            make()
    with pytest.raises(AtelierError, match="is no file on the hub"):
        NIMA("file:somebody/repository")
    with pytest.raises(AtelierError, match="is no file of a release of piq; write piq:TAG/FILE"):
        BRISQUE("piq:brisque_svm_weights.pt")


def test_published_weights_keep_the_plain_names(backbones, tmp_path):
    """Found in the libraries' own caches, by the libraries' own names."""
    from torchvision.models import AlexNet_Weights, VGG16_Weights

    cache = tmp_path / "torch" / "hub" / "checkpoints"
    cache.mkdir(parents=True)
    for model, tag in (("vgg16", VGG16_Weights), ("alexnet", AlexNet_Weights)):
        (cache / tag.DEFAULT.url.rsplit("/", 1)[-1]).symlink_to(backbones[model][1])
    for metric, score, identity in (
        (DISTS(), "dists", "dists"),
        (LPIPS(), "lpips.alex", "lpips-alex"),
    ):
        assert metric.column(score.split(".")[0]) == score
        assert metric.distance.identity == identity


def test_one_file_of_a_repository_is_found_in_the_hubs_cache(tmp_path):
    base = tmp_path / "hub" / "models--somebody--things"
    (base / "refs").mkdir(parents=True)
    (base / "refs" / "main").write_text("abc")
    file = base / "snapshots" / "abc" / "sub" / "net.pth"
    file.parent.mkdir(parents=True)
    file.write_bytes(b"x")
    assert published.require("file:somebody/things/sub/net.pth", "-") == file
    assert by_name("file:somebody/things/other.pth").cached() is None


def test_packaged_weights_of_another_release_are_refused():
    with pytest.raises(AtelierError, match=r"torchmetrics==1\.9\.0"):
        packaged("lpips_models/alex.pth", "0" * 64)
    with pytest.raises(AtelierError, match=r"torchmetrics==1\.9\.0"):
        packaged("lpips_models/none.pth", "0" * 64)
