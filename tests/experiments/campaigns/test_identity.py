"""Names of jobs: the same for the same pictures, however it is written, and else another one."""

import sys
import time
from importlib import invalidate_caches

import pytest

from datamodules.support import versions
from datamodules.support.errors import AtelierError
from experiments.campaigns.grid import Sweep, sweep_jobs
from experiments.campaigns.plan import make_job
from experiments.run import sources

GENERATOR = """
from lightning_modules.generators.pixels import Pixels
from {helper} import FACTOR

class Mine(Pixels):
    def __init__(self, gain: float = 1.0) -> None:
        super().__init__()
        self.gain = gain * FACTOR
"""


def job(method="soulstyler", models="embedded", **values):
    return make_job({"method": method, "models": models, "style": "fire", **values}, {}, "s", False)


PLAIN = {"image": "skimage:chelsea"}
PIXELS = "lightning_modules.generators.pixels.Pixels"
LR = {"class_path": "torch.optim.Adam", "init_args": {"lr": 0.005}}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"size": 64}, {"size": 64.0}),
        ({"size": 64}, {"data.size": "64"}),
        ({"steps": 8}, {"trainer.max_steps": 8.0}),
        ({"model.coverage": 0.8}, {}),  # the default of the class
        ({"model.tau": 0.5}, {"model.tau": "5e-1"}),
        ({"model.tau": 1}, {"model.tau": 1.0}),
        ({"seed": 0}, {}),
        ({"size": 512, "model.patches.count": 24}, {}),  # of the method's YAML
        ({"model.blending.composite": True}, {}),  # of the class, another one than its part's
        ({"composite": True}, {"model.blending.composite": "true"}),
        ({"model.optimizer.lr": 5e-3}, {"model.optimizer": LR}),
        ({"model.optimizer.betas": [0.9, 0.999]}, {}),
        ({"trainer.devices": 1, "trainer.logger": False}, {}),
        ({"parser": "rules"}, {"data.parser": "datamodules.parsing.tree.TreeParser"}),
        ({"model.weights": {"tv": 0.002}}, {"model.weights": '{"tv": 2.0e-3}'}),
        ({"wandb.project": "mine"}, {}),
        ({"mask": "a.png"}, {"mask": ["a.png"]}),
        ({"model.generator": "pixels"}, {"model.generator": {"class_path": PIXELS}}),
    ],
)  # fmt: skip
def test_one_picture_has_one_name(one, other):
    assert job(**PLAIN, **one).id == job(**PLAIN, **other).id


def test_what_changes_the_picture_changes_the_name():
    kinds = [
        {}, {"size": 64}, {"model.tau": 0.4}, {"seed": 1}, {"steps": 8}, {"parser": "rules"},
        {"model.blending.composite": False}, {"model.optimizer.lr": 0.01},
        {"model.weights.patch": 1}, {"model.weights": {"patch": 1}}, {"model.generator": "pixels"},
        {"method": "clipstyler"}, {"models": "fast"}, {"object": "cat"}, {"style": "ice"},
        {"model.optimizer": "torch.optim.SGD"}, {"trainer.accelerator": "cpu"},
    ]  # fmt: skip
    assert len({job(**PLAIN, **kind).id for kind in kinds}) == len(kinds)


@pytest.fixture
def own_code(tmp_path, monkeypatch):
    """A user's generator in a file, which imports a second one; a function that changes either."""
    monkeypatch.syspath_prepend(tmp_path)
    names = {"mine": f"mine_{tmp_path.name}", "helper": f"helper_{tmp_path.name}"}

    def write(file, text):
        (tmp_path / f"{names[file]}.py").write_text(text)
        invalidate_caches()
        sources.code_digest.cache_clear()

    write("mine", GENERATOR.format(helper=names["helper"]))
    write("helper", "FACTOR = 2\n")
    return f"{names['mine']}.Mine", names["helper"], write


