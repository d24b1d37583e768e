"""Dense features of DINO."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch.nn import functional as F

from datamodules.images import load_picture
from datamodules.segmentation.features.dino import DINODense
from datamodules.segmentation.operations.arrays import fit_array
from datamodules.support.errors import AtelierError
from tests.support.segmenter_files import VIT


def coffee(size: int = 128) -> np.ndarray:
    """Picture of a cup, uint8 (H, W, 3)."""
    picture = load_picture("skimage:coffee")
    return np.asarray(picture.resize((size, size * 2 // 3)))


def test_the_features_of_dino_are_the_last_keys(vit_file, tmp_path):
    import timm

    picture = coffee()
    maps = DINODense(VIT, str(vit_file), size=128)(picture)
    assert maps.shape == (192, 5, 8)

    published = torch.load(vit_file, weights_only=True)
    network = timm.create_model(VIT, num_classes=0, img_size=(80, 128)).eval()
    filtered = timm.models.vision_transformer.checkpoint_filter_fn(dict(published), network)
    network.load_state_dict(filtered)
    config = network.pretrained_cfg
    mean, std = (torch.tensor(config[name]).view(3, 1, 1) for name in ("mean", "std"))
    image = torch.from_numpy(fit_array(picture, 128, 16)).permute(2, 0, 1) / 255
    with torch.no_grad():
        x = network.patch_embed(((image - mean) / std)[None])
        x = torch.cat([network.cls_token, x], 1) + network.pos_embed
        for block in network.blocks[:-1]:
            x = block(x)
        last = network.blocks[-1]
        keys = F.linear(last.norm1(x), last.attn.qkv.weight[192:384], last.attn.qkv.bias[192:384])
    torch.testing.assert_close(maps.flatten(1).T, keys[0, 1:], atol=1e-3, rtol=1e-3)

    same = tmp_path / "vit.safetensors"
    save_file(published, same)
    assert torch.equal(DINODense(VIT, str(same), size=128)(picture), maps)


def test_dino_loads_a_checkpoint_of_another_grid(tmp_path):
    import timm

    path = tmp_path / "large.pth"
    torch.save(timm.create_model(VIT, num_classes=0, img_size=64).state_dict(), path)
    assert DINODense(VIT, str(path), size=64)(coffee()).shape == (192, 3, 4)


def test_the_model_of_dino_must_be_a_transformer_of_timm():
    for model in ("no_such_model", "resnet18"):
        with pytest.raises(AtelierError, match=model):
            DINODense(model, "untrained")(coffee())
