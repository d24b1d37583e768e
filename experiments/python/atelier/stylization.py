"""Stylization of one picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from atelier.inputs import as_files
from datamodules.run_folder import ENHANCED, FRAMES, FULL, MASK, OUTPUT, RESULT, RunFolder
from experiments.run.order import Order
from experiments.run.visit import visit

if TYPE_CHECKING:
    from PIL import Image

    from datamodules.reading.in_memory import Picture
    from datamodules.run_records import Result as Record
    from datamodules.task import StyleTarget

RUNS = Path("runs")


@dataclass(frozen=True)
class Result:
    """A finished run, read from its folder.

    Attributes:
        folder: of all its files; it is always there. README.md lists them.
        picture: the result, mode RGB, or RGBA where the photo is transparent; its longer side is
            `size` or that of a smaller photo.
        mask: of all that was painted, mode L, of the same size, 255 = stylized in full.
        targets: objects and styles, as the request was understood, with what stays as it is.
        scores: by name, None where a score is undefined; docs/evaluation.md defines them.
        record: contents of result.json: method, losses, seconds by stage, seed, versions,
            `style_note` for an unfamiliar style, `mask_confidence` by phrase.
        warnings: sentences about what may be wrong, the same that were given as AtelierWarning.
    """

    folder: Path
    picture: Image.Image
    mask: Image.Image
    targets: tuple[StyleTarget, ...]
    scores: Mapping[str, float | None]
    record: Record
    warnings: tuple[str, ...] = ()

    @property
    def full(self) -> Image.Image | None:
        """The result at the photo's own size, up to `full_size`; None where that is no larger."""
        return self._picture(FULL) if (self.folder / FULL).exists() else None

    @property
    def enhanced(self) -> Image.Image:
        """The result with the contrast raised by half."""
        return self._picture(ENHANCED)

    @property
    def frames(self) -> list[Image.Image]:
        """Pictures on the way to the style `to`, from the first to the last; [] without `to`."""
        names = sorted(path.name for path in (self.folder / FRAMES).glob("[0-9][0-9][0-9].png"))
        return [self._picture(f"{FRAMES}/{name}") for name in names]

    def _picture(self, name: str) -> Image.Image:
        from datamodules.reading.opening import open_picture

        return open_picture(str(self.folder / name))

    def _repr_png_(self) -> bytes:
        """The picture for notebooks."""
        return (self.folder / OUTPUT).read_bytes()


