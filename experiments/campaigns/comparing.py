"""Order of a comparison, by the command line or from Python, carried out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from datamodules.support.errors import AtelierError
from datamodules.support.files import slug
from experiments.campaigns.plan import check_method
from experiments.run.configuration import EMBEDDED, compose, with_settings
from experiments.run.options import below, check_endpoint
from experiments.run.registry import find_methods

if TYPE_CHECKING:
    from datamodules.reading.masks import MaskFile
    from datamodules.task import StyleTarget
    from experiments.campaigns.comparison import Sheet

PARSER, SEGMENTER = "data.parser.", "data.segmenter."  # beginnings of their settings


@dataclass(frozen=True)
class ComparisonOrder:
    """One picture and one request for several methods, before anything is loaded.

    Args:
        image: a picture file, or skimage:NAME.
        methods: names, at least one.
        instruction, targets, exceptions: as in `datamodules.request.Request`.
        masks, mask_values: files, and the object's values in them.
        short: settings of all runs by short name: size, steps, seed.
        settings: further ones by dotted name, those of parser and segmenter included.
        out: the folder, None for one named after the request.
        overwrite: make finished runs again. wandb: log to Weights & Biases.
    """

    image: str
    methods: Sequence[str]
    instruction: str = ""
    targets: Mapping[str, str] | Sequence[Mapping[str, Any]] = ()
    exceptions: str | Sequence[str] = ()
    masks: Sequence[str] = ()
    mask_values: Sequence[str] = ()
    models: str = EMBEDDED
    parser: str = "smollm2"
    base_url: str | None = None
    segmenter: str = "bridge"
    short: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    out: Path | None = None
    overwrite: bool = False
    wandb: bool = True

    def carry_out(self) -> Sheet:
        """Make the runs that are not done; AtelierError before the first for a wrong request."""
        self._check()
        from datamodules.images import load_photo
        from experiments.campaigns.comparison import Comparison, compare

        load_photo(self.image)  # refused now, not after the parser has been loaded
        targets = self._targets()
        for method in self.methods:
            check_method(method, targets)
        if self.masks and any(target.exceptions for target in targets):
            raise AtelierError(
                "With --mask a comparison takes no exceptions; paint what stays as it is black in "
                'the mask, and name the object with --target "OBJECT=STYLE"'
            )
        words = ("compare", Path(self.image).stem, targets[0].area.label, targets[0].style)
        root = self.out or Path("runs") / "-".join(map(slug, words))
        own = (PARSER, SEGMENTER)
        values = {k: v for k, v in self.settings.items() if not k.startswith(own)}
        masks = self._masks(targets, root)
        comparison = Comparison(
            self.image, targets, masks, self.methods, self.models, dict(self.short) | values
        )
        return compare(comparison, root, self.overwrite, self.wandb)

    def _check(self) -> None:
        check_endpoint(self.parser, self.base_url)
        if not self.methods:
            raise AtelierError("--methods names none; give e.g. --methods clipstyler,soulstyler")
        parts = {"data.parser": self.parser, "data.segmenter": self.segmenter} | dict(self.settings)
        find_methods(self.methods)  # refuses two of one name
        for name in self.methods:
            with_settings(compose(name, self.models), parts)  # refuses what any of them lacks
        if not (self.instruction or self.targets):
            raise AtelierError('There is no instruction; give one, or --target "boat=fire"')

    def _targets(self) -> tuple[StyleTarget, ...]:
        """Objects and styles as given or, without any, as the chosen parser understands them."""
        from datamodules.request import Request
        from experiments.run.parts import build_parser

        parser = build_parser(self.parser, self.base_url, below(self.settings, PARSER))
        request = Request(self.instruction, targets=self.targets, exceptions=self.exceptions)
        return request.resolve(parser).targets

    def _masks(self, targets: Sequence[StyleTarget], root: Path) -> list[MaskFile]:
        """One mask per object: the files of the request, or those of the segmenter."""
        from datamodules.reading.masks import mask_files
        from experiments.campaigns.comparison import write_masks
        from experiments.run.parts import build_segmenter

        if self.masks:
            return mask_files(self.masks, self.mask_values)
        own = below(self.settings, SEGMENTER)
        segmenter, origin = build_segmenter(self.segmenter, own), f"{self.segmenter} {own}"
        return mask_files(write_masks(self.image, targets, segmenter, origin, root), [])
