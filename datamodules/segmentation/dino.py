"""Features of DINO (Caron et al. 2021), by which deep spectral segmentation compares places.

Melas-Kyriazi et al. (2022) take the keys of the last attention block: patches of one object have
keys alike, though no label ever said so.
"""

from __future__ import annotations

import logging
from functools import cached_property, partial

import numpy as np
import torch
from torch import Tensor, nn

from datamodules.models.published import UNTRAINED, load_into, reason, require
from datamodules.segmentation.operations.arrays import fit
from datamodules.segmentation.spectral import DenseFeatures
from datamodules.support.errors import AtelierError

log = logging.getLogger(__name__)

INSTEAD = "the embedded datamodules.segmentation.spectral.EfficientNetDense needs none"


class DINODense(DenseFeatures):
    """Keys of a vision transformer's last attention block, the heads joined.

    Args:
        model: timm's name of the transformer and of its weights.
        weights: "" for timm's weights of the model, a file's path (.safetensors, .pth), or
            "untrained" for random weights (for timing).
        size: longer side in pixels at which the picture is looked at, rounded to whole patches.
    """

    def __init__(
        self, model: str = "vit_small_patch16_224.dino", weights: str = "", size: int = 512
    ) -> None:
        self.model = model
        self.weights = weights or f"timm:{model}"
        self.size = size

    @cached_property
    def network(self) -> nn.Module:
        import timm
        from timm.models.vision_transformer import VisionTransformer, checkpoint_filter_fn

        try:
            # The position embeddings are stretched to each picture's own grid of patches.
            network = timm.create_model(self.model, num_classes=0, dynamic_img_size=True)
        except (RuntimeError, TypeError) as error:
            raise AtelierError(
                f"timm has no transformer {self.model!r} ({reason(error)}); see timm.list_models()"
            ) from error
        if not isinstance(network, VisionTransformer):
            raise AtelierError(
                f"{self.model} is no vision transformer; give vit_small_patch16_224.dino, say"
            )
        if self.weights == UNTRAINED:
            log.warning("%s is untrained: the objects it sees mean nothing", self.model)
        else:
            path = require(self.weights, INSTEAD)
            load_into(network, path, self.model, partial(checkpoint_filter_fn, model=network))
        return network.eval().requires_grad_(False)

    @torch.no_grad()
    def __call__(self, picture: np.ndarray) -> Tensor:
        network = self.network
        patch = network.patch_embed.patch_size[0]
        image = torch.from_numpy(fit(picture, self.size, patch)).permute(2, 0, 1).float() / 255
        mean, std = (
            torch.tensor(network.pretrained_cfg[name]).view(3, 1, 1) for name in ("mean", "std")
        )
        found = []
        hook = network.blocks[-1].attn.qkv.register_forward_hook(
            lambda module, inputs, output: found.append(output[0])
        )
        try:
            network.forward_features(((image - mean) / std)[None])
        finally:
            hook.remove()
        keys = found[0].chunk(3, dim=1)[1][network.num_prefix_tokens :]  # (h w, D), no class token
        return keys.T.unflatten(1, (image.shape[1] // patch, image.shape[2] // patch))
