"""Weights that no program can download: files on pages for people."""

from __future__ import annotations

from dataclasses import dataclass

FASTCLIPSTYLER = "in the FastCLIPstyler repository on GitHub (sertiscorp/FastCLIPstyler)"
ADAIN = "with the pytorch-AdaIN repository on GitHub (naoto0804/pytorch-AdaIN)"
PAGES = {  # by the weights' name, which has no scheme
    "cris": "on their authors' page, to which the CRIS repository on GitHub "
    "(DerrickWang005/CRIS.pytorch) links",
    "fastclipstyler": f"{FASTCLIPSTYLER} as text_embedder_clip.pth",
    "edgeclipstyler": f"{FASTCLIPSTYLER} as text_embedder_bert.pth",
    "ghiasi": f"{FASTCLIPSTYLER}, the painter beside the text networks",
    "adain-vgg": f"{ADAIN} as vgg_normalised.pth",
    "adain-decoder": f"{ADAIN} as decoder.pth",
}


@dataclass(frozen=True)
class HandWeights:
    """A file of one of `PAGES`, which is nowhere until a person registers it."""

    name: str

    @property
    def by_hand(self) -> str:
        """Instructions for a person: a sentence that others may continue."""
        return (
            f"The weights {self.name} are published {PAGES[self.name]}; download them there "
            f"and register the file: atelier weights path {self.name}=FILE"
        )

    def cached(self) -> None:
        """No library has a cache for it."""
