"""Search for the pictures of a benchmark set: by content first, then by name.

The content is that of the published file, by its SHA-256. A picture whose published SHA-256 is not
known is identified by its file name, whatever the case and the extension.
"""

from __future__ import annotations

import importlib.util
import unicodedata
from functools import cached_property
from pathlib import Path

from datamodules.benchmarks.manifest import UNKNOWN, Picture
from datamodules.images import load_picture
from datamodules.reading.formats import RAW
from datamodules.reading.opening import PACKAGED
from datamodules.support.errors import AtelierError
from datamodules.support.files import sha256

SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".jfif", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".avif"}
    | {".ppm", ".pgm", ".jp2", ".heic", ".heif"}
    | {".svg", *RAW.suffixes}  # these cannot be read, which is reported
)
DIGITS = 12  # of a digest in a sentence


class PictureFolder:
    """The picture files in and below a folder; each is read at most once."""

    def __init__(self, path: Path) -> None:
        if not path.is_dir():
            raise AtelierError(
                f"There is no folder {path}; give --pictures the folder that holds the pictures"
            )
        self.path = path
        self._digests: dict[Path, str] = {}

    @cached_property
    def files(self) -> list[Path]:
        return sorted(p for p in self.path.rglob("*") if is_picture_file(p))

    def by_name(self, file: str) -> list[Path]:
        """The files of a name, whatever their case and extension."""
        stem = comparable(Path(file).stem)
        return [path for path in self.files if comparable(path.stem) == stem]

    def by_content(self, digests: set[str], first: list[Path]) -> Path | None:
        """A file with one of these SHA-256 digests; those in `first` are read before the others."""
        files = dict.fromkeys([*first, *self.files])
        return next((path for path in files if self.digest(path) in digests), None)

    def digest(self, path: Path) -> str:
        """The SHA-256 of a file, "" if it cannot be read."""
        if path not in self._digests:
            try:
                self._digests[path] = sha256(path)
            except OSError:
                self._digests[path] = ""
        return self._digests[path]


def is_picture_file(path: Path) -> bool:
    """Whether a path is a file with a picture's extension."""
    # Some systems store data of their own beside a picture, with a leading dot ("._boat.jpg").
    return path.suffix.lower() in SUFFIXES and not path.name.startswith(".") and path.is_file()


def comparable(text: str) -> str:
    """Text for comparisons: some systems decompose accents in file names, some ignore case."""
    return unicodedata.normalize("NFC", text).casefold()


def find_picture(name: str, picture: Picture, folder: PictureFolder | None) -> tuple[str, bool]:
    """The picture's place, "skimage:NAME" or an absolute path, and whether its content was checked.

    Raises AtelierError, whose sentence says where to get it, for a picture that is missing.
    """
    if picture.skimage:
        return _packaged(name, picture), True
    files = " or ".join(picture.sha256)
    if folder is None:
        raise AtelierError(
            f"{name} is not shipped (licence: {picture.licence.split(';')[0]}): save {files} "
            f"from {picture.source} in a folder and give that with --pictures DIR"
        )
    digests = {digest for digest in picture.sha256.values() if digest != UNKNOWN}
    candidates = [path for file in picture.sha256 for path in folder.by_name(file)]
    if digests and (path := folder.by_content(digests, first=candidates)):
        return str(path.resolve()), True
    unchecked = [
        path
        for file, digest in picture.sha256.items()
        if digest == UNKNOWN
        for path in folder.by_name(file)
    ]
    if unchecked:
        return _unchecked(name, unchecked, folder), False
    if candidates:
        raise AtelierError(_mismatch(name, picture, candidates[0], folder))
    raise AtelierError(f"{name} is not in {folder.path}: save {files} from {picture.source} there")


def _unchecked(name: str, paths: list[Path], folder: PictureFolder) -> str:
    """The only picture of a name; AtelierError if there are several, or if it is no picture."""
    if len({folder.digest(path) for path in paths}) > 1:
        raise AtelierError(
            f"{name} could be any of {', '.join(map(str, paths))}, as the published file's sha256 "
            "is not known; leave only that one there"
        )
    load_picture(str(paths[0]))
    return str(paths[0].resolve())


def _mismatch(name: str, picture: Picture, path: Path, folder: PictureFolder) -> str:
    """The sentence about a file of the right name and another content."""
    digest = folder.digest(path)
    if not digest:
        return f"{path} cannot be read, where {name} should be; check its permissions"
    file, published = next(pair for pair in picture.sha256.items() if pair[1] != UNKNOWN)
    return (
        f"{path} is not the picture {name}: its sha256 begins with {digest[:DIGITS]}, that of the "
        f"published {file} with {published[:DIGITS]}; save {file} from {picture.source} there"
    )


def _packaged(name: str, picture: Picture) -> str:
    """The name of a picture that scikit-image ships; its content is checked."""
    (file, published), *_ = picture.sha256.items()
    spec = importlib.util.find_spec("skimage")  # importing it takes seconds and is not needed
    path = Path(spec.origin).parent / "data" / file if spec and spec.origin else Path(file)
    remedy = "run: pip install --force-reinstall -c requirements/constraints.txt scikit-image"
    if not path.is_file():
        raise AtelierError(f"{name} ({file} of scikit-image) is not installed; {remedy}")
    if published != UNKNOWN and sha256(path) != published:
        raise AtelierError(
            f"{path} is not the picture {name}: its sha256 begins with {sha256(path)[:DIGITS]}, "
            f"not with {published[:DIGITS]}; {remedy}"
        )
    return PACKAGED + picture.skimage
