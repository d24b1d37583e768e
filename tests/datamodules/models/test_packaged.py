"""Files of packages, put together from parts."""

import pytest
import torch

from datamodules.models import embedded_networks, packaged
from datamodules.support.errors import AtelierError
from datamodules.support.files import sha256


def split_file(tmp_path, monkeypatch, *texts):
    """A model in parts, as packages that can be found but are never imported."""
    parts = []
    for number, text in enumerate(texts):
        package = tmp_path / f"part_{tmp_path.name}_{number}"
        package.mkdir()
        (package / "__init__.py").write_text("raise RuntimeError('imported')")
        (package / "x").write_bytes(text)
        digest = sha256(package / "x")
        parts.append(packaged.EmbeddedFile(package.name, "x", digest, "do this"))
    whole = tmp_path / "whole"
    whole.write_bytes(b"".join(texts))
    monkeypatch.syspath_prepend(tmp_path)
    return packaged.SplitFile("model.gguf", sha256(whole), tuple(parts))


def test_parts_are_put_together_and_removed_afterwards(tmp_path, monkeypatch, judgement_cache):
    file = split_file(tmp_path, monkeypatch, b"one", b"two")
    with packaged.whole(file) as path:
        assert path.name == "model.gguf" and path.read_bytes() == b"onetwo"
        assert path.is_relative_to(judgement_cache)
    assert list(judgement_cache.iterdir()) == []


def test_parts_that_do_not_fit_leave_nothing(tmp_path, monkeypatch, judgement_cache):
    good = split_file(tmp_path, monkeypatch, b"one", b"two")
    turned = packaged.SplitFile(good.name, good.sha256, good.parts[::-1])
    with pytest.raises(AtelierError, match="do not fit together; do this"), packaged.whole(turned):
        pass
    assert list(judgement_cache.iterdir()) == []
    (tmp_path / good.parts[1].package / "x").write_bytes(b"tow")
    packaged.locate.cache_clear()
    with pytest.raises(AtelierError, match=r"corrupt.*do this"), packaged.whole(good):
        pass
    monkeypatch.setenv("ATELIER_CACHE", str(tmp_path / "whole" / "cache"))
    (tmp_path / good.parts[1].package / "x").write_bytes(b"two")
    with pytest.raises(AtelierError, match="set ATELIER_CACHE"), packaged.whole(good):
        pass


def test_the_same_texts_are_embedded_once_and_their_vectors_may_enter_a_graph(monkeypatch):
    embedder = embedded_networks.sentence_embedder()
    texts = ["a harbour in fog", "a photo"]
    with torch.inference_mode():
        first = embedder(texts)
    monkeypatch.setattr(embedder, "tokens", None)  # no second pass through the network
    assert embedder(list(texts)) is first
    scale = torch.ones(1, requires_grad=True)
    (first * scale).sum().backward()
    assert scale.grad is not None
