"""SAM 3."""

from __future__ import annotations

import logging

import pytest
import torch
from torch import Tensor

from datamodules.images import load_picture, to_picture, to_tensor
from datamodules.parsing.tree import TreeParser
from datamodules.segmentation.sam3 import SAM3Segmenter
from datamodules.stylization import StylizationDataModule
from datamodules.support.errors import AtelierError
from tests.support.segmenter_files import bright_half

THRESHOLD = 0.1  # half of the ten instances of the small network exceed it
LOW = 0.02  # all exceed it


@pytest.fixture(scope="module")
def photo() -> Tensor:
    return to_tensor(load_picture("skimage:chelsea"))


def theirs(segmenter: SAM3Segmenter, content: Tensor, words: str) -> dict[str, Tensor]:
    """Instances by the functions of transformers."""
    network, processor = segmenter.network
    inputs = processor(images=to_picture(content), text=words, return_tensors="pt")
    sizes = inputs.pop("original_sizes").tolist()
    with torch.no_grad():
        out = network(**inputs)
    options = {"threshold": segmenter.threshold, "mask_threshold": 0.5, "target_sizes": sizes}
    return processor.post_process_instance_segmentation(out, **options)[0]


@pytest.mark.parametrize("folder", ["sam3_folder", "sam3_video_folder"])
def test_the_mask_is_the_union_of_the_instances_of_transformers(folder, photo, request):
    segmenter = SAM3Segmenter(str(request.getfixturevalue(folder)), THRESHOLD)
    expected = theirs(segmenter, photo, "cat")
    assert len(expected["scores"]) > 3
    mask = segmenter.segment(photo, "The cat")
    assert mask.shape == photo.shape[1:]
    assert mask.min() >= 0 and mask.max() <= 1
    sure = (mask - 0.5).abs() > 1e-5
    assert torch.equal((mask > 0.5)[sure], expected["masks"].any(0)[sure])
    assert segmenter.confidence == pytest.approx(float(expected["scores"].mean()))


def test_the_network_for_pictures_is_read_from_that_for_videos(sam3_video_folder):
    from transformers import Sam3VideoModel

    network, _ = SAM3Segmenter(str(sam3_video_folder)).network
    whole = Sam3VideoModel.from_pretrained(sam3_video_folder).state_dict()
    for name, tensor in network.state_dict().items():
        assert torch.equal(tensor, whole[f"detector_model.{name}"])


def test_a_phrase_chooses_one_instance(sam3_folder, photo):
    segmenter = SAM3Segmenter(str(sam3_folder), THRESHOLD)
    expected = theirs(segmenter, photo, "cat")
    mask = segmenter.segment(photo, "the largest cat")
    sure = (mask - 0.5).abs() > 1e-5
    same = [torch.equal((mask > 0.5)[sure], one[sure] > 0) for one in expected["masks"]]
    assert sum(same) == 1
    score = expected["scores"][same.index(True)]
    assert segmenter.confidence == pytest.approx(float(score))


def test_the_network_reads_the_phrase_without_the_words_of_choice(sam3_folder, monkeypatch):
    segmenter = SAM3Segmenter(str(sam3_folder), LOW)
    subjects, find = [], segmenter.instances

    def instances(content, subject):
        subjects.append(subject)
        return find(content, subject)

    monkeypatch.setattr(segmenter, "instances", instances)
    for phrase in ("the largest white cat", "a white cat"):
        segmenter.segment(bright_half(), phrase)
    assert subjects == ["white cat"] * 2
    cat, dog = (find(bright_half(), words)[0] for words in ("cat", "dog"))
    assert not torch.allclose(cat, dog, atol=1e-3)
    find(bright_half(), "a cat " * 40)  # more tokens than the network takes


def test_a_sentence_chooses_one_instance(sam3_folder, photo):
    segmenter = SAM3Segmenter(str(sam3_folder), THRESHOLD)
    sentence = "Turn the largest cat to fire"
    data = StylizationDataModule(
        "skimage:chelsea", parser=TreeParser(), segmenter=segmenter, instruction=sentence
    )
    data.setup()
    (region,) = data.task.regions
    assert region.area.object == "largest cat"
    assert 0 < data.confidence["largest cat"] < 1
    whole = segmenter.segment(photo, "cat")
    assert 0 < region.mask.mean() < whole.mean()


def test_nothing_above_the_threshold_is_refused(sam3_folder):
    with pytest.raises(AtelierError, match=r'"cat" was not found .* by SAM 3 \(at most 0\.\d\d'):
        SAM3Segmenter(str(sam3_folder), 0.999).segment(bright_half(), "the left cat")
    with pytest.raises(AtelierError, match=r"\(0, 1\)"):
        SAM3Segmenter(threshold=0)
    with pytest.raises(AtelierError, match="No object is named"):
        SAM3Segmenter().segment(bright_half(), " ")


def test_a_low_score_is_a_warning(sam3_folder, caplog):
    with caplog.at_level(logging.WARNING):
        SAM3Segmenter(str(sam3_folder), LOW).segment(bright_half(), "cat")
    assert "may not show 'cat' (confidence 0.0" in caplog.text
