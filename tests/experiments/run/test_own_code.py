"""Methods, parts and metrics of users: by file, by class, from any folder."""

import json
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml

from datamodules.support.errors import AtelierError
from experiments.campaigns.grid import read_sweep, sweep_jobs
from experiments.run.configuration import compose, compose_training, with_settings
from experiments.run.lightning_cli import AtelierCLI
from experiments.run.metrics import metrics_by_name
from experiments.run.own_code import fault, folder_of
from experiments.run.parts import build_segmenter
from experiments.run.registry import find_method, find_methods, method_class
from experiments.run.words import settled_words
from tests.support.own_methods import YAML
from tests.support.tiny import TinyEncoder

PICTURE = {"data.image": "skimage:chelsea", "data.style": "fire"}


@pytest.mark.parametrize("way", ["a relative path", "an absolute path", "a class"])
def test_a_method_is_a_file_or_a_class(own_method, monkeypatch, way):
    monkeypatch.chdir(own_method.folder)
    ways = {"a relative path": own_method.file.name, "an absolute path": str(own_method.file)}
    origin = find_method(ways.get(way, own_method.path))
    assert (origin.name, origin.file, origin.class_path) == (
        own_method.name,
        own_method.file,
        own_method.path,
    )
    config = compose(ways.get(way, own_method.path))
    assert config["code"] == [str(own_method.folder)]
    assert config["model"]["init_args"]["weights"] == {"global": 1}
    assert (
        config["model"]["init_args"]["encoder"] == compose("gatys")["model"]["init_args"]["encoder"]
    )
    assert config["data"]["segmenter"]["class_path"].endswith("WholePicture")


