"""`atelier.build`, and methods with Lightning's own Trainer."""

import sys

import atelier
import pytest
import yaml
from lightning import Trainer
from PIL import Image

from datamodules.run_folder import OUTPUT, RunFolder
from lightning_modules.soulstyler import Soulstyler
from tests.support.cli import ROOT
from tests.support.soulstyler import data as data_of
from tests.support.soulstyler import soulstyler
from tests.support.tiny import NETWORKS

EXAMPLE = ROOT / "docs" / "examples" / "plain_lightning.py"
QUICK = {"size": 64, "seed": 3, "settings": {"model.patches.count": 2, **NETWORKS}}
PLAIN = {
    "logger": False,
    "enable_checkpointing": False,
    "enable_progress_bar": False,
    "enable_model_summary": False,
}


@pytest.mark.xdist_group("masks")  # a process looks only once for an object in a picture
def test_the_example_has_fifteen_lines_and_makes_a_whole_run(tmp_path, monkeypatch, capsys):
    text = EXAMPLE.read_text()
    code = text.split('"""', 2)[2].strip()
    assert len([line for line in code.splitlines() if line]) <= 15
    assert code in (ROOT / "docs" / "python.md").read_text()
    monkeypatch.setattr(sys, "argv", ["plain_lightning.py", str(tmp_path / "run")])
    exec(compile(text.replace("max_steps=40", "max_steps=2"), EXAMPLE, "exec"), {})
    run = RunFolder(tmp_path / "run")
    assert (run.result.steps, run.result.seed, run.result.method) == (2, 3, "Soulstyler")
    assert run.setting("data.object") == "cat"
    assert run.result.metrics["background_max_error"] == 0
    assert capsys.readouterr().out == f"{tmp_path / 'run'} 0.0\n"


def test_plain_lightning_gives_the_bytes_of_a_call(mask, tmp_path):
    request = {"style": "fire", "object": "cat", "mask": mask, **QUICK}
    called = atelier.stylize("skimage:chelsea", steps=2, out=tmp_path / "a", **request)
    module, data = atelier.build(image="skimage:chelsea", steps=2, **request)
    trainer = Trainer(max_steps=2, callbacks=[atelier.WriteRun(tmp_path / "b")], **PLAIN)
    trainer.fit(module, datamodule=data)
    assert (tmp_path / "b" / OUTPUT).read_bytes() == (called.folder / OUTPUT).read_bytes()
    again = atelier.stylize(config=tmp_path / "b" / "config.yaml", out=tmp_path / "c", full_size=0)
    assert (again.folder / OUTPUT).read_bytes() == (called.folder / OUTPUT).read_bytes()


def test_a_method_made_by_hand_needs_no_further_call(tmp_path):
    data = data_of(object="cat", style="fire", size=64)
    run = atelier.WriteRun(tmp_path / "run")
    trainer = Trainer(max_steps=1, callbacks=[run, atelier.ScoreRun()], **PLAIN)
    trainer.fit(method := soulstyler(), data)
    assert Image.open(tmp_path / "run" / OUTPUT).size == (64, 43)
    assert RunFolder(tmp_path / "run").finished and method.begun
    with pytest.raises(atelier.AtelierError, match="already holds a finished run"):
        trainer.fit(soulstyler(), data)


@pytest.mark.parametrize(
    ("settings", "data", "callbacks", "sentence"),
    [
        ({"max_steps": 1}, False, (), "takes its picture from a StylizationDataModule"),
        ({}, True, (), r"give Trainer\(max_steps=60\)"),
        ({"max_steps": 1}, True, (atelier.ScoreRun(),), "ScoreRun scores what WriteRun writes"),
    ],
)
def test_a_trainer_that_cannot_work_is_told_so(settings, data, callbacks, sentence):
    trainer = Trainer(**settings, callbacks=[*callbacks], **PLAIN)
    source = data_of(object="cat", style="fire", size=64)
    source.setup()
    with pytest.raises(atelier.AtelierError, match=sentence):
        if data:
            trainer.fit(soulstyler(), datamodule=source)
        else:
            trainer.fit(soulstyler(), source.train_dataloader())


def test_arguments_of_methods_and_data_have_names():
    with pytest.raises(TypeError, match="positional argument"):
        Soulstyler("painter", "encoder")
    with pytest.raises(TypeError, match="positional argument"):
        data_of.__globals__["StylizationDataModule"]("boat.jpg", "Turn the boat to fire")


def test_the_values_are_those_of_the_method_and_its_models():
    module, data = atelier.build(image="skimage:chelsea", style="fire")
    whole = yaml.safe_load(module.configuration)
    assert module.weights == whole["model"]["init_args"]["weights"]
    assert data.size == whole["data"]["size"] == 512
    for options in ({"stile": "fire"}, {"settings": {"model.tua": 1}}):
        with pytest.raises(atelier.AtelierError, match=r"stile|tua"):
            atelier.build(image="skimage:chelsea", **options)
