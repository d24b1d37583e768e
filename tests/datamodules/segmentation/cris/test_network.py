"""CRIS's network against the published code, with weights that `recipe` makes from their names.

The golden data allows 2e-4; the smallest mistake in the architecture costs 3e-2 (a wrong epsilon).
"""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from datamodules.segmentation.cris.network import CRIS, Architecture
from datamodules.segmentation.cris.segmenter import CRISSegmenter
from tests.golden.parity import recipe
from tests.support.cris import FULL, GOLDEN, TINY, checkpoint, network, shapes

TOLERANCE = 2e-4


@pytest.mark.parity("CRIS, network")
@pytest.mark.parametrize("sizes", [FULL, TINY])
def test_the_network_has_the_tensors_of_the_published_code(sizes):
    with torch.device("meta"):
        own = CRIS(sizes).state_dict()
    assert {key: tuple(value.shape) for key, value in own.items()} == shapes(sizes)


def test_the_published_checkpoint_has_662_tensors_with_146849122_weights():
    published = shapes(FULL)
    statistics = ("running_mean", "running_var", "num_batches_tracked")
    learned = [shape for key, shape in published.items() if not key.endswith(statistics)]
    assert len(published) == 662
    assert sum(int(np.prod(shape)) for shape in learned) == 146849122


def stages(cris: CRIS, pictures: Tensor, tokens: Tensor) -> dict[str, Tensor]:
    """Every stage by its name in the golden data."""
    results: dict[str, Tensor] = {}
    hooks = [
        part.register_forward_hook(lambda *call, name=name: results.update({name: call[-1]}))
        for name, part in {"fq": cris.neck, "dec": cris.decoder}.items()
    ]
    features = cris.look(pictures)
    results["logits"] = cris(features, tokens)[0, 0]
    for hook in hooks:
        hook.remove()
    results |= dict(zip(("v3", "v4", "v5"), features, strict=True))
    results["word"], results["state"] = cris.backbone.read(tokens)
    return results | {"dec": results["dec"].flatten(2)}


def check(cris: CRIS, sizes: Architecture, file: str, side: int, sentence: int, agree) -> None:
    """Compare every stage with the golden data of a sentence."""
    golden = np.load(GOLDEN / file)
    tokens = recipe.tokens(sentence, sizes.vocabulary)
    assert np.array_equal(tokens, golden[f"tokens{sentence}"])
    own = stages(cris, torch.from_numpy(recipe.image(side, side)), torch.from_numpy(tokens))
    agree(own.pop("logits"), golden[f"logits{sentence}"], within=TOLERANCE)
    for name, stage in own.items():
        shape, stats, sample = (
            golden[f"{name}{sentence}_{kind}"] for kind in ("shape", "stats", "sample")
        )
        assert tuple(stage.shape) == tuple(shape)
        values = stage.double().numpy()
        measured = values.mean(), values.std(), np.abs(values).max()
        np.testing.assert_allclose(measured, stats, rtol=0, atol=TOLERANCE)
        places = values.flatten()[:: max(1, values.size // 64)][:64]
        agree(places, sample, within=TOLERANCE)


@pytest.mark.parity("CRIS, network")
@pytest.mark.parametrize("sentence", [0, 1])
def test_every_stage_of_the_small_network_is_that_of_the_published_code(sentence, agree):
    check(network(TINY), TINY, "logits_tiny.npz", 160, sentence, agree)


@pytest.mark.slow  # 15 s on one core: 147 million weights are made
@pytest.mark.parity("CRIS, network")
def test_every_stage_of_the_published_configuration_is_that_of_the_published_code(tmp_path, agree):
    file = checkpoint(FULL, tmp_path / "best_model.pth")
    try:
        cris = CRISSegmenter(str(file)).network
        with torch.no_grad():
            for sentence in (0, 1):
                check(cris, FULL, "logits_full.npz", 416, sentence, agree)
    finally:
        file.unlink()  # 590 MB


def test_pictures_and_sentences_of_a_batch_do_not_meet():
    cris = network(TINY)
    pictures = torch.from_numpy(recipe.image(160, 160))
    pictures = torch.cat([pictures, pictures.flip(3)])
    tokens = torch.from_numpy(np.concatenate([recipe.tokens(k, 512) for k in (0, 1)]))
    both = cris(cris.look(pictures), tokens)
    for k in (0, 1):
        alone = cris(cris.look(pictures[k : k + 1]), tokens[k : k + 1])
        torch.testing.assert_close(both[k : k + 1], alone, atol=1e-4, rtol=0)
