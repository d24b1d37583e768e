"""Reports of a run to its watch, and runs that it ends."""

import pytest
from PIL import Image

from datamodules.run_folder import RunFolder
from experiments.run.configuration import compose
from experiments.run.watch import Watch

SETTINGS = {
    "data.image": "skimage:chelsea",
    "data.style": "fire",
    "data.size": 64,
    "trainer.max_steps": 5,
    "run.keep_every": 0,
    "wandb.enabled": False,
}
TINY = {
    "model.patches.count": 2,
    "model.encoder": "tests.support.tiny.TinyEncoder",
    "model.content_features": "tests.support.tiny.TinyFeatures",
}


class Notes(Watch):
    """Keeps the reports, and ends the run after some steps."""

    def __init__(self, every=0.0, last=100):
        self.every, self.last, self.reports, self.steps = every, last, [], 0

    def on_progress(self, progress):
        self.reports.append(progress)

    def stop_asked(self):
        self.steps += 1
        return self.steps == self.last


def run(folder, watch=None, method="clipstyler", config=None, tiny=True, **settings):
    """Run a method; tiny: in tests' networks."""
    from experiments.run.lightning_cli import AtelierCLI

    changed = SETTINGS | (TINY if tiny else {}) | {"run.out": str(folder)} | settings
    AtelierCLI.from_settings(config or compose(method), changed, started=0.0).run(watch)
    return RunFolder(folder)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A run of three steps that nobody watches."""
    return run(tmp_path_factory.mktemp("runs") / "whole", **{"trainer.max_steps": 3})


def test_every_step_is_reported_with_its_losses_and_the_picture(tmp_path, whole):
    watch = Notes()
    done = run(tmp_path, watch, **{"trainer.max_steps": 3})
    assert [(one.step, one.steps, len(one.rows)) for one in watch.reports] == [
        (1, 3, 1),
        (2, 3, 1),
        (3, 3, 1),
    ]
    first, second, last = watch.reports
    assert first.seconds_left is None and second.seconds_left > 0 and last.seconds_left == 0
    assert [row for one in watch.reports for row in one.rows][2]["total"] == (
        done.losses["total"][2]
    )
    assert last.picture.size == (64, 43) and last.picture.mode == "RGB"
    assert last.picture.tobytes() == open_picture(done).tobytes()
    assert_same(done, whole)


def open_picture(run):
    from datamodules.images import load_picture

    return load_picture(str(run.path / "output.png"))


def assert_same(one, other):
    for name in ("output.png", "losses.csv"):
        assert (one.path / name).read_bytes() == (other.path / name).read_bytes(), name


def test_reports_keep_their_distance_and_the_last_step_has_one(tmp_path):
    watch = Notes(every=1000.0)
    run(tmp_path, watch, **{"trainer.max_steps": 3})
    assert [(one.step, len(one.rows)) for one in watch.reports] == [(1, 1), (3, 2)]


def test_without_an_interval_nothing_is_reported_or_painted(tmp_path, monkeypatch):
    painted = []
    monkeypatch.setattr("experiments.run.watching.to_picture", painted.append)
    watch = Notes(every=float("inf"))
    run(tmp_path, watch, **{"trainer.max_steps": 2})
    assert watch.reports == painted == [] and watch.steps == 1


def test_a_stopped_run_is_the_run_of_its_steps_and_so_says_its_configuration(tmp_path, whole):
    watch = Notes(every=1000.0, last=3)
    stopped = run(tmp_path / "stopped", watch)
    assert watch.reports[-1].step == watch.reports[-1].steps == 3
    assert stopped.result.steps == 3 and stopped.result.stop_note == ""
    assert stopped.result.metrics.keys() == whole.result.metrics.keys()
    assert stopped.setting("trainer.max_steps") == 3
    assert_same(stopped, whole)


def test_a_schedule_that_knows_the_end_is_noted_instead_of_a_configuration_that_lies(
    tmp_path, caplog
):
    linear = {"model.lr_scheduler": "lightning_modules.optimizers.schedules.Linear"}
    stopped = run(tmp_path, Notes(last=2), **linear)
    assert stopped.result.steps == 2 and stopped.setting("trainer.max_steps") == 5
    assert "ended after 2 of 5 steps" in stopped.result.stop_note
    assert stopped.result.stop_note in caplog.text


def test_the_step_beyond_the_papers_counts_when_a_run_is_ended(tmp_path):
    settings = {"model.mode": "reference"}
    stopped = run(tmp_path / "stopped", Notes(last=1), **settings)
    assert stopped.result.steps == 2 and stopped.setting("trainer.max_steps") == 1
    again = run(tmp_path / "again", **settings, **{"trainer.max_steps": 1})
    assert_same(stopped, again)


def test_a_method_in_one_pass_is_reported_before_its_larger_picture(tmp_path):
    larger = tmp_path / "output_full.png"

    class Looking(Notes):
        def on_progress(self, progress):
            super().on_progress(progress)
            self.early = not larger.exists()

    watch, steps = Looking(), {"trainer.max_steps": 0, "data.full_size": 96}
    run(tmp_path, watch, config=compose("fast_clipstyler"), tiny=False, **steps)
    (report,) = watch.reports
    assert (report.step, report.steps, report.rows) == (0, 0, [])
    assert report.picture.tobytes() == Image.open(tmp_path / "output.png").tobytes()
    assert watch.early and larger.exists()
