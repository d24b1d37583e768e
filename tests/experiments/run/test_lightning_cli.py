"""Configurations that are built and run."""

import pytest

from experiments.run.configuration import compose
from experiments.run.registry import METHODS, names
from lightning_modules.optimizers.soap import Soap
from tests.support.tiny import NETWORKS


# Without decoders, of which there are none before a training: tests/experiments/commands has them.
@pytest.mark.parametrize("method", [name for name in names(METHODS) if name != "clipstyler_fast"])
def test_every_method_is_built_from_its_yaml_and_steps(method, tmp_path, mask, monkeypatch):
    monkeypatch.chdir(tmp_path)
    from experiments.run.lightning_cli import AtelierCLI

    settings = {
        "data.image": "skimage:chelsea",
        "data.style": "fire",
        "data.style_image": "skimage:coffee",
        "data.mask": str(mask),
        "data.size": 96,
        "trainer.max_steps": 2,
        "wandb.enabled": False,
    }
    config = compose(method)
    if "patch" in config["model"]["init_args"]["weights"]:
        settings["model.patches.count"] = 4
    cli = AtelierCLI.from_settings(config, settings, started=0.0)
    folder = cli.run().folder
    assert cli.trainer.global_step == 2
    assert (folder / "result.json").exists()


@pytest.mark.parametrize(("mode", "steps"), [("paper", 2), ("reference", 3)])
def test_the_reference_takes_one_step_more(tmp_path, monkeypatch, mode, steps):
    monkeypatch.chdir(tmp_path)
    from experiments.run.lightning_cli import AtelierCLI

    settings = {"data.image": "skimage:chelsea", "data.style": "fire", "data.size": 64}
    settings |= {"trainer.max_steps": 2, "wandb.enabled": False, "model.mode": mode, **NETWORKS}
    cli = AtelierCLI.from_settings(compose("clipstyler"), settings, started=0.0)
    folder = cli.run().folder
    assert cli.trainer.global_step == steps
    assert len((folder / "losses.csv").read_text().splitlines()) == 1 + steps


def test_the_fast_preset_runs_from_the_identity_with_its_own_optimizer(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    from experiments.run.lightning_cli import AtelierCLI

    settings = {"data.image": "skimage:chelsea", "data.style": "fire", "data.size": 64}
    settings |= {"model.generator.start": "identity", "trainer.max_steps": 3}
    settings |= {"wandb.enabled": False, "model.patches.count": 4}
    cli = AtelierCLI.from_settings(compose("clipstyler", "fast"), settings, started=0.0)
    cli.run()
    optimizer = cli.model.optimizers().optimizer
    assert isinstance(optimizer, Soap)
    (group,) = optimizer.param_groups
    assert group["initial_lr"] == 3e-3
    assert group["floor"] == 1e-4  # not the eps of Adam, which the method's file names
    assert group["lr"] == 0  # the line has come to its end
    content, batch = cli.datamodule.task.content, cli.datamodule.task.batch()
    assert 0.01 < (cli.model.stylize(batch)[0] - content).abs().mean() < 0.2  # still the photo