def stylize(
    picture: Picture | None = None,
    instruction: str | None = None,
    *,
    method: str | None = None,
    models: str | None = None,
    object: str | None = None,
    style: str | None = None,
    background_style: str | None = None,
    style_image: Picture | None = None,
    targets: Mapping[str, str] | Sequence[StyleTarget | Mapping[str, Any]] | None = None,
    exceptions: str | Sequence[str] | None = None,
    mask: Picture | Sequence[Picture] | None = None,
    mask_value: str | Sequence[str] | None = None,
    parser: str | None = None,
    base_url: str | None = None,
    segmenter: str | None = None,
    strength: float | None = None,
    keep_color: bool | None = None,
    composite: bool | None = None,
    brush: float | Sequence[float] | None = None,
    mode: Literal["paper", "reference"] | None = None,
    size: int | None = None,
    full_size: int | None = None,
    steps: int | None = None,
    seed: int | None = None,
    to: str | Sequence[str] | None = None,
    frames: int | None = None,
    full_frames: bool | None = None,
    ckpt: Path | str | None = None,
    onnx: Path | str | None = None,
    config: Path | str | None = None,
    device: Literal["auto", "cpu", "gpu"] | None = None,
    checkpoint_every: int | None = None,
    keep_checkpoint: bool = False,
    recipe: Path | str | None = None,
    resume: Path | str | None = None,
    out: Path | str | None = None,
    overwrite: bool = False,
    wandb: bool = False,
    settings: Mapping[str, Any] | None = None,
) -> Result:
    """Give an object in a picture the style that a sentence names, as `atelier stylize` does.

    The same request on the command line gives the same picture, byte for byte on one machine's
    processor, and so does `config.yaml` of the run. None stands for the command's default.

    Args:
        picture: path of a file; "skimage:NAME"; a picture of Pillow; or an array (H, W), (H, W, 3)
            or (H, W, 4) of uint8, or of floats in [0, 1], in sRGB. A picture in memory is written
            to the folder `inputs` of `out`, or to runs/inputs, where the configuration finds it.
        instruction: object and style in a sentence: "Turn the cat to fire". What follows goes
            before it.
        method: "soulstyler", ...; several styles choose "fusion" by themselves.
        models: "embedded", "fast", "paper", "reference" or "siglip".
        object: of the style; without an instruction, None is the whole picture.
        style: in words; a blend is "0.7*Van Gogh + 0.3*Hokusai".
        background_style: of all that is not the object.
        style_image: a picture that shows the style, of any form that `picture` has.
        targets: {"boat": "fire", "background": "snow"}, or what `parse` returns.
        exceptions: a phrase, or several, for what stays as it is, to the last bit.
        mask: instead of the segmenter: a picture, white = object, or an array (H, W) of bool, of
            uint8 or of floats in [0, 1], with the picture's proportions; for several objects one
            each, in their order.
        mask_value: of the object in a mask of labels: "2", "2,3", "#ff0000".
        parser, base_url: of the instruction, see `parse`. segmenter: see `find_mask`.
        strength: share of the change in the result, in [0, 1].
        keep_color: keep the photo's colours.
        composite: keep the photo, to the last bit, outside of the mask.
        brush: size of the strokes relative to the shorter side, in (0, 1], or in px, 8 or more.
        mode: formulas of the paper or of its published code.
        size: longer side of the working picture, in px, 32 or more.
        full_size: longer side of `Result.full`, in px, 2048 by default; 0 = none.
        steps: of the optimisation; 0 for methods in one pass.
        seed: of the random numbers; those of the caller stay as they are.
        to: style of the last frame, "ice" or "boat=ice", for methods in one pass.
        frames: their number, 7 by default. full_frames: also at full size.
        ckpt: weights that `train` has written. onnx: a style that `export` has written.
        config: a configuration instead of a method, such as that of an earlier run.
        device: where to compute.
        checkpoint_every: steps between two checkpoints, from which the same call goes on.
        keep_checkpoint: keep a checkpoint with the result, for `resume`.
        recipe: a picture that Atelier has made, whose recipe takes the place of a method; for the
            photo in it, or for `picture`. The other arguments go over it.
        resume: folder of a run with a checkpoint, which goes on in it up to `steps`.
        out: the run's folder; None is a new one, runs/METHOD-PICTURE-OBJECT-STYLE.
        overwrite: replace a finished run in `out`.
        wandb: log to Weights & Biases.
        settings: further ones by dotted name: {"model.tau": 0.6}; docs/methods.md explains them.

    Raises:
        AtelierError: one sentence about what the caller can mend; the options in it are those of
            the command line, so that `--mask` is `mask`.

    Warns:
        AtelierWarning: a weak mask, an unfamiliar style, and whatever else may make the result
            another than the one that was meant; also in `Result.warnings`.

    Example:
        >>> result = stylize("skimage:chelsea", "Turn the cat to fire", size=64, steps=1,
        ...                  settings={"model.patches.count": 2})
        >>> result.picture.size, result.targets[0].style
        ((64, 43), 'fire')
    """
    options = dict(locals())  # names are those of the command's options, with few exceptions
    options |= {
        "image": picture,
        "except": exceptions,
        "to": [to] if isinstance(to, str) else to,
        "from": recipe,
        "continue": resume,
        "no_wandb": not wandb,
    }
    with visit() as messages:
        files = as_files(options, Path(out) if out else RUNS)
        folder = Order(files, settings or {}, method, models, config, onnx).carry_out()
    return _result(folder, tuple(messages))


def read_run(folder: Path | str) -> Result:
    """Read a finished run, whoever has made it; AtelierError for a folder that holds none.

    Example:
        >>> read_run("runs/first").targets
        (StyleTarget(object='cat', style='mosaic', weight=1.0, exceptions=()),)
    """
    run = RunFolder(Path(folder))
    run.require(RESULT, OUTPUT, MASK)
    return _result(run.path, ())


def _result(folder: Path, messages: tuple[str, ...]) -> Result:
    from datamodules.reading.opening import open_picture

    run = RunFolder(folder)
    pictures = (open_picture(str(folder / name)) for name in (OUTPUT, MASK))
    return Result(folder, *pictures, run.targets, run.result.metrics, run.result, messages)
