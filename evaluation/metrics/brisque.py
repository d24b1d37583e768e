"""BRISQUE: how unnatural the statistics of a picture are (Mittal et al. 2012), by piq.

36 statistics of the luma, normalised by its local mean and spread at two scales, go through the
authors' support vector regression, which was trained on people's ratings of distorted photographs.
A photograph has about 0 to 30, a strongly distorted one up to 100; both ends can be exceeded.

piq's own function downloads the support vectors and unpickles whatever is in the file. Here piq
computes the statistics, and the vectors are read as tensors alone.
"""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from datamodules.models.published import load_into, require
from datamodules.support.errors import AtelierError
from evaluation.metrics import scores as declared
from evaluation.metrics.base import PictureMetric, Pictures
from evaluation.metrics.perceptual import other_weights

PUBLISHED = "piq:v0.4.0/brisque_svm_weights.pt"
INSTEAD = "the score is left out; blur and noise of the metric quality need none"
STATISTICS = 36  # 18 at each of two scales
WINDOW, SPREAD = 7, 7 / 6  # side and standard deviation in px of the local mean's Gaussian
GAMMA, RHO = 0.05, -153.591  # width of the kernel and bias, of the authors' release


def statistics(image: Tensor) -> Tensor:
    """(1, 36), each about in [-1, 1], of a picture (1, 3, H, W) in [0, 1]."""
    # piq has no public function that ends here; its version is pinned.
    from piq.brisque import _natural_scene_statistics, _scale_features
    from piq.functional import imresize, rgb2yiq

    luma = rgb2yiq(255 * image)[:, :1].round()  # 8 bits, as in the authors' release
    half = imresize(luma, sizes=(luma.shape[2] // 2, luma.shape[3] // 2))
    try:
        scales = [_natural_scene_statistics(scale, WINDOW, SPREAD) for scale in (luma, half)]
    except AssertionError as error:
        raise AtelierError("BRISQUE has no value for a picture without texture") from error
    return _scale_features(torch.cat(scales, dim=-1))


class SupportVectors(nn.Module):
    """The regression from statistics (N, 36) to BRISQUE (N,).

    Args:
        weights: piq's file by its name or path: a pair of coefficients (M,) and vectors (M, 36).
    """

    def __init__(self, weights: str = PUBLISHED) -> None:
        super().__init__()
        load_into(self, require(weights, INSTEAD), "BRISQUE's support vectors", self._converted)

    def _converted(self, published: Any) -> dict[str, Tensor]:
        """The state dict; makes room for as many vectors as there are."""
        coefficients, vectors = published
        if vectors.shape != (coefficients.numel(), STATISTICS):
            raise ValueError(f"{tuple(vectors.shape)} for {coefficients.numel()} coefficients")
        state = {"coefficients": coefficients.flatten(), "vectors": vectors}
        for name, values in state.items():
            self.register_buffer(name, torch.empty(values.shape))
        return state

    def forward(self, statistics: Tensor) -> Tensor:
        squared = (statistics[:, None] - self.vectors).square().sum(2)
        return (-GAMMA * squared).exp() @ self.coefficients - RHO


class BRISQUE(PictureMetric):
    """BRISQUE of the output.

    Args:
        weights: piq's file of support vectors, by its name or path.
    """

    scores: ClassVar = declared.BRISQUE

    def __init__(self, weights: str = PUBLISHED) -> None:
        super().__init__(network=other_weights(weights, PUBLISHED))
        self.regression = SupportVectors(weights)

    def score(self, pictures: Pictures) -> dict[str, Tensor]:
        values = [self.regression(statistics(image[None])) for image in pictures.output]
        return {"brisque": torch.cat(values)}
