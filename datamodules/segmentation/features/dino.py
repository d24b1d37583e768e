"""Dense features of DINO (Caron et al. 2021), as in Melas-Kyriazi et al. (2022).

Deep spectral segmentation compares the keys of the last attention block: the patches of one object
have similar keys, although DINO was trained without labels.
"""

from __future__ import annotations

import logging
from functools import cached_property, partial

import numpy as np
import torch
from torch import Tensor, nn

from datamodules.images import to_tensor
from datamodules.models.catalogue import to_fetch
from datamodules.models.published import UNTRAINED, load_into, reason, require
from datamodules.segmentation.features.base import DenseFeatures
from datamodules.segmentation.operations.arrays import fit_array
from datamodules.support.errors import AtelierError

log = logging.getLogger(__name__)

INSTEAD = "the embedded datamodules.segmentation.features.efficientnet.EfficientNetDense needs none"


class DINODense(DenseFeatures):
    """Keys of the last attention block of a vision transformer, all heads concatenated.

    Args:
        model: timm's name of the transformer and of its weights.
        weights: "" for timm's weights of the model, the path of a file (.safetensors, .pth), or
            "untrained" for random weights (for timing).
        size: longer side in px at which the network reads the picture, rounded to whole patches.
    """

    def __init__(
        self, model: str = "vit_small_patch16_224.dino", weights: str = "", size: int = 512
    ) -> None:
        self.model = model
        self.weights = weights or f"timm:{model}"
        self.size = size

    @classmethod
    def weights_needed(cls, model: str, weights: str, size: int) -> list[str]:
        """Names of the published weights that these arguments need."""
        return to_fetch(weights or f"timm:{model}")

    @cached_property
    def network(self) -> nn.Module:
        import timm
        from timm.models.vision_transformer import VisionTransformer, checkpoint_filter_fn

        try:
            # dynamic_img_size: position embeddings are interpolated to the grid of each picture.
            network = timm.create_model(self.model, num_classes=0, dynamic_img_size=True)
        except (RuntimeError, TypeError) as error:
            raise AtelierError(
                f"timm has no transformer {self.model!r} ({reason(error)}); see timm.list_models()"
            ) from error
        if not isinstance(network, VisionTransformer):
            raise AtelierError(
                f"{self.model} is no vision transformer; give one, for example "
                "vit_small_patch16_224.dino"
            )
        if self.weights == UNTRAINED:
            log.warning("%s is untrained: masks made from its features are meaningless", self.model)
        else:
            path = require(self.weights, INSTEAD)
            load_into(network, path, self.model, partial(checkpoint_filter_fn, model=network))
        return network.eval().requires_grad_(False)

    @torch.no_grad()
    def __call__(self, picture: np.ndarray) -> Tensor:
        network = self.network
        patch = network.patch_embed.patch_size[0]
        image = to_tensor(fit_array(picture, self.size, patch))
        mean, std = (
            torch.tensor(network.pretrained_cfg[name]).view(3, 1, 1) for name in ("mean", "std")
        )
        outputs = []
        hook = network.blocks[-1].attn.qkv.register_forward_hook(
            lambda module, inputs, output: outputs.append(output[0])
        )
        try:
            network.forward_features(((image - mean) / std)[None])
        finally:
            hook.remove()
        _, keys, _ = outputs[0].chunk(3, dim=1)
        keys = keys[network.num_prefix_tokens :]  # (h w, D); the class token comes first
        return keys.T.unflatten(1, (image.shape[1] // patch, image.shape[2] // patch))
