"""Export of a finished run's style: the painter with its code as one ONNX graph."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import onnx
import torch
from torch import Tensor, nn

from datamodules.parsing.blend import in_words
from datamodules.run_folder import CONFIG, PARSE, RESULT, STYLE, RunFolder
from datamodules.support.errors import AtelierError
from datamodules.support.files import atomic
from datamodules.support.suggestions import there_are
from datamodules.support.versions import own_version
from datamodules.task import alike
from experiments.run.configuration import Configuration
from experiments.run.parts import build
from lightning_modules.generators.base import Generator
from lightning_modules.generators.onnx_painter import INPUT, OUTPUT, OnnxPainter

OPSET = 17
EXAMPLE = (64, 96)  # height and width of the picture with which the network is traced
CHECKED = (EXAMPLE, (65, 97), (130, 51), (127, 128))  # of those on which the graph is checked
TOLERANCE = 1e-3


@dataclass(frozen=True)
class Export:
    """A file that was written: its metadata, and its largest difference from torch."""

    about: Mapping[str, str]
    difference: float


def export(run: RunFolder, path: Path, region: str = "") -> Export:
    """Write the style of a run's region as ONNX, checked against torch, or nothing at all.

    region: the object, as the run names it; "" where there is only one. Raises AtelierError for a
    run that keeps no style, an unknown region, and a graph that differs from torch.
    """
    run.require(CONFIG, PARSE, RESULT)
    label, number = _region(run, region)
    styles = _final_styles(run)
    generator = build(Generator, "generator", _settings(run))
    network = generator.alone(styles, number).eval().requires_grad_(False)
    about = {
        "style": _in_words(run, number),
        "region": label,
        "method": run.result.method,
        "generator": run.result.generator,
        "version": own_version(),
        "opset": str(OPSET),
    }
    return Export(about, write_graph(network, about, path))


def write_graph(network: nn.Module, about: Mapping[str, str], path: Path) -> float:
    """Write a network (N, 3, H, W) -> (N, 3, H, W) as ONNX; its largest difference from torch.

    about: the file's metadata. Raises AtelierError for a network without a graph that does the same
    at any size; then nothing is written.
    """
    with atomic(path) as temporary:
        try:
            _trace(network, about, temporary)
            difference = _difference(network, OnnxPainter(str(temporary)))
        except (RuntimeError, AtelierError) as error:  # torch's exporter has RuntimeErrors
            reason = str(error).strip().partition("\n")[0]
            raise AtelierError(
                f"The network has no graph for pictures of any size ({reason}); {path} is not "
                "written: choose a run of another method"
            ) from error
        if not difference <= TOLERANCE:
            raise AtelierError(
                f"The graph differs from torch by {difference:.2g}, more than {TOLERANCE:g}; "
                f"{path} is not written: choose a run of another method"
            )
    return difference


def _settings(run: RunFolder) -> Configuration:
    """Generator of a run's configuration, alone."""
    generator = run.setting("model.init_args.generator")
    if not generator:
        raise AtelierError(f"{run.path / CONFIG} configures no generator; make the run again")
    return {"generator": generator}


def _final_styles(run: RunFolder) -> dict[str, Tensor]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    path = run.path / STYLE
    if not path.is_file():
        raise AtelierError(
            f"{run.path} has no {STYLE}: {run.result.generator} keeps no style apart from its "
            "network, or the run is older; export a run of fast_clipstyler or of the painter"
        )
    try:
        return load_file(path)
    except (SafetensorError, OSError) as error:
        raise AtelierError(f"{path} is damaged; make the run again") from error


def _region(run: RunFolder, name: str) -> tuple[str, int]:
    """Label of a region in words, and its number among those that the generator paints."""
    areas, groups = list(run.styles), alike(run.styles)
    labels = [area.label for area in areas]
    if not name and len(groups) > 1:
        raise AtelierError(
            f"The run has {len(groups)} regions; choose one with --region: {', '.join(labels)}"
        )
    for number, group in enumerate(groups):
        if not name or name in [labels[k] for k in group]:
            return ", ".join(labels[k] for k in group), number
    raise AtelierError(f"The run has no region {name!r}{there_are(name, labels)}")


def _in_words(run: RunFolder, number: int) -> str:
    """The style of a region as text, "" where a picture shows it."""
    blends = list(run.styles.values())
    blend = blends[alike(run.styles)[number][0]]
    return in_words(blend) if blend else ""


def _trace(network: nn.Module, about: Mapping[str, str], path: Path) -> None:
    """Write the graph of the network, with the texts `about` as its metadata."""
    sizes = {0: "pictures", 2: "height", 3: "width"}
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that sizes are constants: `_difference` proves it wrong
        torch.onnx.export(
            network,
            (torch.rand(1, 3, *EXAMPLE),),
            str(path),
            dynamo=False,  # the other exporter needs packages that nothing else does
            opset_version=OPSET,
            input_names=[INPUT],
            output_names=[OUTPUT],
            dynamic_axes={INPUT: sizes, OUTPUT: sizes},
        )
    model = onnx.load(path)
    onnx.helper.set_model_props(model, dict(about))
    onnx.save(model, path)


@torch.no_grad()
def _difference(network: nn.Module, graph: OnnxPainter) -> float:
    """Largest difference between the network and its graph, on noise of several sizes."""
    random = torch.Generator().manual_seed(0)
    pictures = [torch.rand(1, 3, *size, generator=random) for size in CHECKED]
    return max(float((network(p) - graph.run(p)).abs().max()) for p in pictures)
