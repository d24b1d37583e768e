"""`atelier export`, and what is painted with the file that it writes."""

import json
import re

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from PIL import Image
from skimage import data
from torch import nn

from datamodules.run_folder import STYLE, RunFolder, RunWriter
from datamodules.support.errors import AtelierError
from datamodules.task import BACKGROUND
from experiments.run.export import export, write_graph
from lightning_modules.generators.attention import AttentionPainter
from lightning_modules.generators.fast_painter import CODE, FastPainter
from lightning_modules.generators.halves import FeatureHalves
from lightning_modules.generators.one_pass import STYLES
from tests.support.cli import ROOT, assert_refused
from tests.support.decoders import learning
from tests.support.finished import SETTINGS
from tests.support.run_folders import write_run
from tests.support.tiny import TinyEncoder, TinyFeatures

PAINTER = {"class_path": "lightning_modules.generators.fast_painter.FastPainter"}
FAST = {"model": {"init_args": {"generator": PAINTER}}}
TARGETS = [("boat", "fire"), (BACKGROUND, "snow")]


@pytest.fixture
def two_regions(tmp_path):
    """A run of two codes that mean nothing, as a finished one leaves its folder."""
    result = {"method": "FastCLIPstyler", "generator": "FastPainter"}
    folder = write_run(tmp_path / "run", targets=TARGETS, config=FAST, result=result)
    styles = torch.rand(2, CODE, generator=torch.Generator().manual_seed(1)) * 2 - 1
    RunWriter(folder).write_style({STYLES: styles})
    return folder, styles


@pytest.fixture(scope="module")
def mosaic(finished_run, tmp_path_factory):
    """The painter's code of a run, exported."""
    path = tmp_path_factory.mktemp("exported") / "mosaic.onnx"
    export(RunFolder(finished_run.folder), path)
    return path


def test_a_region_of_a_run_in_one_pass_is_painted_by_its_graph_at_any_size(cli, two_regions):
    folder, styles = two_regions
    answer = cli("export", folder, "-o", folder / "snow.onnx", "--region", BACKGROUND)
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.startswith("style     snow, on background\nopset     17\n")
    model = onnx.load(folder / "snow.onnx")
    assert model.opset_import[0].version == 17
    about = {entry.key: entry.value for entry in model.metadata_props}
    assert (about["style"], about["method"], about["opset"]) == ("snow", "FastCLIPstyler", "17")
    assert about["version"] and str(ROOT) not in str(model)
    session = onnxruntime.InferenceSession(folder / "snow.onnx")
    painter = FastPainter()
    for size in ((1, 3, 66, 91), (2, 3, 47, 64)):
        content = torch.rand(size)
        (picture,) = session.run(None, {"content": content.numpy()})
        with torch.no_grad():
            expected = painter.paint(content, styles[1:])
        assert abs(expected - torch.from_numpy(picture)).max() < 1e-3


def test_a_picture_painted_with_the_file_is_that_of_the_run(cli, finished_run, mosaic, tmp_path):
    """10 s: the object is looked for again, by its name."""
    run, _ = finished_run
    words = ["skimage:chelsea", "--onnx", mosaic, "--object", "cat", "--out", "run"]
    answer = cli("stylize", *words, *SETTINGS)
    assert answer.returncode == 0, answer.stderr
    for name, error in (("mask.png", 0), ("output.png", 1), ("output_full.png", 1)):
        pictures = [np.asarray(Image.open(at / name), int) for at in (run, tmp_path / "run")]
        assert abs(pictures[0] - pictures[1]).max() <= error, name
    result = json.loads((tmp_path / "run/result.json").read_text())
    assert (result["generator"], result["steps"]) == ("OnnxPainter", 0)
    assert result["metrics"]["background_max_error"] == 0
    assert json.loads((tmp_path / "run/parse.json").read_text())[0]["style"] == "mosaic"
    assert not (tmp_path / "run" / STYLE).exists()
    assert_refused(cli("export", "run"), "OnnxPainter keeps no style apart from its network")


