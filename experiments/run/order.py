"""Order of a stylization, by the command line or from Python, and the configuration it means."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from datamodules.recipes import USUAL_FULL_SIZE
from datamodules.support.errors import AtelierError
from experiments.run.configuration import EMBEDDED, SEVERAL, compose
from experiments.run.from_picture import from_picture
from experiments.run.going_on import configuration_to_go_on
from experiments.run.options import (
    absolute,
    check_endpoint,
    configuration,
    settings,
)
from experiments.run.watch import Watch

NAMES_A_STYLE = (
    "instruction",
    "style",
    "background_style",
    "style_image",
    "target",
    "targets",
    "to",
)


@dataclass(frozen=True)
class Order:
    """A stylization, before anything is loaded.

    Args:
        options: by the names that `settings` takes; None for what is left out.
        further: settings by dotted name, over the options.
        method: a name; None for the usual one, which depends on the number of styles.
        models: a preset of models, None for the embedded ones.
        config: a configuration file instead of a method.
        onnx: a file that `export` has written, instead of a method and a style.
    """

    options: Mapping[str, Any]
    further: Mapping[str, Any] = field(default_factory=dict)
    method: str | None = None
    models: str | None = None
    config: str | Path | None = None
    onnx: str | Path | None = None

    def carry_out(self, watch: Watch | None = None) -> Path:
        """Stylize; the folder of the run. Raises AtelierError as `stylize`.

        The option `continue` names the folder of a run that gets more steps, and `from` a picture
        whose recipe takes the place of a method and its configuration.
        """
        if self.options.get("continue"):
            return self._go_on(watch)
        check_endpoint(self.options.get("parser"), self.options.get("base_url"))
        if self.options.get("from"):
            return self._from_picture(watch)
        self._check_frames()
        order = self._of_file() if self.onnx else self
        config = configuration(order.method, order.models, order.config)
        options = dict(order.options)
        if not order.config:
            if not options.get("image"):
                raise AtelierError("There is no picture; give a file or skimage:rocket")
            if options.get("full_size") is None:
                options["full_size"] = USUAL_FULL_SIZE
        free = not (order.method or order.config)
        several = compose(SEVERAL, order.models or EMBEDDED) if free else None
        from experiments.run.stylize import stylize

        return stylize(config, settings(options) | dict(order.further), watch, several)

    def _from_picture(self, watch: Watch | None) -> Path:
        """A run by the recipe in a picture, with the options over it."""
        if any((self.method, self.models, self.config, self.onnx)):
            raise AtelierError(
                "--from brings a method, its models and all settings; leave --method, --models, "
                "--config and --onnx out"
            )
        over = settings(self.options) | dict(self.further)
        config, files = from_picture(str(self.options["from"]), over)
        config["data"].setdefault("full_size", USUAL_FULL_SIZE)
        from experiments.run.stylize import stylize

        return stylize(config, files | over, watch)

    def _go_on(self, watch: Watch | None) -> Path:
        """More steps of the run in a folder, whose configuration says everything else."""
        others = self.method, self.models, self.config, self.onnx
        if any(others) or self._has("from", "out", "image"):
            raise AtelierError(
                "--continue goes on with a run as it is, in its own folder; leave --method, "
                "--models, --config, --onnx, --from, --out and a picture out"
            )
        folder = Path(self.options["continue"])
        config = configuration_to_go_on(folder, self.options.get("steps"))
        own = {"run.out": str(folder), "run.overwrite": False, "run.keep_checkpoint": True}
        from experiments.run.stylize import stylize

        changed = settings(self.options) | dict(self.further) | own
        return stylize(config, changed, watch, goes_on=True)

    def _has(self, *names: str) -> bool:
        """Whether there is any of these options."""
        return any(self.options.get(name) for name in names)

    def _check_frames(self) -> None:
        """Refuse frames where nothing says which style they lead to."""
        frames = self.options.get("frames") or self.options.get("full_frames")
        if frames and not (self.options.get("to") or self.config):
            raise AtelierError("--frames goes with --to STYLE, the style of the last frame")

    def _of_file(self) -> Order:
        """The order of a run that paints with an ONNX file, whose object needs no parser."""
        others = [self.method, self.config, self.options.get("steps")]
        others += [self.options.get(name) for name in NAMES_A_STYLE]
        if any(others):
            raise AtelierError(
                "--onnx paints in the style of its file, in one pass; leave everything out that "
                "names a style, a method or steps, and name the object with --object"
            )
        from lightning_modules.generators.onnx_painter import OnnxPainter

        style = OnnxPainter(str(self.onnx)).about.get("style", "")
        own = {
            "model.generator": "onnx",
            "model.generator.file": absolute(str(self.onnx)),
            "data.targets": [{"object": self.options.get("object") or "", "style": style}],
            "trainer.max_steps": 0,
        }
        options = {**self.options, "object": None}
        return replace(self, options=options, further=own | self.further, method=SEVERAL, onnx=None)
