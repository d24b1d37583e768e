"""Tasks of the workers, carried out in this process unless they must travel."""

import io
import pickle
from pathlib import Path

import pytest
from PIL import Image

from datamodules.support.errors import AtelierError
from datamodules.task import Area, StyleTarget
from experiments.run.order import Order
from experiments.studio.tasks import Find, KeepPieces, Paint, Read, ReadPhrase, Stage, Warm

pytestmark = pytest.mark.filterwarnings("ignore::experiments.run.visit.AtelierWarning")
CAT = Path("skimage:chelsea")


def carried_out(task, tell=lambda event: None, stop_asked=lambda: False):
    """The result of a task that has travelled, as it travels back."""
    task = pickle.loads(pickle.dumps(task))
    return pickle.loads(pickle.dumps(task.carry_out(tell, stop_asked)))


def test_an_instruction_is_read():
    reading = carried_out(Read("Turn the cat to fire", "rules"))
    assert reading.targets == (StyleTarget("cat", "fire"),) and reading.warnings == ()
    with pytest.raises(AtelierError):
        carried_out(Read("", "rules"))


def test_a_parser_that_had_to_be_replaced_is_said(monkeypatch):
    from experiments.studio import tasks

    class Parser:
        note = "another parser had to step in"

        def parse(self, text):
            return [StyleTarget("cat", "fire")]

    monkeypatch.setattr(tasks, "_parser", lambda name: Parser())
    assert Read("x").carry_out(None, None).warnings == ("another parser had to step in",)


def test_a_phrase_is_read():
    (target,) = carried_out(ReadPhrase("everything except the boat"))
    assert target.area == Area("", ("boat",))


def find(folder, *targets, **settings):
    return carried_out(Find(CAT, targets, folder, "tests.support.studio_parts.Halves", **settings))


def test_masks_have_the_photo_s_size_and_their_pieces(tmp_path):
    targets = StyleTarget("left", "fire"), StyleTarget("background", "snow")
    finding = find(tmp_path, *targets)
    (mask,) = finding.masks
    assert mask.label == "left" and mask.file.parent == tmp_path and not finding.whole
    with Image.open(mask.file) as picture:
        assert (picture.mode, picture.size) == ("L", (451, 300))
    assert mask.coverage == pytest.approx(0.5, abs=0.01) and mask.confidence == 0.8
    (piece,) = mask.pieces
    assert (piece.share, piece.x, piece.y) == pytest.approx((0.5, 0.25, 0.5), abs=0.01)
    file = carried_out(KeepPieces(mask.file, (0,)))
    assert file.parent == tmp_path and Image.open(file).size == (451, 300)
    assert finding.warnings == ("left is a half",) == find(tmp_path, *targets).warnings


def test_everything_but_an_object_has_a_mask(tmp_path):
    (mask,) = find(tmp_path, StyleTarget("", "snow", 1.0, ("left",))).masks
    assert mask.label == "everything except the left"
    with Image.open(mask.file) as picture:
        assert [picture.getpixel((x, 9)) for x in (100, 400)] == [0, 255]


def test_several_areas_have_masks_in_the_order_of_a_run(tmp_path):
    targets = [StyleTarget(name, "snow") for name in ("background", "right", "left")]
    masks = find(tmp_path, *targets).masks
    assert [(mask.label, mask.file.name) for mask in masks] == [
        ("right", "mask-1.png"),
        ("left", "mask-2.png"),
    ]


def test_the_whole_picture_needs_no_mask(tmp_path):
    assert find(tmp_path, StyleTarget("", "snow")).whole and not list(tmp_path.iterdir())


def test_an_object_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(AtelierError, match="There is no submarine"):
        find(tmp_path, StyleTarget("submarine", "fire"))
    assert not list(tmp_path.iterdir())


def test_a_threshold_reaches_the_mask_or_the_segmenter_that_has_one(tmp_path):
    ramp = StyleTarget("ramp", "fire")
    shares = [find(tmp_path, ramp, threshold=t).masks[0].coverage for t in (0.3, 0.5, 0.7)]
    assert shares == pytest.approx([0.7, 0.5, 0.3], abs=0.02)
    assert shares[1] == find(tmp_path, ramp).masks[0].coverage
    with pytest.raises(AtelierError, match=r"in \(0, 1\)"):
        find(tmp_path, ramp, threshold=1.0)
    own = Find(CAT, (ramp,), tmp_path, "tests.support.studio_parts.Thresholded", 0.3)
    assert carried_out(own).masks[0].coverage == pytest.approx(0.7, abs=0.02)


def order(**options):
    own = {"image": str(CAT), "style": "fire", "segmenter": "whole", "no_wandb": True}
    own |= {"size": 64, "steps": 4, "full_size": 0}
    parts = {
        "model.generator": "lightning_modules.generators.pixels.Pixels",
        "model.encoder": "tests.support.tiny.TinyEncoder",
        "model.content_features": "tests.support.tiny.TinyFeatures",
        "model.patches.count": 1,
    }
    return Order(own | options, parts, "clipstyler")


def test_a_painting_is_told_step_by_step_and_keeps_its_picture_when_it_is_stopped(tmp_path):
    stages = []
    task = Paint(order(out=str(tmp_path / "run")), every=0)
    painting = carried_out(task, stages.append, lambda: len(stages) > 1)
    assert [(stage.step, stage.steps) for stage in stages] == [(1, 4), (2, 4), (3, 3)]
    assert all(isinstance(stage, Stage) and len(stage.rows) == 1 for stage in stages)
    with Image.open(io.BytesIO(stages[-1].picture)) as picture:
        assert (picture.format, picture.size) == ("JPEG", (64, 43))
    assert painting.folder == tmp_path / "run" and painting.steps == 3
    assert (painting.folder / "output.png").exists()
    assert "losses" in painting.summary and "mask_coverage" in painting.scores


def test_warming_does_what_comes_later():
    tasks = Warm("reading")._tasks(Path("folder"))
    assert [type(task) for task in tasks] == [Read, Find]
    warm = Warm("painting", order(instruction="x", out="x"))
    assert pickle.loads(pickle.dumps(warm)) == warm
    (paint,) = warm._tasks(Path("folder"))
    options = paint.order.options
    assert (options["out"], options["instruction"]) == ("folder/run", "Turn the cat to fire")
    assert options["segmenter"] == "whole"
