"""Small random networks of SAM 3, GroundingDINO and SAM 2, saved as `transformers` publishes them.

The hub's repositories of SAM 2 and 3 hold the networks for videos, of which the networks for
pictures are a part; both forms are made here.
"""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

WIDTH = 32  # channels everywhere
LAYERS = {"hidden_size": WIDTH, "intermediate_size": 64, "num_attention_heads": 2}
PYRAMID = {"backbone_feature_sizes": [[32, 32], [16, 16], [8, 8]], "fpn_hidden_size": WIDTH}


@pytest.fixture(scope="session")
def sam3_folder(tmp_path_factory) -> Path:
    """SAM 3 for pictures, 214 thousand weights; reads 112 x 112 px."""
    from transformers import Sam3Config, Sam3ImageProcessor, Sam3Model, Sam3Processor

    folder = tmp_path_factory.mktemp("sam3")
    torch.manual_seed(0)
    sharpen(Sam3Model(Sam3Config(**sam3_parts()))).save_pretrained(folder)
    pictures = Sam3ImageProcessor(size={"height": 112, "width": 112})
    Sam3Processor(pictures, clip_tokenizer()).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def sam3_video_folder(tmp_path_factory) -> Path:
    """SAM 3 for videos: the network for pictures with a tracker."""
    from transformers import (
        Sam2VideoVideoProcessor,
        Sam3ImageProcessor,
        Sam3VideoConfig,
        Sam3VideoModel,
        Sam3VideoProcessor,
    )

    folder, side = tmp_path_factory.mktemp("sam3-video"), {"height": 112, "width": 112}
    torch.manual_seed(1)
    tracker = sam2_parts() | MEMORY | {"vision_config": sam3_parts()["vision_config"]}
    Sam3VideoModel(
        Sam3VideoConfig(detector_config=sam3_parts(), tracker_config=tracker)
    ).save_pretrained(folder)
    processors = Sam3ImageProcessor(size=side), Sam2VideoVideoProcessor(size=side)
    Sam3VideoProcessor(*processors, clip_tokenizer()).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def sam2_folder(tmp_path_factory) -> Path:
    """SAM 2 for pictures, 196 thousand weights; reads 128 x 128 px."""
    from transformers import Sam2Config, Sam2ImageProcessor, Sam2Model, Sam2Processor

    folder = tmp_path_factory.mktemp("sam2")
    torch.manual_seed(0)
    sharpen(Sam2Model(Sam2Config(**sam2_parts()))).save_pretrained(folder)
    Sam2Processor(Sam2ImageProcessor(size={"height": 128, "width": 128})).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def sam2_video_folder(tmp_path_factory) -> Path:
    """SAM 2 for videos: the network for pictures with a memory."""
    from transformers import (
        Sam2ImageProcessor,
        Sam2VideoConfig,
        Sam2VideoModel,
        Sam2VideoProcessor,
        Sam2VideoVideoProcessor,
    )

    folder, side = tmp_path_factory.mktemp("sam2-video"), {"height": 128, "width": 128}
    torch.manual_seed(1)
    Sam2VideoModel(Sam2VideoConfig(**sam2_parts(), **MEMORY)).save_pretrained(folder)
    processors = Sam2ImageProcessor(size=side), Sam2VideoVideoProcessor(size=side)
    Sam2VideoProcessor(*processors).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def grounding_folder(tmp_path_factory) -> Path:
    """GroundingDINO, 280 thousand weights; reads pictures of at least 128 px."""
    from transformers import (
        GroundingDinoConfig,
        GroundingDinoForObjectDetection,
        GroundingDinoImageProcessor,
        GroundingDinoProcessor,
    )

    folder = tmp_path_factory.mktemp("grounding-dino")
    words = bert_tokenizer()
    sizes = {"hidden_size": 16, "intermediate_size": 16, "num_attention_heads": 2}
    text = sizes | {"model_type": "bert", "vocab_size": len(words), "num_hidden_layers": 1}
    backbone = {"model_type": "swin", "image_size": 64, "patch_size": 4, "embed_dim": 12}
    backbone |= {"depths": [1] * 4, "num_heads": [1, 1, 2, 2], "window_size": 4}
    halves = {"attention_heads": 2, "ffn_dim": 16, "n_points": 2}  # of the encoder and the decoder
    config = GroundingDinoConfig(
        backbone_config=backbone | {"out_indices": [2, 3, 4]},
        text_config=text,
        d_model=WIDTH,
        num_queries=12,
        encoder_layers=1,
        decoder_layers=2,
        **{f"{half}_{k}": n for half in ("encoder", "decoder") for k, n in halves.items()},
        num_feature_levels=4,
        max_text_len=64,
        disable_custom_kernels=True,
    )
    torch.manual_seed(0)
    GroundingDinoForObjectDetection(config).save_pretrained(folder)
    pictures = GroundingDinoImageProcessor(size={"shortest_edge": 128, "longest_edge": 192})
    GroundingDinoProcessor(pictures, words).save_pretrained(folder)
    return folder


