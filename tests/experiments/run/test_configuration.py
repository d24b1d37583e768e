"""Methods, models and settings composed to one configuration, as LightningCLI composes them."""

import re
from pkgutil import resolve_name

import pytest
import yaml

from datamodules.models.catalogue import catalogue, needed_by
from datamodules.models.published import register
from datamodules.support.errors import AtelierError
from experiments.cli import main
from experiments.run.configuration import (
    NETWORKS,
    class_paths,
    compose,
    config_files,
    merge,
    read_config,
    weights_of,
    with_settings,
)
from experiments.run.outdated import MOVED, RENAMED
from experiments.run.registry import CONFIGS, METHODS, MODELS, names

ROOT = CONFIGS.parent
PICTURE = {"data.image": "skimage:chelsea"}
ADAM, HALVING = "torch.optim.Adam", "lightning_modules.optimizers.schedules.Halving"
ONE_PASS = [method for method in names(METHODS) if not compose(method)["trainer"]["max_steps"]]
ALL = [(method, models) for method in names(METHODS) for models in names(MODELS)]


@pytest.fixture
def resolved(monkeypatch):
    """The whole configuration of a run, defaults included, without building its networks."""
    from experiments.run.lightning_cli import AtelierCLI

    class ResolvedError(Exception):
        """Carries the configuration out of LightningCLI."""

    def stop(cli):
        raise ResolvedError(cli.parser.dump(cli.config, skip_unset=False, skip_validation=True))

    monkeypatch.setattr(AtelierCLI, "instantiate_classes", stop)

    def resolve(build, *arguments):
        with pytest.raises(ResolvedError) as carried:
            build(*arguments, started=0.0)
        return yaml.safe_load(str(carried.value))

    return resolve


# All methods, all presets, and each kind of file that a preset has for a single method.
PAIRS = [(method, "embedded") for method in names(METHODS)]
PAIRS += [("attention", models) for models in names(MODELS) if models != "embedded"]
PAIRS += [("sem_cs", "reference"), ("fast_clipstyler", "fast"), ("soulstyler", "paper")]


@pytest.mark.parametrize(("method", "models"), PAIRS)
def test_lightnings_command_line_composes_the_same_configuration(resolved, method, models):
    from experiments.run.lightning_cli import AtelierCLI

    words = [f"--config={path}" for path in config_files(method, models)]
    by_lightning = resolved(AtelierCLI.from_arguments, [*words, "--data.image=skimage:chelsea"])
    assert resolved(AtelierCLI.from_settings, compose(method, models), PICTURE) == by_lightning


PAPERS = {  # steps, patch size, threshold, segmenter
    "clipstyler": (200, 0.25, 0.7, "WholePicture"),
    "soulstyler": (200, 0.125, 0.7, "CLIPSegSegmenter"),
    "sem_cs": (400, 0.25, 0.7, "SpectralSegmenter"),
    "generative_artisan": (400, 0.25, None, "FCNSegmenter"),
    "fusion": (200, 0.125, 0.7, "CLIPSegSegmenter"),
}


@pytest.mark.parametrize("method", PAPERS)
def test_two_files_are_the_papers_settings(resolved, method):
    from experiments.run.lightning_cli import AtelierCLI

    files = [METHODS / f"{method}.yaml", MODELS / "paper.yaml"]
    words = [f"--config={path}" for path in files]
    config = resolved(AtelierCLI.from_arguments, [*words, "--data.image=skimage:chelsea"])
    model, data = config["model"]["init_args"], config["data"]
    steps, brush, tau, segmenter = PAPERS[method]
    assert config["trainer"]["max_steps"] == steps
    assert (model["brush"], model.get("tau"), model["patches"]["count"]) == (brush, tau, 64)
    assert model["weights"]["content"] == 150
    assert data["size"] == 512
    assert data["segmenter"]["class_path"].endswith(segmenter)
    assert model["encoder"]["init_args"]["model"] == "ViT-B-32-quickgelu"


