"""Weights by name, seen from outside: where they come from, which files, and where they lie."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar


@dataclass(frozen=True)
class Source:
    """Place where a library looks for weights, as far as it is certain without a connection.

    place:    OWNER/REPOSITORY of the hub, or the URL of a server's folder.
    files:    names or patterns of the weights' file; the first that the place has counts.
    revision: branch of the repository; "" for a plain server.
    """

    place: str
    files: tuple[str, ...]
    revision: str


@dataclass(frozen=True)
class RemoteFile:
    """One file to download.

    place, revision: as in `Source`. size: in bytes; None if the server does not say. here: whether
    it is in the cache already. about: whether no server was asked, so that the size is a guess.
    """

    place: str
    name: str
    revision: str
    size: int | None
    here: bool = False
    about: bool = False


@dataclass(frozen=True)
class Weights(ABC):
    """Weights of one scheme, by the key that their library gives them."""

    by_hand: ClassVar[str] = ""  # unlike those of `hand_weights`
    scheme: ClassVar[str]
    home: ClassVar[str]  # the variable that moves the library's cache
    key: str

    @property
    def name(self) -> str:
        """The name in configurations and commands: scheme:key."""
        return f"{self.scheme}:{self.key}"

    @abstractmethod
    def source(self) -> Source:
        """Location of the files in the library's registry. AtelierError if it has no such name."""

    @abstractmethod
    def cached(self) -> Path | None:
        """The file or folder in the library's cache; None if it is not there."""

    @abstractmethod
    def remote(self) -> list[RemoteFile]:
        """The files that `download` gets, with their sizes, as the server lists them."""

    @abstractmethod
    def download(self, files: list[RemoteFile]) -> Path:
        """Download into the library's cache, with a progress bar on stderr; return the path."""

    @abstractmethod
    def address(self) -> str:
        """The URL of the server that has the files."""

    @abstractmethod
    def folder(self) -> Path:
        """The folder of the library's cache."""
