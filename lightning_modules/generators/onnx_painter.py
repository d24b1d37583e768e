"""OnnxPainter: a painter in one style from a file, as `atelier export` writes it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import torch
from torch import Tensor

from datamodules.support.errors import AtelierError
from datamodules.task import StyleBatch
from lightning_modules.generators.one_pass import OnePass

if TYPE_CHECKING:
    from onnxruntime import InferenceSession, NodeArg

INPUT, OUTPUT = "content", "picture"
ROUNDING = 1e-2  # outside of [0, 1]
AGAIN = "write it with atelier export RUN -o style.onnx"


class OnnxPainter(OnePass):
    """Painter of every region in the style of a file; texts change nothing.

    The graph runs on the processor, by onnxruntime.

    Args:
        file: path of the ONNX file.

    Attributes:
        about: the file's metadata; `style` is the style in words, "" or missing where there are
            none.
    """

    reads_texts: ClassVar[bool] = False
    optimisable = False

    def __init__(self, file: str) -> None:
        super().__init__()
        self.file = file
        self.session = _session(file)
        self.about = dict(self.session.get_modelmeta().custom_metadata_map)

    def texts(self, texts: Sequence[str]) -> Tensor:
        raise AtelierError(f"{self.file} paints in a style of its own, whatever the text")

    def _style(self, batch: StyleBatch, region: int) -> Tensor:
        return torch.zeros(1, 0)

    def final_styles(self) -> dict[str, Tensor]:
        return {}  # its style is its network

    def paint(self, content: Tensor, styles: Tensor) -> Tensor:
        if torch.is_grad_enabled():
            raise AtelierError(f"{self.file} cannot be optimised; leave --steps out")
        return self.run(content)

    def run(self, content: Tensor) -> Tensor:
        """Pictures (N, 3, H, W) in [0, 1]; AtelierError if the graph makes something else."""
        try:
            (painted,) = self.session.run([OUTPUT], {INPUT: content.cpu().numpy()})
        except Exception as error:  # onnxruntime's are of no common class
            raise self._unusable(f"fails on {_size(content)}: {_first_line(error)}") from error
        picture = torch.from_numpy(painted)
        if picture.shape != content.shape or not _in_range(picture):
            raise self._unusable(f"paints no picture in [0, 1] of {_size(content)}")
        return picture.clamp(0, 1).to(content.device)

    def _unusable(self, reason: str) -> AtelierError:
        return AtelierError(f"The graph in {self.file} {reason}; {AGAIN}")


def _session(file: str) -> InferenceSession:
    # Else it keeps an identifier of this machine and reports to Microsoft.
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    import onnxruntime

    if not Path(file).is_file():
        raise AtelierError(f"There is no file {file}; {AGAIN}, or check --onnx")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    options.log_severity_level = 4  # what goes wrong is said in one line, by us
    try:
        session = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # as above
        raise AtelierError(f"{file} is no ONNX graph ({_first_line(error)}); {AGAIN}") from error
    for name, ends in ((INPUT, session.get_inputs()), (OUTPUT, session.get_outputs())):
        if [end.name for end in ends] != [name] or not _is_picture(ends[0]):
            there = ", ".join(f"{end.name} {end.type} {end.shape}" for end in ends)
            raise AtelierError(
                f"{file} has {there or 'nothing'} in place of {name}, float pictures "
                f"(N, 3, H, W) of any size; {AGAIN}"
            )
    return session


def _is_picture(end: NodeArg) -> bool:
    sizes = [size if isinstance(size, int) else None for size in end.shape]  # None: any
    float_pictures = end.type == "tensor(float)" and len(sizes) == 4 and sizes[1] in (3, None)
    return float_pictures and sizes[2:] == [None, None]


def _in_range(picture: Tensor) -> bool:
    return bool(((picture >= -ROUNDING) & (picture <= 1 + ROUNDING)).all())  # false for NaN


def _size(content: Tensor) -> str:
    return f"{content.shape[3]}x{content.shape[2]} px"


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]