def test_each_network_is_written_once():
    """But for generators, which have networks of their own."""
    classes, texts = r"(BridgeEncoder|OpenCLIPEncoder)", []
    for path in [*METHODS.glob("*.yaml"), *MODELS.rglob("*.yaml")]:
        config = yaml.safe_load(path.read_text())
        config.get("model", {}).get("init_args", {}).pop("generator", None)
        texts.append(yaml.safe_dump(config))
    text = "".join(texts)
    assert sorted(re.findall(classes, text)) == ["BridgeEncoder", "OpenCLIPEncoder"]
    for features in ("EfficientNetFeatures", "VGGFeatures"):  # of the content and of the style
        assert text.count(features) == 2


def test_a_method_without_models_is_refused_with_the_files_to_add(capsys):
    words = ["--config", METHODS / "fusion.yaml", "--data.image", "skimage:chelsea"]
    assert main(["fit", *map(str, words)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "fusion names no networks; add --config configs/models/paper.yaml, or" in line
    for file in re.findall(r"configs/\S+\.yaml", line):
        assert (ROOT / file).is_file()


def test_mappings_are_joined_key_by_key_and_another_class_takes_nothing_over():
    under = {"a": {"class_path": "x.X", "init_args": {"p": 1}}, "b": {"c": 1, "d": 2}}
    over = {"a": {"class_path": "y.Y"}, "b": {"d": 3}}
    assert merge(under, over) == {"a": {"class_path": "y.Y"}, "b": {"c": 1, "d": 3}}
    over = {"a": {"init_args": {"q": 2}}}
    both = {"class_path": "x.X", "init_args": {"p": 1, "q": 2}}
    assert merge(under, over) == {"a": both, "b": under["b"]}


def test_settings_go_into_the_arguments_of_their_class():
    config = {"model": {"class_path": "x.X", "init_args": {"weights": {"tv": 1, "content": 5}}}}
    settings = {
        "data.parser.base_url": "http://u",  # before its parser
        "data.parser": "api:m",
        "model.weights.content": "7",
        "model.encoder": "y.Y",
        "model.encoder.size": 3,
        "seed_everything": 4,
    }
    assert with_settings(config, settings) == {
        "model": {
            "class_path": "x.X",
            "init_args": {
                "weights": {"tv": 1, "content": "7"},
                "encoder": {"class_path": "y.Y", "init_args": {"size": 3}},
            },
        },
        "data": {
            "parser": {
                "class_path": "datamodules.parsing.api.APIParser",
                "init_args": {"model": "m", "base_url": "http://u"},
            }
        },
        "seed_everything": 4,
    }
    assert config["model"]["init_args"]["weights"]["content"] == 5  # the given one is unchanged


def test_short_names_mean_the_same_as_settings_and_as_words(resolved):
    from experiments.run.lightning_cli import AtelierCLI

    names = {"model.generator": "stylenet", "data.parser": "api:m", "data.segmenter": "dino"}
    settings = names | {"data.parser.base_url": "http://u", "model.weights.content": "7"} | PICTURE
    by_settings = resolved(AtelierCLI.from_settings, compose("soulstyler"), settings)
    words = [f"--config={path}" for path in config_files("soulstyler", "embedded")]
    words += [f"--{name}={value}" for name, value in settings.items()]
    assert resolved(AtelierCLI.from_arguments, words) == by_settings
    assert by_settings["data"]["parser"]["init_args"]["base_url"] == "http://u"
    assert by_settings["model"]["init_args"]["weights"]["content"] == 7


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("a: [", "cannot be read as YAML"),
        ("- a", "configures no model"),
        ("model: {class_path: lightning_modules.soulstyler.Soulstyler}", ""),
    ],
)
def test_what_is_no_configuration_is_refused(tmp_path, text, sentence):
    path = tmp_path / "c.yaml"
    path.write_text(text)
    if not sentence:
        assert "model" in read_config(path)
        return
    with pytest.raises(AtelierError, match=sentence):
        read_config(path)


# Weights.


def test_weights_are_needed_but_by_what_is_embedded_and_all_of_them_are_listed():
    listed = {entry.name for entry in catalogue()}
    for method, models in ALL:
        needed = set(weights_of(compose(method, models)))
        assert needed <= listed
        assert bool(needed) == (models not in ("embedded", "fast"))


