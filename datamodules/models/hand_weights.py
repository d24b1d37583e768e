"""Weights that no program can download: files on pages for people."""

from __future__ import annotations

from dataclasses import dataclass

PAGES = {  # by the weights' name, which has no scheme
    "cris": "their authors' page, to which the CRIS repository on GitHub "
    "(DerrickWang005/CRIS.pytorch) links",
}


@dataclass(frozen=True)
class HandWeights:
    """A file of one of `PAGES`, which is nowhere until a person registers it."""

    name: str

    @property
    def by_hand(self) -> str:
        """Instructions for a person: a sentence that others may continue."""
        return (
            f"The weights {self.name} are published on {PAGES[self.name]}; download them there "
            f"and register the file: atelier weights path {self.name}=FILE"
        )

    def cached(self) -> None:
        """No library has a cache for it."""
