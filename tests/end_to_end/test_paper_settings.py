"""The papers' architectures from the sentence to a step."""

import math

import numpy as np
import pytest
import torch

from datamodules.models.published import register
from datamodules.parsing.llm import LLMParser
from datamodules.run_folder import RunFolder
from datamodules.segmentation.features.dino import DINODense
from datamodules.segmentation.spectral import SpectralSegmenter
from datamodules.stylization import StylizationDataModule
from datamodules.task import StyleTarget, StyleTask
from experiments.run.configuration import compose
from lightning_modules.clipstyler import CLIPstyler
from lightning_modules.encoders.open_clip import OpenCLIPEncoder
from lightning_modules.generators.stylenet import StyleNet
from lightning_modules.perceptual.vgg import VGGFeatures
from lightning_modules.sem_cs import SemCS
from lightning_modules.steps import directions
from lightning_modules.steps.patches import Patches
from tests.support.methods import descend

pytestmark = pytest.mark.usefixtures("no_network")


def test_a_stylization_runs_on_the_real_classes(tiny_clip, vgg_file):
    torch.manual_seed(0)
    method = CLIPstyler(
        generator=StyleNet(width=8),
        encoder=OpenCLIPEncoder("tiny-clip", str(tiny_clip[0])),
        content_features=VGGFeatures(weights=str(vgg_file[0])),
        weights={"global": 500.0, "patch": 9000.0, "content": 150.0, "tv": 2e-3},
        patches=Patches(count=4),
    )
    content = torch.rand(3, 64, 48)
    batch = StyleTask.of(content, (StyleTarget("", "fire"),), torch.ones(1, 64, 48)).batch()
    assert all(math.isfinite(losses["loss"]) for losses in descend(method, batch, steps=3))
    frozen = [*method.encoder.parameters(), *method.content_features.parameters()]
    assert all(p.grad is None for p in frozen)


def test_a_run_on_real_classes_from_the_sentence_to_the_third_step(tiny_clip, vgg_file, llama):
    """Random weights in every real part: Llama parses, DINO segments, CLIP and VGG judge."""
    data = StylizationDataModule(
        image="skimage:coffee",
        instruction="Turn the old boat into glass",
        parser=LLMParser(model=str(llama)),
        segmenter=SpectralSegmenter(features=DINODense(weights="untrained", size=224)),
        size=96,
    )
    data.setup()
    method = SemCS(
        generator=StyleNet(width=8),
        encoder=OpenCLIPEncoder("tiny-clip", str(tiny_clip[0])),
        content_features=VGGFeatures(weights=str(vgg_file[0])),
        weights={"foreground": 5e2, "background": 5e2, "patch": 9e3, "content": 150.0, "tv": 2e-3},
        patches=Patches(count=4),
    )
    batch = data.task.batch()
    assert all(math.isfinite(losses["loss"]) for losses in descend(method, batch, steps=3))
    assert (method.stylize(batch) - batch.content).abs().mean() > 0


def test_a_run_at_paper_settings_records_that_cris_found_the_object(
    tiny_clip, vgg_file, cris_file, tmp_path
):
    """The preset takes CRIS where it is registered, and config.yaml will take it again."""
    from experiments.run.lightning_cli import AtelierCLI

    register("cris", cris_file)
    settings = {
        "data.image": "skimage:chelsea",
        "data.object": "cat",
        "data.style": "fire",
        "data.size": 64,
        "model.encoder.model": "tiny-clip",
        "model.encoder.pretrained": str(tiny_clip[0]),
        "model.content_features.weights": str(vgg_file[0]),
        "model.style_features.weights": str(vgg_file[0]),
        "run.out": str(tmp_path / "run"),
    }
    run = AtelierCLI.from_settings(compose("soulstyler", "paper"), settings, started=0.0).set_up()
    assert run.task.segmenter == "CRISSegmenter"
    assert RunFolder(run.folder).setting("data.segmenter") == {
        "class_path": "datamodules.segmentation.cris.segmenter.CRISSegmenter",
        "init_args": {"weights": "cris", "threshold": 0.35, "binary": False},
    }


@pytest.mark.slow
def test_the_full_size_architectures_take_a_step_at_paper_settings(monkeypatch):
    """ViT-B/32 and VGG-19, untrained, at 512 px with 64 patches: 25 s on one core.

    With two of the 79 prompts; all are read at full size in `test_first_use`.
    """
    from experiments.run.lightning_cli import AtelierCLI

    prompts = directions.templates()[:2]
    monkeypatch.setattr(directions, "templates", lambda: prompts)
    settings = {
        "data.image": "skimage:astronaut",
        "data.style": "fire",
        "model.encoder.pretrained": "untrained",
        "model.content_features.weights": "untrained",
        "model.style_features.weights": "untrained",
    }
    cli = AtelierCLI.from_settings(compose("clipstyler", "paper"), settings, started=0.0)
    cli.datamodule.setup()
    batch = cli.datamodule.task.batch()
    assert batch.content.shape[2:] == (512, 512)
    assert cli.model.patches.count == 64
    assert cli.model.sizes(batch) == [128]
    cli.model.prepare(batch)
    results = cli.model.training_step(batch, 0)
    results["loss"].backward()
    assert all(np.isfinite(float(value.detach())) for value in results.values())
    assert all(p.grad is not None for p in cli.model.generator.parameters())
    frozen = [*cli.model.encoder.parameters(), *cli.model.content_features.parameters()]
    assert all(p.grad is None for p in frozen)
