"""A visitor's request: the table, masks by area, and the order that comes of it."""

from dataclasses import replace
from pathlib import Path

import pytest

from datamodules.support.errors import AtelierError
from datamodules.task import Area, StyleTarget
from experiments.studio.draft import Choices, CurrentMask, Draft, rows_of, targets_of

CAT, CUP = StyleTarget("cat", "fire"), StyleTarget("cup", "ice", 0.5, ("handle", "saucer"))
USUAL = ("", "embedded", 0, 0, 0, 0, 1, 0, 2, False, "bridge", 0)


def draft(*targets, **changes):
    masks = {target.area: CurrentMask(Path(f"{target.object}.png")) for target in targets}
    return replace(Draft(Path("photo.png"), "", targets, masks, ("bridge", None)), **changes)


def test_the_table_is_read_as_it_was_written():
    targets = (CAT, CUP, StyleTarget("", "mosaic"))
    assert targets_of(rows_of(targets)) == targets


def test_empty_rows_are_left_out_and_missing_weights_are_one():
    rows = [["", "", "", None], [None, "", "fire", ""], [" cat ", "", " ice ", "2"]]
    assert targets_of(rows) == (StyleTarget("", "fire"), StyleTarget("cat", "ice", 2.0))


@pytest.mark.parametrize("weight", ["much", -1, "nan", "inf"])
def test_a_wrong_weight_is_refused(weight):
    with pytest.raises(AtelierError, match="weight"):
        targets_of([["cat", "", "fire", weight]])


def test_another_style_needs_no_other_mask_and_another_object_does():
    before = draft(CAT)
    assert not replace(before, targets=(replace(CAT, style="ice"),)).lacks_masks(Choices())
    assert replace(before, targets=(replace(CAT, object="dog"),)).lacks_masks(Choices())
    assert replace(before, targets=(replace(CAT, exceptions=("ear",)),)).lacks_masks(Choices())
    assert before.lacks_masks(Choices(threshold=0.4))


def test_masks_by_hand_outlive_another_search():
    by_hand = draft(CAT, CUP).with_mask(CAT.area, CurrentMask(Path("own.png"), by_hand=True))
    new = {target.area: CurrentMask(Path("new.png")) for target in (CAT, CUP)}
    after = by_hand.with_masks(new, ("weak",), Choices())
    assert [after.masks[t.area].file.name for t in (CAT, CUP)] == ["own.png", "new.png"]
    assert after.warnings == ("weak",)


def test_an_untouched_mask_is_found_by_the_run_itself():
    options = draft(CAT).order(Choices.of(*USUAL), Path("run")).options
    assert "mask" not in options
    assert options["targets"] == [{"object": "cat", "style": "fire"}]


def test_masks_by_hand_are_strengths_in_the_order_of_the_areas():
    by_hand = draft(CAT, CUP).with_mask(CUP.area, CurrentMask(Path("own.png"), by_hand=True))
    options = by_hand.order(Choices(), Path("run")).options
    assert options["mask"] == ["cat.png", "own.png"]
    assert options["mask_value"] == ["", "strength"]


def test_a_threshold_of_the_page_reaches_the_run_as_masks():
    options = draft(CAT).order(Choices(threshold=0.4), Path("run")).options
    assert options["mask"] == ["cat.png"]


def test_an_area_that_was_not_found_is_painted_only_after_it_was_drawn():
    empty = CurrentMask(Path("blank.png"), blank=True)
    lacking = draft(CAT, CUP).with_mask(CUP.area, empty)
    with pytest.raises(AtelierError, match="has no mask yet; find it, or draw it"):
        lacking.order(Choices(), Path("run"))
    drawn = lacking.with_mask(CUP.area, replace(empty, file=Path("own.png"), by_hand=True))
    assert drawn.order(Choices(), Path("run")).options["mask"] == ["cat.png", "own.png"]


def test_a_new_row_of_the_table_counts_as_much_as_the_others():
    assert targets_of([["cat", "", "fire", "1"], ["cup", "", "ice", ""]])[1].weight == 1
    assert rows_of([CAT]) == [["cat", "", "fire", "1"]]
    third = replace(CAT, weight=1 / 3)
    assert targets_of(rows_of([third])) == (third,)


def test_what_is_missing_is_said():
    with pytest.raises(AtelierError, match="photo"):
        Draft(targets=(CAT,)).order(Choices(), Path("run"))
    with pytest.raises(AtelierError, match="style"):
        draft(replace(CAT, style="")).order(Choices(), Path("run"))


def test_other_words_for_an_area_keep_its_styles():
    blend = (StyleTarget("cat", "fire", 0.7), StyleTarget("cat", "ice", 0.3), CUP)
    after = draft(*blend).renamed(Area("cat"), [StyleTarget("kitten", "")])
    assert after.targets == (*(replace(t, object="kitten") for t in blend[:2]), CUP)


def test_the_page_s_zeros_stand_for_the_method_s_own():
    assert Choices.of(*USUAL) == Choices(
        models="embedded", seed=0, full_size=0, strength=1, feather=2
    )
