"""Formats beside those of Pillow: HEIC, which is read, and files that show a picture to people but
hold none to read, which are refused by their names.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from datamodules.support.errors import AtelierError

HEADER = 1024  # bytes in which a format shows
HEIF_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
RESOLUTION_KIND, PREVIEW = 254, 1  # TIFF's tag NewSubfileType, and its value for a preview
DNG_VERSION = 50706  # a TIFF tag that only DNG files have


@dataclass(frozen=True)
class ForeignFormat:
    """A kind of files that Atelier does not read.

    name:       with its article. remedy: what to do.
    suffixes:   of its files, in lower case.
    beginnings: bytes of its files, each with its place.
    misread:    whether Pillow takes such a file for another (a raw file for its tiny preview) or
                starts another program for it, so that it must not be opened.
    """

    name: str
    remedy: str
    suffixes: tuple[str, ...]
    beginnings: tuple[tuple[int, bytes], ...]
    misread: bool = False

    def includes(self, path: Path, header: bytes) -> bool:
        """Whether a file of this name and these first bytes is of the kind."""
        begun = any(header[at:].startswith(start) for at, start in self.beginnings)
        return begun or path.suffix.lower() in self.suffixes


RAW = ForeignFormat(
    "a camera raw file",
    "develop it with a raw converter and export a TIFF, PNG or JPEG",
    (
        *(".3fr", ".arw", ".cr2", ".cr3", ".crw", ".dcr", ".dng", ".erf", ".fff", ".iiq", ".kdc"),
        *(".mef", ".mos", ".mrw", ".nef", ".nrw", ".orf", ".pef", ".raf", ".raw", ".rw2", ".rwl"),
        *(".sr2", ".srf", ".srw", ".x3f"),
    ),
    (
        *((0, b"FUJIFILMCCD-RAW"), (0, b"IIRO"), (0, b"IIRS"), (0, b"MMOR"), (0, b"IIU\0")),
        *((0, b"FOVb"), (0, b"\0MRM"), (6, b"HEAPCCDR"), (8, b"CR\2"), (4, b"ftypcrx ")),
    ),
    misread=True,
)
DRAWING = ForeignFormat(
    "a vector drawing",
    "export it as a PNG of the size that you want",
    (".svg", ".svgz", ".eps", ".ps", ".ai", ".wmf", ".emf"),
    ((0, b"<svg"), (0, b"%!PS"), (0, b"\xc5\xd0\xd3\xc6")),
    misread=True,
)
FOREIGN = (
    RAW,
    DRAWING,
    ForeignFormat("a PDF", "export its page as a PNG", (".pdf",), ((0, b"%PDF"),)),
    ForeignFormat(
        "a document of an image editor",
        "export it as a PNG",
        (".psd", ".psb", ".xcf", ".kra", ".ora", ".clip", ".afphoto", ".procreate"),
        ((0, b"8BPS"), (0, b"gimp xcf")),
    ),
    ForeignFormat(
        "a picture of high dynamic range",
        "export it as a PNG or TIFF",
        (".exr", ".hdr"),
        ((0, b"v/1\x01"), (0, b"#?RADIANCE"), (0, b"#?RGBE")),
    ),
    ForeignFormat(
        "a JPEG XL picture",
        "convert it to a PNG or JPEG",
        (".jxl",),
        ((0, b"\xff\x0a"), (4, b"JXL \r\n")),
    ),
    ForeignFormat(
        "a video",
        "export one frame as a PNG",
        (".mp4", ".mov", ".m4v", ".avi", ".mkv", ".webm"),
        ((4, b"ftypqt"), (4, b"ftypisom"), (4, b"ftypmp4"), (8, b"AVI "), (0, b"\x1aE\xdf\xa3")),
    ),
)


def refuse_misread(path: Path, source: str, header: bytes) -> None:
    """AtelierError for a file that must not be opened; header: its first bytes."""
    text = header.lstrip(b"\xef\xbb\xbf \t\r\n")
    if text.startswith(b"<") and b"<svg" in text:  # after an XML declaration or a comment
        raise _refusal(DRAWING, source)
    _refuse([kind for kind in FOREIGN if kind.misread], path, source, header)


def refuse_foreign(path: Path, source: str, header: bytes) -> None:
    """AtelierError for a file that Pillow could not read, where it is of a foreign format."""
    _refuse(FOREIGN, path, source, header)


def _refuse(kinds: Iterable[ForeignFormat], path: Path, source: str, header: bytes) -> None:
    for kind in kinds:
        if kind.includes(path, header):
            raise _refusal(kind, source)


def _refusal(kind: ForeignFormat, source: str) -> AtelierError:
    return AtelierError(f"{source} is {kind.name}, which Atelier does not read; {kind.remedy}")


def refuse_preview(picture: Image.Image, source: str) -> None:
    """AtelierError for a raw file under a TIFF's name, of which Pillow sees the preview."""
    tags = getattr(picture, "tag_v2", {})
    if DNG_VERSION in tags or tags.get(RESOLUTION_KIND) == PREVIEW:
        raise _refusal(RAW, source)


def is_heif(header: bytes) -> bool:
    """Whether a file with these first bytes is a HEIC or HEIF picture."""
    return header[4:8] == b"ftyp" and header[8:12] in HEIF_BRANDS


def register_heif() -> None:
    """Let Pillow read HEIC and HEIF pictures."""
    from pillow_heif import register_heif_opener

    register_heif_opener()
