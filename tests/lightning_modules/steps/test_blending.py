"""The output between photo and painting."""

import numpy as np
import torch

from lightning_modules.clipstyler import CLIPstyler
from lightning_modules.fusion import Fusion
from lightning_modules.soulstyler import Soulstyler
from lightning_modules.steps.blending import Blending
from tests.support.methods import batch_of, build_tiny


def test_keep_color_keeps_the_chroma(content, left):
    method = build_tiny(Soulstyler, blending=Blending(keep_color=True))
    output = method(batch_of(content, [left], "fire"))[0].double()
    rgb_to_chroma = np.array([[-0.168736, -0.331264, 0.5], [0.5, -0.418688, -0.081312]])  # BT.601
    inside = ((output > 0) & (output < 1)).all(0).numpy()  # what the gamut has not clipped
    assert inside.mean() > 0.5
    ours, photos = (
        np.einsum("dc,chw->dhw", rgb_to_chroma, picture.detach().numpy())[:, inside]
        for picture in (output, content.double())
    )
    np.testing.assert_allclose(ours, photos, atol=2e-3)
    assert (output - content).abs().mean() > 0.01


def test_strength_shows_a_share_of_the_change(content, left):
    batch = batch_of(content, [left], "fire")
    method = build_tiny(CLIPstyler)
    full = method.stylize(batch)
    method.blending = Blending(strength=0.25)
    torch.testing.assert_close(
        method.stylize(batch) - batch.content, 0.25 * (full - batch.content), atol=1e-6, rtol=0
    )
    method.blending = Blending(strength=0.0)
    assert torch.equal(method.stylize(batch), batch.content)


def test_composite_joins_all_regions_without_a_seam(content, left):
    soft = torch.linspace(0, 1, 96).expand(64, 96)
    method = build_tiny(Fusion)
    batch = batch_of(content, [soft, 1 - soft], "fire", "ice")
    torch.testing.assert_close(method(batch), method.generator(batch.content))
