"""NIMA."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torchvision.transforms.functional import center_crop, resize

from datamodules.support.errors import AtelierError
from evaluation.metrics.base import Pictures
from evaluation.metrics.dists import DISTS
from evaluation.metrics.nima import LAYOUTS, NIMA, NIMANetwork
from tests.support.network_metrics import IMAGENET, randomised

pytestmark = pytest.mark.usefixtures("no_network")


class YunxiaoshisVGG16(nn.Module):
    """As yunxiaoshi/Neural-IMage-Assessment builds and feeds it, but for the random crop."""

    def __init__(self):
        from torchvision.models.vgg import cfgs, make_layers

        super().__init__()
        self.features = make_layers(cfgs["D"])
        self.classifier = nn.Sequential(nn.Dropout(0.75), nn.Linear(25088, 10), nn.Softmax(1))

    def forward(self, x):
        x = (center_crop(resize(x, 256), 224) - IMAGENET[0]) / IMAGENET[1]
        return self.classifier(self.features(x).flatten(1))


class Pyiqas(nn.Module):
    """As pyiqa builds and feeds it: timm's features of a network, averaged, and one layer."""

    def __init__(self, base, width, side, mean, std):
        import timm

        super().__init__()
        self.base_model = timm.create_model(base, pretrained=False, features_only=True)
        self.classifier = nn.Sequential(
            nn.Flatten(), nn.Dropout(0), nn.Linear(width, 10), nn.Softmax(1)
        )
        self.side, self.mean, self.std = side, mean, std

    def forward(self, x):
        x = (center_crop(resize(x, self.side), self.side) - self.mean) / self.std
        return self.classifier(F.adaptive_avg_pool2d(self.base_model(x)[-1], 1))


AUTHORS = {
    "inception_resnet_v2": lambda: Pyiqas("inception_resnet_v2", 1536, 299, 0.5, 0.5),
    "vgg16_pool": lambda: Pyiqas("vgg16", 512, 224, *IMAGENET),
    "vgg16": YunxiaoshisVGG16,
}


def published_nima(layout, pictures):
    """A random network as its authors build it, which tells `pictures` apart, and its state."""
    torch.manual_seed(0)
    network, views = randomised(AUTHORS[layout]), []
    for layer in network.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.momentum = 1  # statistics of these pictures, whatever the random weights do
    head = next(layer for layer in network.classifier if isinstance(layer, nn.Linear))
    hook = head.register_forward_hook(lambda layer, inputs, logits: views.append(logits))
    network.train()(pictures)
    network.eval()(pictures)
    hook.remove()
    scale = views[-1].std(0).mean()
    head.bias.sub_(views[-1].mean(0)).div_(scale)
    head.weight.div_(scale)
    state = network.state_dict()
    return network, state if layout == "vgg16" else {"params": state}


def half(tensors):
    """A checkpoint of half the size."""
    if isinstance(tensors, dict):
        return {name: half(value) for name, value in tensors.items()}
    return tensors.half() if tensors.is_floating_point() else tensors


@pytest.mark.parametrize("layout", LAYOUTS)
def test_published_checkpoints_of_nima_are_read(layout, pair, tmp_path):
    content, output = pair[0][:2], pair[1][:2]
    network, state = published_nima(layout, output)
    path = tmp_path / "NIMA.v0-b0c77c00.pth"
    torch.save(half(state), path)
    network.load_state_dict(half(network.state_dict()))
    metric = NIMA(str(path))
    values = metric(Pictures(content=content, output=output, mask=torch.ones(2, 96, 80)))
    end = f"{layout}-NIMA_v0-b0c77c00"
    expected = network(output)
    scores = torch.arange(1, 11.0)
    mean = (expected * scores).sum(1)
    variance = (expected * (scores - mean[:, None]) ** 2).sum(1)
    torch.testing.assert_close(values[f"nima_mean.{end}"], mean, atol=1e-4, rtol=0)
    torch.testing.assert_close(values[f"nima_std.{end}"], variance.sqrt(), atol=1e-4, rtol=0)
    assert mean.std() > 0.03  # else nothing is told
    assert not metric.train().judge.training
    assert metric.judge.network.training is False


def test_nima_keeps_the_aspect_and_looks_at_the_middle(tmp_path):
    network = NIMANetwork("untrained")
    image = torch.zeros(1, 3, 120, 360)
    image[..., 120:240] = 1
    views = network.view(image)
    assert views.shape == (1, 3, 299, 299)
    torch.testing.assert_close(views[..., 4:-4], torch.ones(1, 3, 299, 291))
    torch.testing.assert_close(network(image).sum(1), torch.ones(1))
    assert network.identity == "inception_resnet_v2-untrained"


def test_torchvisions_own_files_are_not_taken_for_nima(backbones):
    for _, path in backbones.values():
        with pytest.raises(AtelierError, match="no checkpoint of NIMA"):
            NIMA(path)
    with pytest.raises(AtelierError, match="no checkpoint of torchvision's vgg16"):
        DISTS(backbones["alexnet"][1])
