"""Short names and short options, which mean the same in every command."""

import json
import re
from argparse import ArgumentParser
from pathlib import Path
from pkgutil import resolve_name

import pytest

from datamodules.support.errors import AtelierError
from experiments.cli import main
from experiments.commands import stylize
from experiments.run import options
from experiments.run.parts import build_parser, build_segmenter
from experiments.run.registry import (
    CONFIGS,
    GENERATORS,
    METHODS,
    PARSERS,
    SEGMENTERS,
    method_class,
    names,
    part,
)

ROOT = CONFIGS.parent


@pytest.mark.parametrize("table", [GENERATORS, SEGMENTERS, PARSERS])
def test_every_short_name_is_a_class_that_there_is(table):
    for spec in table.values():
        assert isinstance(resolve_name(spec["class_path"]), type)


@pytest.mark.parametrize(
    ("setting", "name", "sentence"),
    [
        ("data.parser", "smolm2", "no parser 'smolm2'; there are .*; did you mean smollm2"),
        ("data.parser", "api", "write api:NAME"),
        ("data.parser", "rules-alone", "no parser 'rules-alone'"),
        ("data.segmenter", "clipsegs", "did you mean clipseg"),
        ("model.generator", "paint", "did you mean painter"),
        ("model", "soulstiler", "did you mean soulstyler"),
    ],
)
def test_an_unknown_short_name_is_met_with_the_nearest(setting, name, sentence):
    with pytest.raises(AtelierError, match=sentence):
        part(setting, name)


def test_short_names_stand_only_where_parts_are_set():
    assert part("data.style", "stylenet") == "stylenet"
    assert part("data.parser", "some.module.Class") == "some.module.Class"
    assert part("data.parser", {"class_path": "x.Y"}) == {"class_path": "x.Y"}


@pytest.mark.parametrize(
    ("words", "spelled"),
    [
        (["--model.generator", "stylenet"], ["--model.generator", "CLASS"]),
        (["--model.generator=stylenet"], ["--model.generator=CLASS"]),
        (["--model.generator.help", "stylenet"], ["--model.generator.help", "CLASS"]),
        (["--data.style", "stylenet"], ["--data.style", "stylenet"]),
        (["--model.generator=pixels", "stylenet"], None),
    ],
)
def test_lightnings_words_get_classes_for_short_names(words, spelled):
    path = GENERATORS["stylenet"]["class_path"]
    if spelled is None:
        spelled = [f"--model.generator={GENERATORS['pixels']['class_path']}", "stylenet"]
    assert options.spell_out(words) == [word.replace("CLASS", path) for word in spelled]


def test_a_part_with_arguments_is_json_for_lightning():
    _, word = options.spell_out(["--data.parser", "api:some-model"])
    assert json.loads(word)["init_args"] == {"model": "some-model"}
    assert options.spell_out(["--model.help", "gatys"])[1] == "lightning_modules.gatys.Gatys"


def test_parsers_and_segmenters_are_built_by_name_with_settings():
    parser = build_parser("api:m", "http://127.0.0.1:9/v1", {"data.parser.retries": "0"})
    assert (parser.chat.model, parser.chat.base_url) == ("m", "http://127.0.0.1:9/v1")
    assert build_parser("smollm2-alone").grammar_weight == 0
    assert build_parser("smollm2", settings={"data.parser.grammar_weight": "2"}).grammar_weight == 2
    dino = build_segmenter("dino", {"data.segmenter.features.size": "256"})
    assert dino.features.size == 256
    with pytest.raises(AtelierError, match=r"threshold 2\.0 is no probability"):
        build_segmenter("clipseg", {"data.segmenter.threshold": "2"})
    with pytest.raises(AtelierError, match="colour"):
        build_segmenter("bridge", {"data.segmenter.colour": "red"})
    assert "init_args" not in SEGMENTERS["bridge"]  # the next one is as it was


def parsed(*words):
    parser = ArgumentParser()
    stylize.add_arguments(parser)
    return vars(parser.parse_args(["skimage:rocket", *words]))


