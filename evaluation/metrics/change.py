"""How much a picture has changed, on the object and beside it."""

from __future__ import annotations

from torch import Tensor


def mean_change(output: Tensor, content: Tensor, mask: Tensor) -> dict[str, float]:
    """Mean absolute difference of output and content inside and outside the mask, in [0, 1].

    output, content: (3, H, W) in [0, 1]; mask: (H, W) in [0, 1], 1 = the object; a pixel counts
    for both by its share. A region that the mask leaves empty is left out.
    """
    difference = (output - content).abs().mean(0)
    regions = {"object_change": mask, "rest_change": 1 - mask}
    return {
        name: float((difference * share).sum() / share.sum())
        for name, share in regions.items()
        if share.sum() > 0
    }