def sharpen(network: nn.Module) -> nn.Module:
    """The network with weights ten times as large: untrained ones give masks of 0.5 everywhere."""
    for weights in network.parameters():
        if weights.ndim > 1:
            weights.data.mul_(10)
    return network


def sam3_parts() -> dict:
    """Configurations of the parts of SAM 3."""
    one_layer = LAYERS | {"num_layers": 1}
    window = {"window_size": 4, "global_attn_indexes": [1], "pretrain_image_size": 56}
    backbone = LAYERS | window | {"model_type": "sam3_vit_model", "num_hidden_layers": 2}
    ends = {"bos_token_id": 0, "eos_token_id": 1, "pad_token_id": 1, "hidden_act": "gelu"}
    text = {"vocab_size": 514, "projection_dim": WIDTH, "max_position_embeddings": 32}
    return {
        "vision_config": PYRAMID
        | {"backbone_config": backbone | {"image_size": 112, "patch_size": 14}}
        | {"scale_factors": [4.0, 2.0, 1.0, 0.5]},
        "text_config": LAYERS | ends | text | {"num_hidden_layers": 2},
        "geometry_encoder_config": one_layer | {"roi_size": 3},
        "detr_encoder_config": one_layer,
        "detr_decoder_config": one_layer | {"num_queries": 10},
        "mask_decoder_config": {"hidden_size": WIDTH, "num_attention_heads": 2}
        | {"num_upsampling_stages": 2},
    }


def sam2_parts() -> dict:
    """Configurations of the parts of SAM 2."""
    stages = {"blocks": [1, 2, 1, 1], "embed_dim": [12, 24, 48, 96]}
    stages |= {"num_attention_heads": [1, 2, 4, 8], "window_size": [4, 2, 4, 2]}
    backbone = {f"{name}_per_stage": values for name, values in stages.items()}
    backbone |= {"model_type": "sam2_hiera_det_model", "hidden_size": 12, "image_size": [128, 128]}
    backbone |= {"num_attention_heads": 1, "global_attention_blocks": [2]}
    prompts = {"hidden_size": WIDTH, "image_size": 128, "patch_size": 16, "mask_input_channels": 4}
    decoder = {"hidden_size": WIDTH, "mlp_dim": 64, "num_attention_heads": 2}
    return {
        "vision_config": PYRAMID
        | {"backbone_config": backbone, "backbone_channel_list": [96, 48, 24, 12]},
        "prompt_encoder_config": prompts,
        "mask_decoder_config": decoder | {"num_hidden_layers": 2, "iou_head_hidden_dim": WIDTH},
    }


MEMORY = {  # of the network for videos
    "image_size": 128,
    "memory_attention_num_layers": 1,
    "memory_fuser_num_layers": 1,
    "memory_fuser_intermediate_dim": WIDTH,
    "memory_encoder_output_channels": 16,
    "memory_attention_feed_forward_hidden_size": WIDTH,
    "memory_attention_rope_feat_sizes": [8, 8],
    **{
        f"{part}_{size}": WIDTH
        for part, size in (
            ("memory_attention", "hidden_size"),
            ("memory_encoder", "hidden_size"),
            ("mask_downsampler", "embed_dim"),
            ("memory_fuser", "embed_dim"),
        )
    },
}


def clip_tokenizer():
    """CLIP's tokenizer with single bytes as its words."""
    from tokenizers.pre_tokenizers import ByteLevel
    from transformers import CLIPTokenizer

    letters = sorted(ByteLevel.alphabet())
    tokens = ["<|startoftext|>", "<|endoftext|>", *letters, *(f"{c}</w>" for c in letters)]
    vocabulary = {token: k for k, token in enumerate(tokens)}
    return CLIPTokenizer(vocab=vocabulary, merges=[], model_max_length=32)


def bert_tokenizer():
    """BERT's tokenizer with single letters and a few words; GroundingDINO fixes some numbers."""
    from string import ascii_lowercase as letters

    from transformers import BertTokenizer

    special = {"[PAD]": 0, "[UNK]": 100, "[CLS]": 101, "[SEP]": 102, "[MASK]": 103}
    special |= {".": 1012, "?": 1029}
    words = ["cat", "dog", "on", "sofa", *letters, *(f"##{letter}" for letter in letters)]
    numbers = special | {word: 200 + k for k, word in enumerate(words)}
    return BertTokenizer(
        vocab=numbers | {f"[{k}]": k for k in range(1030) if k not in numbers.values()}
    )