def test_the_code_of_ones_own_files_counts(own_code):
    path, helper, write = own_code

    def name():
        return job(**PLAIN, **{"model.generator": path}).id

    first = name()
    spelt_out = {"class_path": path, "init_args": {"gain": 1}}
    assert job(**PLAIN, **{"model.generator": spelt_out}).id == first
    write("helper", '"""A comment."""\n# and another\nFACTOR = 2\n')
    assert name() == first
    write("helper", "FACTOR = 3\n")
    changed = name()
    assert changed != first
    write("mine", GENERATOR.format(helper=helper).replace("* FACTOR", "+ FACTOR"))
    assert len({first, changed, name()}) == 3
    assert path.partition(".")[0] not in sys.modules  # read, not executed


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package that is installed below tmp_path: its name, and its file."""
    name = f"glow_{tmp_path.name}"
    place = tmp_path / "checkout" / ".venv" / "site-packages"
    (place / f"{name}-1.0.dist-info").mkdir(parents=True)
    (place / name).mkdir()
    file = place / name / "__init__.py"
    file.write_text("GAIN = 1\n")
    monkeypatch.syspath_prepend(place)
    return name, file


def test_packages_that_own_code_imports_are_not_read(package, own_code):
    path, _, write = own_code
    write("helper", f"import torch\nfrom {package[0]} import GAIN as FACTOR\n")
    modules = sources.modules_of((path.rpartition(".")[0],))
    assert "lightning_modules.generators.pixels" in modules
    assert not {package[0], "torch"} & {module.partition(".")[0] for module in modules}


def test_a_package_whose_class_paints_counts_with_all_its_files(package):
    name, file = package
    first = sources.code_digest((f"{name}.painting",))
    file.write_text("GAIN = 2\n")
    sources.code_digest.cache_clear()
    assert sources.code_digest((f"{name}.painting",)) != first


def test_the_code_of_all_parts_counts():
    config = job(**PLAIN).config
    modules = sources.modules_of(("lightning_modules.soulstyler",))
    assert "lightning_modules.losses.directional" in modules
    assert "datamodules.run_folder" not in modules
    parts = sources.modules_of(job(**PLAIN).settled.modules)
    for module in (
        config["model"]["class_path"].rpartition(".")[0],
        "lightning_modules.generators.painter",
        "lightning_modules.encoders.bridge",
        "datamodules.segmentation.bridge",
        "datamodules.parsing.llm",
        "datamodules.stylization",
        "evaluation.metrics.style",
    ):
        assert module in parts


def test_versions_of_packages_that_compute_count(monkeypatch):
    first = job(**PLAIN).id
    present = versions.versions_of_pictures()
    assert present["torch"] and present["pillow"]
    monkeypatch.setattr(
        "experiments.campaigns.job.versions_of_pictures", lambda: present | {"torch": "0.0"}
    )
    assert job(**PLAIN).id != first


def test_ten_thousand_runs_are_planned_in_five_seconds():
    grid = {
        "model.tau": {"from": 0.0, "to": 0.99, "step": 0.01},
        "seed": {"from": 0, "to": 99, "step": 1},
    }
    sweep = Sweep(name="x", fixed={**PLAIN, "object": "cat", "style": "fire"}, grid=grid)
    began = time.process_time()  # others may use this machine
    assert len({job.id for job in sweep_jobs(sweep, {}, False)}) == 10_000
    assert time.process_time() - began < 5


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"size": "big"}, "The setting data.size of StylizationDataModule is 'big'; give a whole"),
        ({"size": 64.5}, "data.size of StylizationDataModule is 64.5"),
        ({"size": 0}, "data.size of StylizationDataModule is 0; give a whole number above 0"),
        ({"steps": -3}, "trainer.max_steps of Trainer is -3; give a whole number, 0 or more"),
        ({"seed": -1}, "seed_everything is -1; give a whole number, 0 or more"),
        ({"seed": True}, "seed_everything is True"),
        ({"model.tau": "high"}, "model.tau of Soulstyler is 'high'; give a number"),
        ({"model.tau": float("nan")}, "model.tau is nan; give a finite number"),
        ({"model.tau": [0.1]}, r"model.tau of Soulstyler is \[0.1\]"),
        ({"model.brush": "wide"}, "is 'wide'; give a number or a list"),
        ({"model.optimizer.lr": 0}, "model.optimizer.lr of Adam is 0; give a number above 0"),
        ({"model.optimizer.lr": -1e-3}, "give a number above 0"),
        ({"model.optimizer.lr": float("inf")}, "give a finite number"),
        ({"model.optimizer": LR | {"init_args": {"lr": 0}}}, "lr of Adam is 0; give a number"),
        ({"model.optimizer.speed": 1}, "There is no setting 'model.optimizer.speed' of Adam"),
        ({"mode": "wild"}, "model.mode of Soulstyler is 'wild'; give paper or reference"),
        ({"composite": "maybe"}, "is 'maybe'; give true or false"),
        ({"style": 3}, "data.style of StylizationDataModule is 3; give a text"),
        ({"model.weights.patch": "much"}, "model.weights.patch is 'much'; give a number"),
    ],
)  # fmt: skip
def test_a_wrong_value_is_one_sentence(values, words):
    with pytest.raises(AtelierError, match=words):
        job(**PLAIN, **values)
