"""Methods and data for one's own `lightning.Trainer`."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from atelier.inputs import as_files
from experiments.run.visit import visit

if TYPE_CHECKING:
    from datamodules.stylization import StylizationDataModule
    from lightning_modules.stylization import Stylization


def build(
    method: str = "soulstyler",
    models: str = "embedded",
    *,
    settings: Mapping[str, Any] | None = None,
    **options: Any,
) -> tuple[Stylization, StylizationDataModule]:
    """Build a method and its data as the command builds them, for `Trainer.fit(module, data)`.

    Args:
        method, models: names; their YAML files give all settings that are left out, so that nothing
            needs copying from them.
        settings: by dotted name, {"model.tau": 0.6}.
        options: those of `stylize`: image (its `picture`), instruction, object, style, mask, size,
            seed, ...

    Returns the method, whose `configuration` holds all settings as YAML, and the data. The fit
    parses, finds the mask and starts the painter by itself.

    Raises:
        AtelierError: an option or a setting that is unknown or does not fit.

    Example:
        >>> module, data = build("clipstyler", image="skimage:chelsea", style="fire", size=64)
        >>> type(module).__name__, data.size
        ('CLIPstyler', 64)
    """
    started = time.perf_counter()
    from experiments.run.configuration import compose
    from experiments.run.lightning_cli import AtelierCLI
    from experiments.run.options import refuse_unknown_options
    from experiments.run.options import settings as settings_of

    refuse_unknown_options(options)
    own = settings_of(as_files(options, Path("runs")))
    with visit():
        cli = AtelierCLI.from_settings(compose(method, models), own | dict(settings or {}), started)
        # It was validated when it was parsed; once more would take as long as that.
        whole = cli.parser.dump(cli.config, skip_unset=False, skip_validation=True)
        cli.model.configuration = whole
    return cli.model, cli.datamodule