def test_classes_of_a_file_are_found_from_any_folder(own_method, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert compose(f"own/../own/{own_method.name}.yaml")["code"] == [str(own_method.folder)]
    assert method_class(str(own_method.file)).__name__ == "Plain"
    config = compose(str(own_method.file))
    sys.path.remove(str(own_method.folder))
    AtelierCLI.refuse_wrong(with_settings(config, PICTURE))
    assert str(own_method.folder) in sys.path[-1:]  # hides nothing


def test_a_class_without_a_file_is_a_method_if_it_has_its_weights(own_method, monkeypatch):
    monkeypatch.chdir(own_method.folder)
    own_method.file.unlink()
    config = with_settings(compose(own_method.path), PICTURE)
    assert config["data"]["segmenter"] == compose("soulstyler")["data"]["segmenter"]
    with pytest.raises(AtelierError, match="weights"):
        AtelierCLI.refuse_wrong(config)
    AtelierCLI.refuse_wrong(with_settings(config, {"model.weights": {"global": 1}}))


def test_a_method_has_settings_of_its_own_for_single_models(own_method):
    beside = own_method.folder / f"{own_method.name}.embedded.yaml"
    beside.write_text("model: {init_args: {gain: 3}}")
    (own_method.folder / f"{own_method.name}.paper.yaml").write_text("trainer: {max_steps: 7}")
    config = compose(str(own_method.file), "fast")
    assert config["model"]["init_args"]["gain"] == 3
    assert config["trainer"] == compose("gatys", "fast")["trainer"] | {"max_steps": 80}
    assert compose(str(own_method.file), "paper")["trainer"]["max_steps"] == 7


def test_wrong_names_of_methods_are_one_sentence(own_method, monkeypatch):
    monkeypatch.chdir(own_method.folder)
    for name, sentence in {
        "nothing.yaml": "There is no method at nothing.yaml; check the path",
        "nothing.Nothing": "no module nothing is in",
        f"{own_method.name}.Plane": f"There is no class Plane in .*{own_method.name}.py",
        "soulstiler": "did you mean soulstyler",
    }.items():
        with pytest.raises(AtelierError, match=sentence):
            find_method(name)
    Path("empty.yaml").write_text("data: {}")
    with pytest.raises(AtelierError, match="names no method; write model"):
        find_method("empty.yaml")
    with pytest.raises(AtelierError, match=r"'model\.gian' of Plain; did you mean model\.gain"):
        with_settings(compose(own_method.path), {"model.gian": 2})


def test_two_methods_of_one_name_are_not_mixed(own_method, tmp_path, monkeypatch):
    other = tmp_path / own_method.file.name
    other.write_text(own_method.file.read_text().replace("global: 1", "global: 2"))
    with pytest.raises(AtelierError, match=f"are both called {own_method.name} in tables"):
        find_methods([str(own_method.file), str(other)])
    monkeypatch.chdir(own_method.folder)
    assert list(find_methods([own_method.path, str(own_method.file), "gatys"])) == [
        own_method.name,
        "gatys",
    ]


@pytest.mark.parametrize("hidden", ["json", "yaml"])
def test_a_module_that_another_one_hides_is_refused(own_method, hidden):
    (own_method.folder / f"{hidden}.py").write_text(own_method.source.read_text())
    file = own_method.folder / "hidden.yaml"
    file.write_text(YAML.replace("MODULE", hidden))
    with pytest.raises(AtelierError, match=f"Python finds {hidden} in .* first; give {hidden}.py"):
        find_method(str(file))


def test_code_that_has_gone_is_said(own_method, tmp_path):
    with pytest.raises(AtelierError, match=f"folder of code {tmp_path}/gone is not there"):
        with_settings({"code": [f"{tmp_path}/gone"]}, {})


def test_sweeps_take_methods_beside_their_file(own_method, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    fixed = {"image": "skimage:chelsea", "style": "fire"}
    names = [own_method.file.name, "gatys"]
    for part in ({"method": names, "grid": {"seed": [0]}}, {"grid": {"method": names}}):
        (own_method.folder / "sweep.yaml").write_text(yaml.safe_dump({"fixed": fixed, **part}))
        jobs = sweep_jobs(read_sweep("own/sweep.yaml"), {}, wandb=False)
        assert [job.labels["method"] for job in jobs] == [own_method.name, "gatys"]
        assert jobs[0].config["code"] == [str(own_method.folder)]
        assert "code" not in jobs[1].config


def test_the_name_of_a_run_knows_the_code_and_not_its_place(own_method, tmp_path, monkeypatch):
    from experiments.campaigns.plan import make_job
    from experiments.run import sources

    def name(method):
        sources.code_digest.cache_clear()
        values = {"method": method, "image": "skimage:chelsea", "style": "fire"}
        return make_job(values, {}, "s", False).id

    first = name(str(own_method.file))
    own_method.write('"""The direction of the style, and nothing else."""', '"""Other words."""')
    assert name(str(own_method.file)) == first
    own_method.write("self.gain *", "2 * self.gain *")
    changed = name(str(own_method.file))
    assert changed != first
    monkeypatch.chdir(own_method.folder)
    assert name(own_method.path) == changed
    moved = own_method.folder.rename(tmp_path / "elsewhere")
    sys.path.remove(str(own_method.folder))
    from experiments.run.own_code import forget

    forget()
    assert name(str(moved / own_method.file.name)) == changed


def test_a_file_here_that_an_installed_module_hides_is_named_once(tmp_path, monkeypatch, caplog):
    monkeypatch.chdir(tmp_path)
    Path("wave.py").write_text("class Wave_read: pass")
    for _ in range(2):
        assert folder_of("wave.Wave_read") == ""
    (message,) = caplog.messages
    assert message.startswith(f"wave.Wave_read is not the one in {tmp_path}: Python finds wave in")
    assert "give wave.py another name" in message


def test_values_that_a_preset_of_models_replaces_are_named(cli, own_method):
    def talk():
        result = cli("validate", own_method.file)
        assert result.returncode == 0, result.stderr
        return result.stderr

    assert talk() == ""
    config = yaml.safe_load(own_method.file.read_text())
    own = {"optimizer": {"class_path": "torch.optim.SGD", "init_args": {"lr": 1}}}
    config |= {"trainer": {"max_steps": 60}}
    config["model"]["init_args"] |= own
    own_method.file.write_text(yaml.safe_dump(config))
    (line,) = talk().splitlines()
    assert line.startswith(f"models embedded goes over {own_method.file}: ")
    assert "model.optimizer is Adam, not SGD; trainer.max_steps is 30, not 60; " in line
    stated = {"model": {"init_args": own}, "trainer": {"max_steps": 60}}
    own_method.file.with_suffix(".embedded.yaml").write_text(yaml.safe_dump(stated))
    assert talk() == ""
    assert compose(str(own_method.file))["trainer"]["max_steps"] == 60


def test_classes_in_the_current_folder_are_found_and_noted(own_method, monkeypatch):
    monkeypatch.chdir(own_method.folder)
    name = f"{own_method.name}_parts"
    Path(f"{name}.py").write_text(
        "from datamodules.segmentation.whole import WholePicture\n"
        "class Mine(WholePicture):\n    pass\n"
        "from tests.support.own_metrics import Green\n"
    )
    for value in (f"{name}.Mine", json.dumps({"class_path": f"{name}.Mine"})):
        config = with_settings(compose("gatys"), {"data.segmenter": value})
        assert config["code"] == [str(own_method.folder)]
    assert build_segmenter(f"{name}.Mine").name == "Mine"
    assert list(metrics_by_name("embedded", [f"{name}.Green"])) == [f"{name}.Green"]
    Path("mine.yaml").write_text(f"mine: {{class_path: {name}.Green}}")
    assert list(metrics_by_name("mine.yaml")) == ["mine"]
    assert (
        folder_of("datamodules.segmentation.whole.WholePicture") == folder_of("torch.Tensor") == ""
    )
    monkeypatch.chdir("/")
    assert folder_of("no_such_module.Class") == ""


def test_fit_finds_files_and_classes_from_any_folder(own_method, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    ours, picture = "configs/models/embedded.yaml", "--data.image=skimage:chelsea"
    words = ["--config", str(own_method.file), f"--config={ours}", picture]
    settled = settled_words(words)
    root = Path(__file__).parents[3]
    assert settled[2] == f"--config={root / ours}"
    assert settled[-1] == f'--code=["{own_method.folder}"]'
    assert settled[:2] + settled[3:-1] == words[:2] + words[3:]
    Path(ours).parent.mkdir(parents=True)
    Path(ours).write_text("{}")
    assert settled_words(words)[2] == f"--config={ours}"  # the user's


def test_a_training_takes_networks_of_an_own_method(own_method, monkeypatch):
    monkeypatch.chdir(own_method.folder)
    Path("mine.yaml").write_text(
        f"method: {own_method.file.name}\ntrainer: {{max_steps: 3}}\n"
        "model: {init_args: {generator: {class_path: tests.support.training.TinyOnePass}}}\n"
    )
    config = compose_training("mine.yaml")
    assert config["model"]["class_path"] == "lightning_modules.training.Training"
    assert config["model"]["init_args"]["encoder"]["class_path"].endswith("BridgeEncoder")
    assert str(own_method.folder) in config["code"]


def test_an_exception_in_own_code_has_its_place(own_method):
    own_method.write("self.gain * losses.mean()", "self.gian * losses.mean()")
    method = method_class(str(own_method.file))
    unit = TinyEncoder().embed_texts(["a"])
    stub = SimpleNamespace(content_embedding=2 * unit, direction=unit)
    features = SimpleNamespace(embeddings=unit)
    try:
        method.losses(stub, None, features, None)
    except AttributeError as error:
        line = 1 + own_method.source.read_text().split("\n").index(
            '        return {"global": self.gian * losses.mean()}'
        )
        assert fault(error).startswith(f"{own_method.source}, line {line}, in losses: Attribute")
    try:
        raise ValueError("of ours, or of a package")
    except ValueError as error:
        error.__traceback__ = None
        assert fault(error) == ""
