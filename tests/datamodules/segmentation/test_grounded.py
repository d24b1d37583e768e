"""GroundingDINO's boxes and SAM 2's masks in them."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from datamodules.images import load_picture, to_picture, to_tensor
from datamodules.segmentation.grounded import GroundedSegmenter
from datamodules.support.errors import AtelierError
from tests.support.segmenter_files import bright_half

THRESHOLD = 0.95  # the small network has 12 boxes, most of them with scores near 1


@pytest.fixture(scope="module")
def photo() -> Tensor:
    return to_tensor(load_picture("skimage:chelsea"))


@pytest.fixture
def segmenter(grounding_folder, sam2_folder) -> GroundedSegmenter:
    return GroundedSegmenter(str(grounding_folder), str(sam2_folder), THRESHOLD)


def their_boxes(segmenter: GroundedSegmenter, content: Tensor, words: str) -> dict:
    """Boxes and scores by the functions of transformers."""
    network, processor = segmenter.finder
    inputs = processor(images=to_picture(content), text=[[words]], return_tensors="pt")
    with torch.no_grad():
        out = network(**inputs)
    options = {"threshold": segmenter.threshold, "target_sizes": [content.shape[1:]]}
    return processor.post_process_grounded_object_detection(out, inputs["input_ids"], **options)[0]


def their_masks(segmenter: GroundedSegmenter, content: Tensor, boxes: Tensor) -> Tensor:
    """Masks, bool (N, H, W), in boxes by the functions of transformers."""
    network, processor = segmenter.outliner
    inputs = processor(
        images=to_picture(content), input_boxes=[boxes.tolist()], return_tensors="pt"
    )
    sizes = inputs.pop("original_sizes")
    with torch.no_grad():
        out = network(**inputs, multimask_output=False)
    return processor.post_process_masks(out.pred_masks, sizes)[0][:, 0]


@pytest.mark.parametrize("folder", ["sam2_folder", "sam2_video_folder"])
def test_the_mask_is_the_union_of_the_instances_of_transformers(
    folder, grounding_folder, photo, request
):
    masks = str(request.getfixturevalue(folder))
    segmenter = GroundedSegmenter(str(grounding_folder), masks, THRESHOLD)
    boxes = their_boxes(segmenter, photo, "cat")["boxes"]
    assert 2 < len(boxes) < 12
    expected = their_masks(segmenter, photo, boxes).any(0)
    mask = segmenter.segment(photo, "the cat")
    assert mask.shape == photo.shape[1:]
    assert mask.min() >= 0 and mask.max() <= 1
    sure = (mask - 0.5).abs() > 1e-6
    assert torch.equal((mask > 0.5)[sure], expected[sure])
    assert segmenter.confidence is None


def test_the_network_for_pictures_is_read_from_that_for_videos(sam2_video_folder, capfd):
    from transformers import Sam2VideoModel

    network, _ = GroundedSegmenter(masks=str(sam2_video_folder)).outliner
    assert capfd.readouterr().err == ""  # transformers alone warns of another kind of network
    whole = Sam2VideoModel.from_pretrained(sam2_video_folder).state_dict()
    for name, tensor in network.state_dict().items():
        assert torch.equal(tensor, whole[name])


def test_boxes_and_scores_are_those_of_transformers(segmenter, photo):
    expected = their_boxes(segmenter, photo, "cat")
    with torch.no_grad():
        boxes, scores = segmenter.find(photo, "cat")
    above = scores > THRESHOLD
    torch.testing.assert_close(boxes[above], expected["boxes"])
    torch.testing.assert_close(scores[above], expected["scores"])


def test_words_after_the_name_of_the_object_score_nothing(segmenter, photo):
    network, processor = segmenter.finder
    inputs = processor(images=to_picture(photo), text="cat on sofa.", return_tensors="pt")
    with torch.no_grad():
        logits = network(**inputs).logits[0].sigmoid()
        _, scores = segmenter.find(photo, "cat on sofa")
    words = processor.tokenizer.convert_ids_to_tokens(inputs["input_ids"][0])
    assert words == ["[CLS]", "cat", "on", "sofa", ".", "[SEP]"]
    torch.testing.assert_close(scores, logits[:, [0, 1, 4, 5]].amax(1))
    assert not torch.equal(scores, logits.amax(1))


def test_a_phrase_chooses_one_instance(segmenter, photo):
    boxes = their_boxes(segmenter, photo, "cat")["boxes"]
    mask = segmenter.segment(photo, "the smallest cat")
    sure = (mask - 0.5).abs() > 1e-6
    each = their_masks(segmenter, photo, boxes)
    assert sum(torch.equal((mask > 0.5)[sure], one[sure]) for one in each) == 1


def test_long_and_dotted_phrases_are_read(segmenter):
    segmenter.segment(bright_half(), "a cat " * 40)  # more tokens than the network takes
    segmenter.segment(bright_half(), "a st. bernard dog")


def test_nothing_above_the_threshold_is_refused(grounding_folder):
    sure = GroundedSegmenter(str(grounding_folder), threshold=1 - 1e-7)
    with pytest.raises(AtelierError, match=r'"cat" was not found .* by GroundingDINO \(at most'):
        sure.segment(bright_half(), "the left cat")
    with pytest.raises(AtelierError, match=r"\(0, 1\)"):
        GroundedSegmenter(threshold=1.5)
    with pytest.raises(AtelierError, match="No object is named"):
        GroundedSegmenter().segment(bright_half(), " ")
