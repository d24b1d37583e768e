"""Masks of areas: what is painted, and what stays as it is."""

from pathlib import Path

import pytest
import torch

from datamodules.images import load_picture, resize_mask, save_png, to_picture, to_tensor
from datamodules.masking import MaskFinder, grow, room
from datamodules.reading.masks import MaskFile, load_mask
from datamodules.segmentation.base import UNSURE, ObjectNotFoundError, Segmenter
from datamodules.segmentation.whole import WholePicture
from datamodules.support.errors import AtelierError
from datamodules.task import Area, StyleTarget, styles_by_area
from experiments.campaigns.comparison import write_masks
from experiments.run.mask import find_mask
from tests.support.soulstyler import Parrot, data

PHOTO = torch.rand(3, 40, 60)
BOXES = {  # rows and columns of each object
    "animals": (slice(0, 40), slice(0, 40)),
    "dog": (slice(10, 30), slice(20, 50)),
    "cat": (slice(0, 20), slice(0, 20)),
    "ghost": (slice(0, 5), slice(0, 5)),
}


class Boxes(Segmenter):
    """Finds the objects of BOXES, on a picture of any size, but is not sure of the ghost."""

    def segment(self, content, phrase):
        if phrase not in BOXES:
            raise ObjectNotFoundError(f"There is no {phrase}")
        self.confidence = UNSURE - 0.1 if phrase == "ghost" else 0.9
        mask = torch.zeros(40, 60)
        mask[BOXES[phrase]] = 1
        size = content.shape[1:]
        return torch.nn.functional.interpolate(mask[None, None], size)[0, 0]


def masks_of(*targets, segmenter=None, files=()):
    styles = styles_by_area([StyleTarget(*target) for target in targets])
    return MaskFinder(PHOTO, segmenter or Boxes(), files).find(styles)


def box(phrase):
    return Boxes().segment(PHOTO, phrase)


def test_exceptions_are_taken_out_of_the_object():
    masks = masks_of(("animals", "ice", 1, ("dog",)))
    assert torch.equal(masks.objects[0], box("animals") * (1 - box("dog")))
    assert torch.equal(masks.exceptions[0], box("dog"))
    whole = masks_of(("", "ice", 1, ("dog", "cat")))
    assert torch.equal(whole.union, (1 - box("dog")) * (1 - box("cat")))


def test_the_background_takes_nothing_that_is_to_stay_as_it_is():
    masks = masks_of(("animals", "ice", 1, ("dog",)), ("background", "snow"))
    assert torch.equal(masks.exceptions[1], box("dog"))
    assert (masks.union * box("dog")).max() == 0
    everywhere_else = 1 - box("dog")
    assert torch.equal(masks.union, everywhere_else)


def test_an_exception_of_one_object_may_be_an_object_of_its_own(caplog):
    masks = masks_of(("", "ice", 1, ("cat",)), ("cat", "fire"))
    assert torch.equal(masks.objects, torch.stack([1 - box("cat"), box("cat")]))
    assert "overlap" not in caplog.text


def test_exceptions_are_taken_out_of_a_mask_file(tmp_path):
    save_png(to_picture(torch.ones(40, 60)), tmp_path / "mask.png")
    masks = masks_of(("", "ice", 1, ("cat",)), files=[MaskFile(str(tmp_path / "mask.png"))])
    assert torch.equal(masks.objects[0], 1 - box("cat"))


@pytest.mark.parametrize(
    ("phrase", "segmenter", "sentence"),
    [
        ("horse", Boxes(), "'horse' is to stay as it is, but: There is no horse"),
        ("ghost", Boxes(), r"'ghost' .* not surely found \(confidence 0.60\); .*--mask FILE"),
        ("dog's tail", Boxes(), "'dog' is found .coverage 25%.: use it, or give --mask FILE"),
        ("dog", WholePicture(), "WholePicture looks for no phrase; add --segmenter bridge"),
    ],
)
def test_what_is_to_stay_must_be_surely_found(phrase, segmenter, sentence):
    with pytest.raises(AtelierError, match=sentence):
        masks_of(("", "fire", 1, (phrase,)), segmenter=segmenter)