def test_short_options_are_settings():
    short = options.settings(
        parsed(
            *[
                "--parser",
                "api:m",
                "--base-url",
                "http://u",
                "--segmenter",
                "whole",
                "--size",
                "64",
            ],
            *["--mask", "a.png", "--mask", "b.png", "--target", "a=fire", "--target", "b=ice"],
            *["--no-wandb", "--overwrite", "--keep-color", "--no-composite"],
        )
    )
    here = Path.cwd()
    assert short == {
        "data.image": "skimage:rocket",
        "data.mask": [str(here / "a.png"), str(here / "b.png")],
        "data.parser": "api:m",
        "data.parser.base_url": "http://u",
        "data.segmenter": "whole",
        "data.size": 64,
        "data.targets": {"a": "fire", "b": "ice"},
        "model.blending.composite": False,
        "model.blending.keep_color": True,
        "run.overwrite": True,
        "wandb.enabled": False,
    }


@pytest.mark.parametrize(
    "words",
    [
        ["stylize", "skimage:rocket", "x", "--base-url", "http://u"],
        ["parse", "x", "--parser", "rules", "--base-url", "http://u"],
    ],
)
def test_an_endpoint_without_a_model_is_refused(capsys, words):
    assert main(words) == 2
    assert "--base-url goes with --parser api:MODEL" in capsys.readouterr().err


def test_dotted_words_are_settings_and_others_are_refused():
    words = ["--a.b", "1", "--a.c=x=y", "--a.d", "-3"]
    assert options.dotted(words, "stylize", "") == {"a.b": "1", "a.c": "x=y", "a.d": "-3"}
    for words, below, sentence in (
        (["--loud"], [""], "atelier mask has no option --loud; see --help"),
        (["--a.b", "1", "c"], [""], "takes no word 'c'"),
        (["--model.tau", "1"], ["data."], "has no option --model.tau"),
        (["--model.tau", "1"], [], "has no option --model.tau"),
        (["--a.b"], [""], "--a.b has no value"),
    ):
        with pytest.raises(AtelierError, match=sentence):
            options.dotted(words, "mask", *below)


# Where settings are listed.


def helped(capsys, *words):
    with pytest.raises(SystemExit) as result:
        main(["fit", *words])
    assert result.value.code == 0
    return capsys.readouterr().out


def test_fit_lists_the_settings_of_data_and_trainer_and_names_the_way_to_the_others(capsys):
    page = " ".join(helped(capsys, "--help").split())
    for setting in ("data.source_text", "data.feather", "trainer.max_steps", "run.keep_every"):
        assert f"--{setting}" in page
    assert "atelier fit --model.help soulstyler" in page


@pytest.mark.parametrize("method", names(METHODS))
def test_the_help_of_a_method_lists_every_setting_of_it(capsys, method):
    page = helped(capsys, "--model.help", method)
    from inspect import signature

    settings = {
        name
        for owner in method_class(method).__mro__
        if owner.__module__.startswith("lightning_modules")
        for name, parameter in signature(owner.__init__).parameters.items()
        if parameter.kind is parameter.KEYWORD_ONLY
    }
    assert len(settings) > 10
    missing = {name for name in settings if not re.search(rf"--model\.{name}\b", page)}
    assert not missing


def test_the_help_of_a_part_has_its_settings(capsys):
    config = str(METHODS / "soulstyler.yaml")
    assert "rough_pace" in helped(capsys, "--config", config, "--model.generator.help", "painter")
    assert "threshold" in helped(capsys, "--data.segmenter.help", "clipseg")


def test_print_config_prints_the_whole_configuration(capsys):
    files = [METHODS / "soulstyler.yaml", CONFIGS / "models" / "paper.yaml"]
    page = helped(capsys, *[f"--config={file}" for file in files], "--print_config")
    for line in ("max_steps: 200", "pretrained: openai", "coverage: 0.8", "feather: 2.0"):
        assert line in page


def test_no_document_says_that_the_help_of_fit_lists_everything():
    files = [ROOT / "README.md", *ROOT.glob("docs/*.md"), *ROOT.glob("experiments/**/*.py")]
    for file in files:
        text = " ".join(file.read_text(encoding="utf-8").split())
        assert not re.search(r"fit --help`?,? (which )?lists (them|them all|every)", text), file
        assert "which lists every setting" not in text, file


def test_weights_of_a_training_are_named_from_any_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    parser = ArgumentParser()
    stylize.add_arguments(parser)
    values = options.settings(
        vars(parser.parse_args(["boat.jpg", "--ckpt", "weights.safetensors"]))
    )
    assert values["model.generator.weights"] == str(tmp_path / "weights.safetensors")
