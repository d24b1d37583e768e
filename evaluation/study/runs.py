"""Works of systems: run folders that can be compared with one another."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from PIL import Image

from datamodules.images import load_picture
from datamodules.run_folder import CONTENT, OUTPUT, PARSE, RESULT, RunFolder, find
from datamodules.support.errors import AtelierError
from datamodules.task import Blend, styles_by_area


@dataclass(frozen=True)
class Work:
    """The output of one system for one photo.

    task, output: digests of the task (photo, targets, style picture) and of the output.
    targets: (object, style) in words, a blend as "70% Van Gogh and 30% Hokusai".
    style_image: source of the style picture for `load_picture`, "" without one.
    """

    system: str
    folder: Path
    task: str
    output: str
    targets: tuple[tuple[str, str], ...]
    style_image: str = ""


def read_works(words: Iterable[str]) -> list[Work]:
    """The works in run folders, or in folders of them at any depth; the same work only once.

    words: FOLDER, or NAME=FOLDER to name its system. Raises AtelierError for what holds no run.
    """
    works: dict[tuple[str, str, str], Work] = {}
    for word in words:
        name, folder = _name_and_folder(word)
        for run in _folders(folder, name):
            work = read_work(run, name)
            works.setdefault((work.task, work.system, work.output), work)
    return list(works.values())


def _name_and_folder(word: str) -> tuple[str, Path]:
    name, equals, folder = word.partition("=")
    if not equals or Path(word).exists():
        return "", Path(word)
    if not (name.strip() and folder):
        raise AtelierError(f"{word!r} is not NAME=FOLDER, e.g. ours=runs/boat-fire")
    return name.strip(), Path(folder)


def _folders(folder: Path, name: str) -> list[Path]:
    """The runs in a folder; with a name for their system they need no result.json."""
    mark = OUTPUT if name else RESULT
    runs = sorted(Path(at) for at, _ in find(folder, (mark,)))
    if not runs and (folder / OUTPUT).is_file():
        raise AtelierError(
            f"{folder} has no {RESULT} that names its system; name it with NAME={folder}"
        )
    if not runs:
        raise AtelierError(f"There is no finished run at {folder}: no {mark}; check the path")
    return runs


def read_work(folder: Path, system: str = "") -> Work:
    """The work in a run folder, of the named system or of the one that its result.json names.

    Raises AtelierError for a file that is missing or damaged.
    """
    run = RunFolder(folder)
    run.require(CONTENT, OUTPUT, PARSE)
    if not (system := system or run.result.method):
        raise AtelierError(f"{folder / RESULT} names no method; name the system with NAME={folder}")
    content, output = (load_picture(str(folder / name)) for name in (CONTENT, OUTPUT))
    if abs(output.width * content.height / (output.height * content.width) - 1) > 0.02:
        raise AtelierError(
            f"{folder / OUTPUT} is {output.width}x{output.height} px, its {CONTENT} "
            f"{content.width}x{content.height}: not one picture; crop them alike"
        )
    targets, style_image = _in_words(run), str(run.setting("data.style_image") or "")
    style = digest(load_picture(style_image)) if style_image else ""
    parts = [digest(content), style, [[text.casefold() for text in pair] for pair in targets]]
    task = hashlib.sha256(json.dumps(parts).encode()).hexdigest()
    return Work(system, folder, task, digest(output), targets, style_image)


def _in_words(run: RunFolder) -> tuple[tuple[str, str], ...]:
    """(object, style) of every region, the texts trimmed."""

    def trimmed(text: str) -> str:
        return " ".join(text.split())

    targets = [replace(t, object=trimmed(t.object), style=trimmed(t.style)) for t in run.targets]
    return tuple((area.name, plain(blend)) for area, blend in styles_by_area(targets).items())


def digest(picture: Image.Image) -> str:
    """SHA-256 of a picture's size and pixels, whatever its file format."""
    return hashlib.sha256(repr(picture.size).encode() + picture.tobytes()).hexdigest()


def plain(blend: Blend) -> str:
    """Styles as a rater reads them: "fire", "70% Van Gogh and 30% Hokusai", "" for none."""
    if len(blend) < 2:
        return blend[0][1] if blend else ""
    whole = sum(weight for weight, _ in blend)
    return " and ".join(f"{weight / whole:.0%} {style}" for weight, style in blend)