def networks_of(method, models):
    """Classes of networks and data of a configuration, and the weights that they need."""
    config = compose(method, models)
    parts = config["model"]["init_args"]
    networks = [value for name, value in parts.items() if name in NETWORKS or "features" in name]
    return (*class_paths([*networks, config["data"]]), *weights_of(config))


@pytest.mark.parametrize(("method", "models"), {networks_of(*pair): pair for pair in ALL}.values())
def test_the_classes_name_the_weights_that_they_then_ask_for(no_network, method, models):
    """Without any, a run is refused with the first of them, or built where none is needed."""
    from experiments.run.lightning_cli import AtelierCLI

    config = compose(method, models)
    needed = weights_of(config)
    if not needed:
        AtelierCLI.from_settings(config, PICTURE, started=0.0)
        return
    with pytest.raises(AtelierError, match=r"atelier weights (fetch|path)") as refusal:
        AtelierCLI.from_settings(config, PICTURE, started=0.0)
    remedies = re.findall(r"(?:fetch |path )([\w./:-]+)", str(refusal.value))
    assert set(remedies) & set(needed)


def test_soulstylers_paper_needs_four_weights():
    assert weights_of(compose("soulstyler", "paper")) == [
        "open_clip:ViT-B-32-quickgelu/openai",
        "torchvision:vgg19",
        "hf:meta-llama/Llama-2-7b-chat-hf",
        "hf:CIDAS/clipseg-rd64-refined",
    ]


@pytest.mark.parametrize(
    ("part", "names"),
    [
        ({"class_path": "lightning_modules.perceptual.vgg.VGGFeatures"}, ["torchvision:vgg19"]),
        (
            {
                "class_path": "lightning_modules.encoders.open_clip.OpenCLIPEncoder",
                "init_args": {"model": "ViT-B-16-SigLIP", "pretrained": "webli"},
            },
            ["open_clip:ViT-B-16-SigLIP/webli", "tokenizer:timm/ViT-B-16-SigLIP"],
        ),
        (
            {
                "class_path": "lightning_modules.encoders.open_clip.OpenCLIPEncoder",
                "init_args": {"model": "ViT-B-16-SigLIP", "pretrained": "untrained"},
            },
            [],
        ),
        (
            {
                "class_path": "lightning_modules.perceptual.vgg.VGGFeatures",
                "init_args": {"weights": "untrained"},
            },
            [],
        ),
        ({"class_path": "no.such.Class", "init_args": {"a": 1}}, []),
    ],
)
def test_weights_depend_on_the_arguments(part, names):
    assert needed_by({"any": [part]}) == names


def test_missing_weights_are_refused_before_lightning_or_open_clip_is_imported(no_network, capsys):
    import subprocess
    import sys

    code = (
        "import sys\n"
        "from experiments.cli import main\n"
        "code = main(['stylize', 'skimage:chelsea', 'Turn the cat to fire', '--models', 'paper'])\n"
        "sys.exit(1 if {'lightning', 'open_clip'} & set(sys.modules) else code)"
    )
    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert result.returncode == 2, result.stderr
    (line,) = result.stderr.splitlines()
    assert "atelier weights fetch open_clip:ViT-B-32-quickgelu/openai" in line


def test_weights_of_a_method_on_other_models_can_be_fetched(no_network, capsys):
    assert main(["weights", "fetch", "--method", "clipstyler", "--models", "siglip"]) == 2
    assert "open_clip:ViT-B-16-SigLIP/webli is missing" in capsys.readouterr().err


# Presets.


@pytest.fixture
def registered(no_network, tmp_path):
    """A file that stands for CRIS's checkpoint."""
    file = tmp_path / "best_model.pth"
    file.write_bytes(b"x")
    register("cris", file)
    return file


def segmenter_of(method, models):
    return compose(method, models)["data"]["segmenter"]["class_path"].rpartition(".")[2]


@pytest.mark.parametrize("models", ["paper", "reference", "siglip"])
def test_soulstyler_has_cris_where_it_is_registered(no_network, models, request):
    assert segmenter_of("soulstyler", models) == "CLIPSegSegmenter"
    request.getfixturevalue("registered")
    assert segmenter_of("soulstyler", models) == "CRISSegmenter"
    assert "hf:CIDAS/clipseg-rd64-refined" not in weights_of(compose("soulstyler", models))
    binary = compose("soulstyler", models)["data"]["segmenter"].get("init_args", {})
    assert binary == ({"binary": True} if models == "reference" else {})
    assert segmenter_of("soulstyler", "embedded") == "BridgeSegmenter"
    assert segmenter_of("fusion", models) == "CLIPSegSegmenter"


