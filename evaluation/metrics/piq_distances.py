"""DISTS and LPIPS as piq reads them, beside torchmetrics' readings in `dists` and `lpips`.

- **DISTS**: pictures whose short side exceeds 256 px are first scaled down to it, bilinearly and
  without antialiasing; up to 256 px both readings agree. The formula is computed by `dists`, with
  more digits than piq's.
- **LPIPS**: in VGG-16 alone, by piq's own code. Both readings agree but for the shortest channel
  vectors: piq divides by their norm plus 1e-10, torchmetrics by the root of norm^2 plus 1e-8.

piq's constructors download weights. Here VGG-16 is torchvision's, by its name, and the weights of
DISTS and LPIPS are the authors', which torchmetrics ships.
"""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor
from torch.nn import functional as F

from evaluation.metrics import scores as declared
from evaluation.metrics.background import BAND
from evaluation.metrics.base import PictureMetric, Pictures
from evaluation.metrics.dists import VGG16, DISTSDistance
from evaluation.metrics.lpips import NETS, layer_weights
from evaluation.metrics.perceptual import (
    PairDistance,
    backbone,
    other_weights,
    whole_and_background,
)

SHORT_SIDE = 256  # px


def at_short_side(image: Tensor) -> Tensor:
    """Pictures (N, 3, H, W) with a short side of at most SHORT_SIDE px, by piq's interpolation."""
    scale = SHORT_SIDE / min(image.shape[2:])
    return F.interpolate(image, scale_factor=scale, mode="bilinear") if scale < 1 else image


class PiqDISTSDistance(PairDistance):
    """DISTS of pictures with a short side of at most 256 px.

    Args:
        weights: "torchvision:vgg16", a file's path, or "untrained" for random weights (for timing).
    """

    def __init__(self, weights: str = VGG16) -> None:
        super().__init__()
        self.distance = DISTSDistance(weights)
        self.identity = f"piq-{self.distance.identity}"

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        return self.distance(at_short_side(a), at_short_side(b))


class PiqLPIPSDistance(PairDistance):
    """LPIPS of pictures in VGG-16, by piq.

    Args:
        weights: "torchvision:vgg16", a file's path, or "untrained" for random weights (for timing).
    """

    def __init__(self, weights: str = VGG16) -> None:
        super().__init__()
        from piq import ContentLoss

        other = other_weights(weights, VGG16)
        self.identity = f"piq-lpips-{other}" if other else "piq-lpips"
        # What piq.LPIPS makes of the weights that its constructor downloads.
        self.distance = ContentLoss(
            backbone("vgg16", weights),
            layers=[str(place) for place in NETS["vgg"].places],
            weights=[weight.view(1, -1, 1, 1) for weight in layer_weights("vgg")],
            normalize_features=True,
            reduction="none",
        )

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        return self.distance(a, b)


class PiqDISTS(PictureMetric):
    """DISTS by piq's reading, of the whole picture and of the background alone.

    Args:
        weights: "torchvision:vgg16", a file's path, or "untrained" for random weights (for timing).
        band: width in pixels of the boundary that does not count as background.
    """

    scores: ClassVar = declared.PIQ_DISTS
    reads_objects = True

    def __init__(self, weights: str = VGG16, band: int = BAND) -> None:
        super().__init__(network=other_weights(weights, VGG16))
        self.distance, self.band = PiqDISTSDistance(weights), band

    def score(self, pictures: Pictures) -> dict[str, Tensor]:
        whole, background = whole_and_background(self.distance, pictures, self.band)
        return {"piq_dists": whole, "background_piq_dists": background}


class PiqLPIPS(PictureMetric):
    """LPIPS (VGG-16) by piq, of the whole picture and of the background alone.

    Args:
        weights: "torchvision:vgg16", a file's path, or "untrained" for random weights (for timing).
        band: width in pixels of the boundary that does not count as background.
    """

    scores: ClassVar = declared.PIQ_LPIPS
    reads_objects = True

    def __init__(self, weights: str = VGG16, band: int = BAND) -> None:
        super().__init__(network=other_weights(weights, VGG16))
        self.distance, self.band = PiqLPIPSDistance(weights), band

    def score(self, pictures: Pictures) -> dict[str, Tensor]:
        whole, background = whole_and_background(self.distance, pictures, self.band)
        return {"piq_lpips": whole, "background_piq_lpips": background}
