"""Helpers of the tests of real segmenters."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor

VIT = "vit_tiny_patch16_224"  # 22 MB; the architecture of DINO with fewer channels


def bright_half() -> Tensor:
    """Picture (3, 64, 96) whose left half is white and whose right half is black."""
    picture = torch.zeros(3, 64, 96)
    picture[..., :48] = 1
    return picture


@pytest.fixture(scope="session")
def vit_file(tmp_path_factory) -> Path:
    import timm

    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("vit") / "vit.pth"
    torch.save(timm.create_model(VIT, num_classes=0).state_dict(), path)
    return path


@pytest.fixture(scope="session")
def clipseg_folder(tmp_path_factory) -> Path:
    from transformers import (
        CLIPSegConfig,
        CLIPSegForImageSegmentation,
        CLIPSegProcessor,
        CLIPTokenizer,
        ViTImageProcessor,
    )

    folder = tmp_path_factory.mktemp("clipseg")
    tokens = [
        "<|startoftext|>",
        "<|endoftext|>",
        *(c + end for c in "abct" for end in ("", "</w>")),
    ]
    tokenizer = CLIPTokenizer(vocab={token: k for k, token in enumerate(tokens)}, merges=[])
    pictures = ViTImageProcessor(size={"height": 64, "width": 64})
    CLIPSegProcessor(pictures, tokenizer).save_pretrained(folder)
    layers = {"hidden_size": 16, "intermediate_size": 32, "num_attention_heads": 2}
    ends = {"bos_token_id": 0, "eos_token_id": 1, "pad_token_id": 1}
    config = CLIPSegConfig(
        text_config=layers
        | ends
        | {"num_hidden_layers": 2, "vocab_size": len(tokens), "max_position_embeddings": 16},
        vision_config=layers | {"num_hidden_layers": 3, "image_size": 64, "patch_size": 16},
        projection_dim=16,
        extract_layers=[0, 1, 2],
        reduce_dim=8,
        decoder_num_attention_heads=2,
        decoder_intermediate_size=16,
    )
    torch.manual_seed(0)
    network = CLIPSegForImageSegmentation(config)
    # Untrained decoders are flat; a few hundred times steeper their outputs span 0 to 1.
    final = network.decoder.transposed_convolution
    torch.nn.init.normal_(final.weight, std=0.3)
    torch.nn.init.zeros_(final.bias)
    network.save_pretrained(folder)
    return folder


def copy_of(folder: Path, to: Path) -> Path:
    """Copy a folder's files into another folder."""
    for file in folder.iterdir():
        (to / file.name).write_bytes(file.read_bytes())
    return to
