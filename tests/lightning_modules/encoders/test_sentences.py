"""The sentence encoder of EdgeCLIPstyler, on a small ALBERT of the published form."""

import pytest
import torch

from datamodules.support.errors import AtelierError
from lightning_modules.encoders.sentences import SentenceEncoder
from lightning_modules.generators.fast_painter import FastPainter


@pytest.fixture(scope="module")
def folder(tmp_path_factory, byte_tokenizer):
    from transformers import AlbertConfig, AlbertModel, AutoTokenizer

    folder = tmp_path_factory.mktemp("albert")
    torch.manual_seed(0)
    sizes = {"hidden_size": 16, "embedding_size": 8, "intermediate_size": 16}
    config = AlbertConfig(
        vocab_size=258, num_attention_heads=2, num_hidden_layers=2, **sizes, pad_token_id=257
    )
    AlbertModel(config).save_pretrained(folder)
    AutoTokenizer.from_pretrained(byte_tokenizer).save_pretrained(folder)
    return str(folder)


def test_a_text_is_the_unit_mean_of_its_tokens_whatever_stands_beside_it(folder):
    encoder = SentenceEncoder(folder)
    alone, together = encoder.embed_texts(["fire"]), encoder.embed_texts(["fire", "a long text"])
    torch.testing.assert_close(together[:1], alone)
    torch.testing.assert_close(together.norm(dim=1), torch.ones(2))
    assert (together[0] - together[1]).norm() > 0.01


def test_a_text_network_of_another_width_reads_its_embeddings(folder):
    generator = FastPainter(SentenceEncoder(folder), width=16, weights="untrained")
    assert generator.texts(["fire", "ice"]).shape == (2, 100)
    with pytest.raises(AtelierError, match="reads 32 numbers per text, and"):
        FastPainter(SentenceEncoder(folder), width=32, weights="untrained").texts(["fire"])


def test_a_folder_of_anything_else_is_refused(folder, tmp_path):
    with pytest.raises(AtelierError, match="holds no sentence encoder"):
        SentenceEncoder(str(tmp_path))
    assert SentenceEncoder.weights_needed(folder) == []
    name = "sentence-transformers/paraphrase-albert-small-v2"
    assert SentenceEncoder.weights_needed(name) == [f"hf:{name}"]
