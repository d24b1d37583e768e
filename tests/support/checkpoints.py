"""Helpers of the tests of real models."""

import json

import pytest
import torch
from tokenizers import Tokenizer, decoders, pre_tokenizers
from tokenizers import models as tokenizer_models

TINY_CLIP = {
    "embed_dim": 16,
    "vision_cfg": {"image_size": 32, "layers": 1, "width": 64, "patch_size": 16},
    "text_cfg": {
        "context_length": 77,
        "vocab_size": 49408,
        "width": 64,
        "heads": 1,
        "layers": 1,
    },
}


@pytest.fixture(scope="session")
def tiny_clip(tmp_path_factory):
    """Name, tag and checkpoint of a small CLIP that open_clip knows."""
    import open_clip

    folder = tmp_path_factory.mktemp("clip")
    (folder / "tiny-clip.json").write_text(json.dumps(TINY_CLIP))
    open_clip.add_model_config(folder / "tiny-clip.json")
    torch.manual_seed(0)
    model = open_clip.create_model("tiny-clip", load_weights=False)
    torch.save(model.state_dict(), folder / "tiny.pt")
    return folder / "tiny.pt", model.eval()


@pytest.fixture(scope="session")
def byte_tokenizer(tmp_path_factory):
    """A tokenizer of single bytes, in the format of the hub."""
    from transformers import PreTrainedTokenizerFast

    symbols = [*sorted(pre_tokenizers.ByteLevel.alphabet()), "<s>", "</s>"]
    vocabulary = {symbol: index for index, symbol in enumerate(symbols)}
    tokenizer = Tokenizer(tokenizer_models.BPE(vocab=vocabulary, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    folder = tmp_path_factory.mktemp("tokenizer")
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token="<s>", eos_token="</s>", pad_token="</s>"
    ).save_pretrained(folder)
    return folder


def into_hub_cache(root, repository, files):
    """Lay files out as the hub's cache does."""
    base = root / "hub" / f"models--{repository.replace('/', '--')}"
    (base / "refs").mkdir(parents=True)
    (base / "refs" / "main").write_text("abc")
    folder = base / "snapshots" / "abc"
    folder.mkdir(parents=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder


@pytest.fixture(scope="session")
def vgg_file(tmp_path_factory):
    """Random weights under the names of torchvision's file."""
    from torchvision.models.vgg import cfgs, make_layers

    torch.manual_seed(0)
    network = make_layers(cfgs["E"], batch_norm=False)
    state = {f"features.{name}": value for name, value in network.state_dict().items()}
    path = tmp_path_factory.mktemp("vgg") / "vgg19-dcbb9e9d.pth"
    torch.save(state | {"classifier.0.bias": torch.zeros(4)}, path)
    return path, network.eval()


@pytest.fixture(scope="session")
def llama(tmp_path_factory, byte_tokenizer):
    """A folder with a small random model of Llama's architecture."""
    from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM

    folder = tmp_path_factory.mktemp("llama")
    torch.manual_seed(0)
    size = {"hidden_size": 32, "intermediate_size": 64, "num_attention_heads": 2}
    LlamaForCausalLM(
        LlamaConfig(vocab_size=258, num_hidden_layers=2, max_position_embeddings=8192, **size)
    ).save_pretrained(folder)
    AutoTokenizer.from_pretrained(byte_tokenizer).save_pretrained(folder)
    return folder
