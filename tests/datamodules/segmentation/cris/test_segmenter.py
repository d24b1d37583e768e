"""CRIS as a segmenter: words, masks, the published checkpoint's form."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from datamodules.images import load_picture, to_array, to_tensor
from datamodules.segmentation.base import ObjectNotFoundError
from datamodules.segmentation.cris.framing import framed, normalised, unframed
from datamodules.segmentation.cris.network import CRIS
from datamodules.segmentation.cris.segmenter import CRISSegmenter, tokens
from datamodules.support.errors import AtelierError
from tests.support.cli import assert_refused
from tests.support.cris import GOLDEN, TINY, checkpoint, network
from tests.support.segmenter_files import bright_half
from tests.support.traps import Trap


@pytest.fixture(scope="module")
def small() -> CRIS:
    """The small network with a vocabulary for all words."""
    return network(replace(TINY, vocabulary=49408))


def segmenter(small: CRIS, threshold: float, binary: bool = False) -> CRISSegmenter:
    """CRIS as a segmenter, in the small architecture."""
    instance = CRISSegmenter("untrained", threshold, binary)
    instance.network = small
    return instance


def probability(small: CRIS, content: Tensor, phrase: str) -> Tensor:
    """Probabilities (H, W) by the parts of the segmenter."""
    features = small.look(normalised(framed(to_array(content))))
    return unframed(small(features, tokens(phrase))[0, 0], *content.shape[1:])


@pytest.mark.parity("CRIS, picture, words and mask")
def test_sentences_have_the_published_tokens():
    golden = json.loads((GOLDEN / "tokens.json").read_text())
    assert len(golden["sentences"]) == 10
    for sentence, ids in zip(golden["sentences"], golden["tokens"], strict=True):
        assert tokens(sentence).tolist() == [ids]


def test_the_mask_is_soft_or_binary_around_the_threshold(small):
    content = to_tensor(load_picture("skimage:coffee"))
    p = probability(small, content, "cup")
    threshold = float(p.median())
    soft = segmenter(small, threshold).segment(content, "cup")
    assert soft.shape == content.shape[1:]
    slope = 2 * min(0.1, threshold, 1 - threshold)
    torch.testing.assert_close(soft, (0.5 + (p - threshold) / slope).clamp(0, 1))
    binary = segmenter(small, threshold, binary=True).segment(content, "cup")
    assert torch.equal(binary, (p > threshold).float())
    assert 0.4 < binary.mean() < 0.6


def test_a_picture_is_looked_at_once_for_several_phrases(small):
    cris, looks = segmenter(small, 0.5), []
    hook = small.backbone.visual.register_forward_hook(lambda *_: looks.append(1))
    first = cris.segment(bright_half(), "cat")
    assert not torch.allclose(first, cris.segment(bright_half(), "a dog"), atol=1e-3)
    assert len(looks) == 1
    assert not torch.allclose(first, cris.segment(bright_half().flip(2), "cat"), atol=1e-3)
    assert len(looks) == 2
    assert torch.equal(cris.segment(bright_half(), "cat"), first)
    hook.remove()


def test_a_phrase_below_the_threshold_is_not_found(small):
    sentence = r'"cat" was not found in the picture by CRIS.*--mask FILE'
    with pytest.raises(ObjectNotFoundError, match=sentence):
        segmenter(small, 0.9999999).segment(bright_half(), "cat")
    with pytest.raises(AtelierError, match=r"\(0, 1\)"):
        CRISSegmenter(threshold=1.0)


def test_without_a_checkpoint_a_sentence_says_where_it_is_published(no_network):
    sentence = "CRIS repository on GitHub.*atelier weights path cris=FILE; without them, .*clipseg"
    with pytest.raises(AtelierError, match=sentence):
        CRISSegmenter().segment(bright_half(), "cat")


def test_checkpoints_of_other_architectures_are_refused(cris_file, tmp_path):
    def refused(words: str) -> None:
        with pytest.raises(AtelierError, match=f"^{path} is no checkpoint of CRIS .*{words}") as e:
            CRISSegmenter(str(path)).segment(bright_half(), "cat")
        assert "\n" not in str(e.value)

    path = checkpoint(TINY, tmp_path / "other.pth")
    refused("Missing key")
    tensors = torch.load(cris_file)["state_dict"]
    torch.save({"state_dict": tensors | {"module.more": torch.zeros(1)}}, path)
    refused('Unexpected key.*"more"')
    torch.save({"state_dict": tensors | {"module.proj.txt.bias": torch.zeros(5)}}, path)
    refused("size mismatch for proj.txt.bias")


# The command.


def test_atelier_mask_with_a_registered_checkpoint(cli, cris_file, no_network, tmp_path):
    assert cli("weights", "path", f"cris={cris_file}").returncode == 0
    settings = ("--data.segmenter.threshold", "0.3", "--data.segmenter.binary", "true")
    result = cli("mask", "skimage:chelsea", "the cat", "--segmenter", "cris", *settings)
    assert (result.returncode, result.stdout) == (0, "mask.png\n"), result.stderr
    mask = np.asarray(Image.open(tmp_path / "mask.png"))
    assert mask.shape == (300, 451)
    assert set(np.unique(mask)) == {0, 255}


def test_a_checkpoint_with_code_inside_is_refused_and_nothing_runs(cli, no_network, tmp_path):
    file, marker = tmp_path / "best_model.pth", tmp_path / "marker"
    torch.save({"state_dict": {"module.x": Trap(marker)}}, file)
    assert cli("weights", "path", f"cris={file}").returncode == 0
    result = cli("mask", "skimage:chelsea", "the cat", "--segmenter", "cris")
    assert_refused(result, f"{file} is no checkpoint of CRIS .*more than tensors")
    assert not marker.exists()
    assert not (tmp_path / "mask.png").exists()
