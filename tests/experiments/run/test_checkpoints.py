"""Checkpoints of runs: after a break the same command ends with the same bytes."""

import pytest
from lightning import Callback

from experiments.run.configuration import compose
from experiments.run.watch import Speaker
from tests.support.tiny import NETWORKS

SETTINGS = {
    "data.image": "skimage:chelsea",
    "data.style": "fire",
    "data.size": 64,
    "model.patches.count": 4,
    "trainer.max_steps": 6,
    "run.checkpoint_every": 2,
    "run.keep_every": 1,
    "wandb.enabled": False,
    "model.generator": "small_unet",
    **NETWORKS,
}


class Break(Callback):
    """The end of a process after some steps."""

    def __init__(self, after):
        self.after = after

    def on_train_batch_start(self, trainer, *_):
        if trainer.global_step == self.after:
            raise RuntimeError("the process ends here")


def start(folder, mask, method="clipstyler", **settings):
    from experiments.run.lightning_cli import AtelierCLI

    changed = SETTINGS | {"data.mask": str(mask), "run.out": str(folder)} | settings
    return AtelierCLI.from_settings(compose(method), changed, started=0.0)


def broken(folder, mask, after, **settings):
    cli = start(folder, mask, **settings)
    cli.trainer.callbacks.append(Break(after))
    with pytest.raises(RuntimeError, match="ends here"):
        cli.run()


@pytest.mark.parametrize(
    ("method", "settings"),
    [
        ("clipstyler", {"model.generator": "stylenet", "model.content_every": 3}),
        ("soulstyler", {}),
        ("generative_artisan", {}),
    ],
)
def test_a_run_with_a_break_ends_with_the_same_bytes(tmp_path, mask, method, settings, capsys):
    start(tmp_path / "whole", mask, method, **settings).run()
    broken(tmp_path / "parts", mask, 5, method=method, **settings)
    cli = start(tmp_path / "parts", mask, method, **settings)
    cli.run(Speaker())
    assert cli.first == 4
    assert "goes on  from step 4" in capsys.readouterr().err
    whole, parts = (tmp_path / name for name in ("whole", "parts"))
    names = [f"steps/{step:06d}.png" for step in range(1, 7)]
    for name in [*names, "output.png", "losses.csv"]:
        assert (parts / name).read_bytes() == (whole / name).read_bytes(), name


def test_a_checkpoint_of_other_code_is_not_taken(tmp_path, mask, caplog, monkeypatch):
    broken(tmp_path, mask, 3)
    monkeypatch.setattr("experiments.run.lightning_cli.code_digest", lambda modules: "edited")
    cli = start(tmp_path, mask)
    cli.set_up()
    assert cli.first == 0
    assert "other settings or code" in caplog.text


def test_a_checkpoint_of_other_settings_or_a_damaged_one_is_not_taken(tmp_path, mask, caplog):
    broken(tmp_path, mask, 3)
    assert start(tmp_path, mask, **{"data.style": "ice"}).set_up() is not None
    assert "other settings" in caplog.text
    broken(tmp_path, mask, 3)
    path = tmp_path / "checkpoint.ckpt"
    path.write_bytes(path.read_bytes()[:-200])
    cli = start(tmp_path, mask)
    cli.run()
    assert cli.first == 0
    assert "damaged" in caplog.text
    assert not path.exists()  # nothing is left after the end