def test_objects_of_one_style_may_overlap():
    masks = masks_of(("animals", "ice"), ("dog", "ice"))
    assert torch.equal(masks.union, torch.maximum(box("animals"), box("dog")))


@pytest.mark.parametrize("width", [0.0, 2.0, 5.0])
def test_the_soft_edge_lies_outside_of_an_exception(width):
    exception = torch.zeros(40, 100)
    exception[:, 50:] = 1
    share = room(exception, width)
    assert share[:, 50:].max() == 0
    beside = share[20, :50].flip(0)  # from the exception outwards
    assert (beside.diff() >= 0).all()
    assert 2 * width <= (beside < 1).sum() <= 6 * width


def exception_in(task, phrase):
    """The mask of an object of the photo at the size of a task."""
    photo = to_tensor(load_picture("skimage:chelsea"))
    return resize_mask(Boxes().segment(photo, phrase), task.content.shape[1:])


@pytest.mark.parametrize("settings", [{}, {"binary_masks": True}, {"full_size": 300}])
def test_no_pixel_of_an_exception_is_painted_at_any_size(settings):
    exceptions = {"object": "", "style": "fire", "exceptions": ["dog"]}
    module = data(segmenter=Boxes(), feather=2.0, **exceptions, **settings)
    module.setup()
    for task in filter(None, (module.task, module.full)):
        (mask,) = task.masks
        assert mask[exception_in(task, "dog") > 0.5].max() == 0
        assert mask[0, 0] == 1 and (mask > 0.5).float().mean() > 0.6
    assert module.task.regions[0].area == Area("", ("dog",))
    assert module.confidence == {"dog": 0.9}


def test_a_spared_object_and_its_exceptions_both_stay():
    parrot = Parrot(("cat", "fire", 1, ("dog",)))
    module = data(segmenter=Boxes(), instruction="x", parser=parrot, protect_object=True)
    module.setup()
    (mask,) = module.task.masks
    assert mask[exception_in(module.task, "dog") > 0.5].max() == 0
    assert mask[exception_in(module.task, "cat") == 1].max() == 0
    assert mask[-1, -1] == 1


def test_a_mask_may_be_several_objects_and_the_background():
    def picture_of(*targets):
        targets = [StyleTarget(*target) for target in targets]
        return to_tensor(find_mask("skimage:chelsea", targets, Boxes()).picture)

    photo = to_tensor(load_picture("skimage:chelsea"))
    cat, dog = (Boxes().segment(photo, phrase) for phrase in ("cat", "dog"))
    assert torch.equal(picture_of(("cat", ""), ("dog", "")), torch.maximum(cat, dog))
    assert torch.equal(picture_of(("", "", 1, ("cat", "dog"))), 1 - torch.maximum(cat, dog))
    assert torch.equal(picture_of(("cat", "", 1, ("dog",)), ("background", "")), 1 - dog)


def test_masks_of_a_comparison_keep_a_distance_from_exceptions(tmp_path):
    def files(*targets):
        targets = [StyleTarget(*target) for target in targets]
        return write_masks("skimage:chelsea", targets, Boxes(), "boxes", tmp_path)

    (file,) = files(("", "ice", 1, ("dog",)))
    mask = load_mask(file, (451, 300)).values
    dog = Boxes().segment(torch.rand(3, 300, 451), "dog")
    assert mask[grow(dog, 10) > 0].max() == 0 and mask[grow(dog, 20) == 0].min() == 1
    written_at = Path(file).stat().st_mtime_ns
    assert files(("", "ice", 1, ("dog",))) == [file] and Path(file).stat().st_mtime_ns == written_at
    assert files(("", "ice")) != [file]
    with pytest.raises(AtelierError, match="no background beside exceptions"):
        files(("animals", "ice", 1, ("dog",)), ("background", "snow"))