def test_lightnings_command_line_has_cris_by_a_third_file(resolved, registered):
    from experiments.run.lightning_cli import AtelierCLI

    files = [METHODS / "soulstyler.yaml", MODELS / "paper.yaml"]
    files += [MODELS / "paper" / "soulstyler-cris.yaml"]
    assert config_files("soulstyler", "paper") == files
    words = [f"--config={path}" for path in files]
    by_lightning = resolved(AtelierCLI.from_arguments, [*words, "--data.image=skimage:chelsea"])
    settings = compose("soulstyler", "paper"), PICTURE
    assert resolved(AtelierCLI.from_settings, *settings) == by_lightning


def test_a_checkpoint_that_is_no_longer_there_is_said(registered, capsys):
    registered.unlink()
    words = ["skimage:chelsea", "Turn the cat to fire", "--models", "paper"]
    assert main(["stylize", *words]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert f"cris was registered as {registered}, where there is nothing now" in line


def test_the_reference_preset_switches_every_deviation_on():
    for method in names(METHODS):
        own = compose(method, "reference")["model"]["init_args"]
        assert own["mode"] == "reference"
        assert own["content_features"]["init_args"] == {"after_relu": True}
        assert own["weights"]["content"] == (1 if method in ("gatys", "clipstyler_fast") else 150)


@pytest.mark.parametrize("method", names(METHODS))
def test_only_the_fast_preset_has_another_schedule_and_fewer_steps(method):
    fast = compose(method, "fast")
    if method in ("gatys", *ONE_PASS):
        assert fast["trainer"] == compose(method)["trainer"]
    else:
        own = fast["model"]["init_args"]
        assert own["generator"]["class_path"].endswith("SmallUNet")
        assert own["lr_scheduler"]["class_path"].endswith("Linear")
        assert own["generator"]["init_args"] == {"start": "learned"}
        assert own["patches"] == {"count": 36}
        assert fast["trainer"]["max_steps"] <= 80
    for models in ("embedded", "paper", "reference", "siglip"):
        own = compose(method, models)["model"]["init_args"]
        assert own.get("optimizer", {}).get("class_path", ADAM) == ADAM
        assert own.get("lr_scheduler", {}).get("class_path", HALVING) == HALVING
        assert "content_every" not in own
        assert "start" not in own["generator"].get("init_args", {})


# Configurations of version 0.1.


@pytest.mark.parametrize("command", ["stylize", "fit"])
def test_a_configuration_of_version_0_1_is_refused_with_what_has_changed(tmp_path, capsys, command):
    config = ROOT / "tests" / "data" / "config-0.1.yaml"
    assert main([command, "--config", str(config)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "config-0.1.yaml is a configuration of Atelier 0.1" in line
    assert (
        "lightning_modules.painter.Painter is now lightning_modules.generators.painter.Painter"
        in line
    )
    assert "model.learning_rate is now model.optimizer.lr" in line
    assert "model.composite is now model.blending.composite" in line


@pytest.mark.parametrize("path", MOVED.values())
def test_every_class_that_has_moved_is_at_its_new_place(path):
    assert isinstance(resolve_name(path), type)


def test_every_successor_of_a_setting_is_a_setting(resolved):
    from experiments.run.lightning_cli import AtelierCLI

    configs = [
        resolved(AtelierCLI.from_settings, compose(method), PICTURE)["model"]["init_args"]
        for method in names(METHODS)
    ]
    for setting in RENAMED.values():
        _, part, *name = setting.split(".")
        parts = [config[part].get("init_args", config[part]) for config in configs]
        assert any(not name or name[0] in part for part in parts), setting


def test_a_setting_of_version_0_1_is_refused_with_its_new_name(capsys):
    words = ["skimage:chelsea", "Turn the cat to fire", "--model.halve_every", "60"]
    assert main(["stylize", *words]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line == "atelier: The setting model.halve_every is now model.lr_scheduler.every"
