"""`atelier validate`: the sentences of the run, without the run."""

import pytest
import yaml

from experiments.run.registry import METHODS, METRICS, SETS, SWEEPS, TRAINING
from experiments.run.validation import kind_of
from tests.support.cli import assert_refused
from tests.support.training import TINY, photos

FIXED = {"image": "skimage:chelsea", "style": "fire"}
WRONG = {
    "sweep": ({"fixed": FIXED, "grid": {"model.tua": [0.1]}}, "did you mean model.tau"),
    "a sweep's value": ({"fixed": FIXED | {"size": "big"}, "grid": {"seed": [0]}}, "is 'big'"),
    "a sweep's picture": ({"fixed": {"image": "gone.png"}, "grid": {"seed": [0]}}, "gone.png"),
    "a sweep's method": ({"method": "soulstiler", "grid": {"seed": [0]}}, "mean soulstyler"),
    "search": (
        {"fixed": FIXED, "search": {"over": {"model.tau": [0.1, "high"]}, "metric": "object_change",
                                    "direction": "max"}},
        "model.tau of Soulstyler is 'high'",
    ),
    "training": ({"data": {"init_args": {"folders": "packages", "corp": 3}}}, "data.corp"),
    "metrics": ({"a": {"class_path": "evaluation.metrics.change.Change", "init_args": {"z": 1}}},
                "Option 'z' is not accepted"),
    "metric": ({"a": {"class_path": "evaluation.metrics.change.Chance"}}, "Chance"),
    "set": ({"title": "x", "pictures": {}, "styles": []}, "the key source is missing"),
    "nothing": ({"x": 1}, "no file of Atelier's"),
    "no mapping": (["x"], "no file of Atelier's"),
}  # fmt: skip


@pytest.mark.parametrize("wrong", WRONG)
def test_the_first_fault_is_one_sentence(cli, tmp_path, wrong):
    content, sentence = WRONG[wrong]
    (tmp_path / "file.yaml").write_text(yaml.safe_dump(content))
    assert_refused(cli("validate", "file.yaml"), sentence)


@pytest.mark.parametrize(
    ("mistake", "sentence"),
    [
        (("weights: {global: 1}", "wieghts: {global: 1}"), "did you mean model.weights"),
        (("weights: {global: 1}", "weights: {global: much}"), "weights.*much"),
        ((".Plain", ".Plane"), "Plane"),
        (("MODULE.Plain", "argparse.Namespace"), "Namespace is no Stylization; give a class"),
        (("  class_path", "  klass"), "no file of Atelier's|names no method"),
        (("model:\n", "model:\nmodel:\n"), "the key 'model' is there twice"),
    ],
)
def test_a_wrong_method_is_one_sentence(cli, own_method, mistake, sentence):
    old, new = (text.replace("MODULE", own_method.name) for text in mistake)
    own_method.file.write_text(own_method.file.read_text().replace(old, new))
    assert_refused(cli("validate", own_method.file), sentence)


def test_a_method_without_a_function_is_refused(cli, own_method):
    own_method.write("    def losses(", "    def loses(")
    assert_refused(cli("validate", own_method.file), "lacks the function losses")


def test_sound_files_are_said_to_be_so(cli, own_method, tmp_path):
    sweep = {"fixed": FIXED, "method": ["gatys", own_method.file.name], "grid": {"seed": [0, 1]}}
    goal = {"over": {"model.tau": [0.1, 0.9]}, "metric": "object_change", "direction": "max"}
    files = {
        "sweep": sweep,
        "search": {"fixed": FIXED, "search": goal | {"trials": 7}},
        "training": TINY,
        "metrics": {"mine": {"class_path": "evaluation.metrics.change.Change"}},
    }
    for name, content in files.items():
        (own_method.folder / f"{name}.yaml").write_text(yaml.safe_dump(content))
    photos(own_method.folder / "photos", 2)
    for file, words in {
        own_method.file: "method, Plain on embedded",
        own_method.folder / "sweep.yaml": "sweep, 4 runs",
        own_method.folder / "search.yaml": "sweep, 7 trials",
        own_method.folder / "training.yaml": "training, Training",
        own_method.folder / "metrics.yaml": "metrics, mine",
        SETS / "demo.yaml": "set, 6 entries",
    }.items():
        result = cli("validate", file)
        assert (result.returncode, result.stdout) == (0, f"{file}: {words}\n"), result.stderr


@pytest.mark.parametrize(
    ("folder", "kind"),
    [
        (METHODS, "method"),
        (METRICS, "metrics"),
        (SWEEPS, "sweep"),
        (TRAINING, "training"),
        (SETS, "set"),
    ],
)
def test_the_kind_of_all_files_of_ours_is_clear(folder, kind):
    assert {kind_of(path) for path in folder.glob("*.yaml")} == {kind}