def test_the_example_in_the_docs_paints(mosaic, tmp_path, monkeypatch):
    (code,) = re.findall("```python\n(.*?)```", (ROOT / "docs/export.md").read_text("utf-8"), re.S)
    (tmp_path / "style.onnx").write_bytes(mosaic.read_bytes())
    Image.fromarray(data.chelsea()[:97, :131]).save(tmp_path / "boat.jpg")
    monkeypatch.chdir(tmp_path)
    exec(code, {})
    assert Image.open("painted.png").size == (131, 97)


def painter_attention():
    return AttentionPainter(weights="untrained")


def feature_attention():
    return AttentionPainter(TinyEncoder(), FeatureHalves(TinyFeatures()), 2, weights="untrained")


@pytest.mark.parametrize(
    "make", [painter_attention, feature_attention, lambda: learning("green crystal")]
)
def test_every_network_in_one_pass_has_a_graph(make, tmp_path):
    generator = make()
    with torch.no_grad():
        style = generator.styles([((1.0, "green crystal"),)])
    network = generator.alone({STYLES: style}, 0).eval().requires_grad_(False)
    assert write_graph(network, {}, tmp_path / "style.onnx") < 1e-4


class Baked(nn.Module):
    """A network whose graph has the size, or a number, of the picture with which it was traced."""

    def __init__(self, part):
        super().__init__()
        self.part = part

    def forward(self, content):
        if self.part == "size":
            return content * torch.ones(int(content.shape[2]), 1)
        return content * float(content.mean())


@pytest.mark.parametrize(
    ("part", "sentence"),
    [("size", "no graph for pictures of any size"), ("number", "differs from torch by 0")],
)
def test_a_graph_that_is_not_the_network_is_not_written(tmp_path, part, sentence):
    path = tmp_path / "style.onnx"
    path.write_text("of an earlier run")
    with pytest.raises(AtelierError, match=f"{sentence}.* is not written"):
        write_graph(Baked(part), {}, path)
    assert path.read_text() == "of an earlier run"
    assert [file.name for file in tmp_path.iterdir()] == ["style.onnx"]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ([], "has 2 regions; choose one with --region: boat, background"),
        (["--region", "boot"], "no region 'boot'; there are boat, background; did you mean boat"),
        (["--region", "boat", "--model.tau", "1"], "export has no option --model.tau"),
    ],
)
def test_a_region_that_is_not_clear_is_refused(cli, two_regions, words, sentence):
    assert_refused(cli("export", two_regions[0], *words), sentence)


def test_runs_without_a_style_of_their_own_and_damaged_ones_are_refused(cli, two_regions, tmp_path):
    folder, _ = two_regions
    assert_refused(cli("export", tmp_path / "nowhere"), "no config.yaml; it is no whole run")
    (folder / STYLE).write_bytes(b"cut")
    assert_refused(cli("export", folder, "--region", "boat"), "style.safetensors is damaged")
    RunWriter(folder).write_style({"region0.part0.code": torch.zeros(2, 347)})
    assert_refused(cli("export", folder, "--region", "boat"), "FastPainter has no styles")
    RunWriter(folder).clear(finished=True)
    result = {"method": "CLIPstyler", "generator": "StyleNet"}
    write_run(folder, targets=TARGETS[:1], config=FAST, result=result)
    assert_refused(cli("export", folder), "StyleNet keeps no style apart from its network")


@pytest.mark.parametrize(
    "words",
    [
        ["Turn the cat to fire"],
        ["--style", "fire"],
        ["--to", "ice"],
        ["--method", "clipstyler"],
        ["--target", "cat=fire"],
        ["--steps", 5],
    ],
)
def test_options_that_a_file_leaves_no_room_for_are_refused(cli, words):
    answer = cli("stylize", "skimage:chelsea", "--onnx", "style.onnx", *words)
    assert_refused(answer, "--onnx paints in the style of its file")
