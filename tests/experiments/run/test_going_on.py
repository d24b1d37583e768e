"""More steps of a finished run: the same bytes as in one go, and never less than it was."""

import shutil
from pathlib import Path

import pytest

from datamodules.run_folder import RunFolder
from datamodules.support.errors import AtelierError
from experiments.run.order import Order
from experiments.run.watch import Watch
from tests.support.cli import assert_refused
from tests.support.tiny import NETWORKS

OPTIONS = {"image": "skimage:chelsea", "object": "cat", "style": "fire", "size": 64}
OPTIONS |= {"no_wandb": True, "full_size": 0}
SETTINGS = {"model.patches.count": 2, "run.keep_every": 1}
TINY = NETWORKS | {"model.generator": "small_unet", "model.content_every": 3}
LINEAR = {"model.lr_scheduler": "lightning_modules.optimizers.schedules.Linear"}


def make(folder, mask, steps, method=None, watch=None, keep=True, **settings):
    options = OPTIONS | {"mask": [str(mask)], "steps": steps, "out": str(folder)}
    order = Order(options | {"keep_checkpoint": keep}, SETTINGS | settings, method)
    return RunFolder(order.carry_out(watch))


def go_on(folder, steps=None, watch=None, **settings):
    return RunFolder(Order({"continue": str(folder), "steps": steps}, settings).carry_out(watch))


@pytest.fixture(scope="module")
def three(tmp_path_factory, mask):
    """A run of three steps that keeps its checkpoint, not to be changed."""
    return make(tmp_path_factory.mktemp("runs") / "three", mask, 3, **TINY).path


@pytest.fixture
def run(three, tmp_path):
    """A copy of the same run."""
    return Path(shutil.copytree(three, tmp_path / "run"))


def files(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


@pytest.mark.parametrize(("method", "settings"), [("soulstyler", NETWORKS), ("clipstyler", TINY)])
def test_more_steps_give_the_bytes_of_as_many_in_one_go(tmp_path, mask, method, settings):
    whole = make(tmp_path / "whole", mask, 5, method, keep=False, **settings)
    made = make(tmp_path / "parts", mask, 3, method, **settings)
    assert made.result.steps == 3
    longer = go_on(tmp_path / "parts", 5)
    assert longer.result.steps == 5 and longer.setting("trainer.max_steps") == 5
    for name in ("output.png", "output_enhanced.png", "losses.csv", "steps/000005.png"):
        assert (longer.path / name).read_bytes() == (whole.path / name).read_bytes(), name
    assert longer.altered == []
    assert not (whole.path / "checkpoint.ckpt").exists()


class Break(Watch):
    def stop_asked(self):
        raise RuntimeError("the process ends here")


class StopAfter(Watch):
    """Ends a run after so many further steps."""

    def __init__(self, steps):
        self.steps = steps

    def stop_asked(self):
        self.steps -= 1
        return self.steps == 0


def test_a_break_leaves_the_result_of_fewer_steps_as_it_was(run):
    before = files(run)
    with pytest.raises(RuntimeError, match="ends here"):
        go_on(run, 6, Break(), **{"run.checkpoint_every": 1})
    assert files(run) == before
    assert go_on(run, 5).result.steps == 5


@pytest.mark.parametrize(
    ("place", "result"),
    [
        ("datamodules.run_folder.RunWriter.discard", True),  # the last checkpoint is there
        ("experiments.run.lightning_cli.write_result", False),
    ],
)
def test_a_break_at_the_end_of_the_longer_run_can_be_mended(run, monkeypatch, place, result):
    with monkeypatch.context() as patch:
        patch.setattr(place, lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            go_on(run, 4)
    assert (run / "result.json").exists() == result
    mended = go_on(run, 4)
    assert mended.result.steps == 4 and mended.altered == []
    assert len(mended.losses["total"]) == 4
    assert not (run / "FAILED.txt").exists()


def test_a_longer_run_can_be_stopped_and_go_on_again(run):
    stopped = go_on(run, 9, StopAfter(1))
    assert stopped.result.steps == 4 and stopped.setting("trainer.max_steps") == 4
    assert go_on(run, 5).result.steps == 5


def test_a_stopped_run_goes_on_to_the_end_that_its_schedule_knows_and_to_no_other(tmp_path, mask):
    settings = TINY | LINEAR
    whole = make(tmp_path / "whole", mask, 3, keep=False, **settings)
    make(tmp_path / "parts", mask, 3, watch=StopAfter(2), **settings)
    with pytest.raises(AtelierError, match="schedule of the learning rate knows"):
        go_on(tmp_path / "parts", 4)
    done = go_on(tmp_path / "parts")
    assert (done.result.steps, done.result.stop_note) == (3, "")
    for name in ("output.png", "losses.csv"):
        assert (done.path / name).read_bytes() == (whole.path / name).read_bytes(), name


def test_a_run_that_is_made_anew_does_not_go_on(run, mask):
    order = OPTIONS | {"mask": [str(mask)], "steps": 3, "out": str(run), "overwrite": True}
    assert RunFolder(Order(order, SETTINGS | TINY).carry_out()).result.steps == 3
    assert not (run / "checkpoint.ckpt").exists()


@pytest.mark.parametrize(
    ("steps", "settings", "sentence"),
    [
        (3, {}, "has 3 steps already; give --steps 4 or more"),
        (None, {}, "has 3 steps already; give --steps 4 or more"),
        (4, {"data.style": "ice"}, "other settings or code; make the run in .* again"),
    ],
)
def test_what_cannot_go_on_is_refused_in_one_sentence(run, steps, settings, sentence):
    before = files(run)
    with pytest.raises(AtelierError, match=sentence):
        go_on(run, steps, **settings)
    assert files(run) == before


def test_changed_code_is_refused(run, monkeypatch):
    monkeypatch.setattr("experiments.run.lightning_cli.code_digest", lambda modules: "edited")
    with pytest.raises(AtelierError, match="other settings or code"):
        go_on(run, 4)


def test_a_folder_without_a_checkpoint_or_a_run_is_refused(run, cli, tmp_path):
    (run / "checkpoint.ckpt").unlink()
    done = cli("stylize", "--continue", run, "--steps", 5)
    assert_refused(done, r"has no checkpoint.ckpt .* make the run with --keep-checkpoint")
    assert_refused(cli("stylize", "--continue", tmp_path / "none"), "There is no run in")
    done = cli("stylize", "--continue", run, "--steps", 5, "--method", "clipstyler")
    assert_refused(done, "--continue goes on with a run as it is")
    config = run / "config.yaml"
    config.write_text(config.read_text().replace("max_steps: 3", "max_steps: 0"))
    assert_refused(cli("stylize", "--continue", run, "--steps", 5), "painted in one pass")
