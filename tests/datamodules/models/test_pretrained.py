"""Networks of `transformers` from folders: whole and harmless, or refused in one sentence."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from datamodules.models.pretrained import hub_names
from datamodules.segmentation.clipseg import CLIPSegSegmenter
from datamodules.segmentation.grounded import GroundedSegmenter
from datamodules.segmentation.sam3 import SAM3Segmenter
from datamodules.support.errors import AtelierError
from tests.support.segmenter_files import bright_half, copy_of
from tests.support.traps import Trap

LOADERS = {  # name in sentences: fixture of its folder, network from a folder
    "CLIPSeg": ("clipseg_folder", lambda folder: CLIPSegSegmenter(str(folder)).network),
    "SAM 3": ("sam3_folder", lambda folder: SAM3Segmenter(str(folder)).network),
    "GroundingDINO": (
        "grounding_folder",
        lambda folder: GroundedSegmenter(boxes=str(folder)).finder,
    ),
    "SAM 2": ("sam2_folder", lambda folder: GroundedSegmenter(masks=str(folder)).outliner),
}


def refused(name: str, folder: Path, why: str = "") -> None:
    with pytest.raises(AtelierError, match=f"^{folder} holds no {name} .*{why}") as caught:
        LOADERS[name][1](folder)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", LOADERS)
def test_bad_folders_are_refused_in_one_sentence(name, tmp_path, request):
    folder = copy_of(request.getfixturevalue(LOADERS[name][0]), tmp_path)
    weights, marker = folder / "model.safetensors", folder / "marker"
    whole = weights.read_bytes()
    weights.write_bytes(whole[: len(whole) // 2])
    refused(name, folder)
    save_file({"another": torch.zeros(3)}, weights, {"format": "pt"})
    refused(name, folder, "tensors are missing")  # transformers alone goes on with random weights
    weights.unlink()
    refused(name, folder)
    torch.save({"weight": Trap(marker)}, folder / "pytorch_model.bin")
    refused(name, folder)
    assert not marker.exists()


@pytest.mark.parametrize("name", LOADERS)
def test_a_network_of_another_architecture_is_refused(name, request):
    other = "sam2_folder" if name != "SAM 2" else "grounding_folder"
    refused(name, request.getfixturevalue(other), "its configuration is of the kind")


@pytest.mark.parametrize("name", LOADERS)
def test_a_folder_that_is_not_there_is_said(name):
    with pytest.raises(AtelierError, match=r"'/no/such/folder' cannot .* is no folder here"):
        LOADERS[name][1]("/no/such/folder")


def test_repositories_are_named_and_folders_are_not(tmp_path):
    assert hub_names("facebook/sam3", str(tmp_path)) == ["hf:facebook/sam3"]


@pytest.mark.usefixtures("no_network")
def test_the_licence_and_the_gate_of_sam_3_are_said_where_it_is_missing():
    with pytest.raises(
        AtelierError,
        match=r"atelier weights fetch hf:facebook/sam3 .*without them, --segmenter grounded .*"
        r"gated: accept the SAM License",
    ):
        SAM3Segmenter().segment(bright_half(), "cat")
