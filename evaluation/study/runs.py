"""What systems made of photos: run folders as works that can be compared."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import yaml
from PIL import Image

from datamodules.images import load_picture
from datamodules.support.errors import AtelierError
from datamodules.task import Blend, StyleTarget, regions

PICTURES = ("content.png", "output.png")


@dataclass(frozen=True)
class Work:
    """What one system made of one photo.

    task, output: digests of what was asked (photo, targets, style picture) and of the answer.
    targets: (object, style) in words, a blend as "70% Van Gogh and 30% Hokusai".
    style_image: what `load_picture` reads as the style picture, "" without one.
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
        name, folder = _named(word)
        for found in _folders(folder, name):
            work = read_work(found, name)
            works.setdefault((work.task, work.system, work.output), work)
    return list(works.values())


def _named(word: str) -> tuple[str, Path]:
    name, equals, folder = word.partition("=")
    if not equals or Path(word).exists():
        return "", Path(word)
    if not (name.strip() and folder):
        raise AtelierError(f"{word!r} is not NAME=FOLDER, e.g. ours=runs/boat-fire")
    return name.strip(), Path(folder)


def _folders(folder: Path, name: str) -> list[Path]:
    """The runs in a folder. One whose system is named needs no result.json."""
    mark = "output.png" if name else "result.json"
    if (folder / mark).is_file():
        return [folder]
    found = sorted(path.parent for path in folder.rglob(mark)) if folder.is_dir() else []
    if not found and (folder / "output.png").is_file():
        raise AtelierError(
            f"{folder} has no result.json that names its system; name it with NAME={folder}"
        )
    if not found:
        raise AtelierError(f"There is no finished run at {folder}: no {mark}; check the path")
    return found


def read_work(folder: Path, system: str = "") -> Work:
    """The work in a run folder, of the named system or of the one that its result.json names.

    Raises AtelierError for a file that is missing or not as a run leaves it.
    """
    system = system or str(_json(folder / "result.json", "method"))
    content, output = (load_picture(str(folder / name)) for name in PICTURES)
    if abs(output.width * content.height / (output.height * content.width) - 1) > 0.02:
        raise AtelierError(
            f"{folder / 'output.png'} is {output.width}x{output.height} px, its content.png "
            f"{content.width}x{content.height}: not one picture; crop them alike"
        )
    targets, style_image = _targets(folder / "parse.json"), _style_image(folder / "config.yaml")
    shown = digest(load_picture(style_image)) if style_image else ""
    asked = [digest(content), shown, [[word.casefold() for word in pair] for pair in targets]]
    task = hashlib.sha256(json.dumps(asked).encode()).hexdigest()
    return Work(system, folder, task, digest(output), targets, style_image)


def digest(picture: Image.Image) -> str:
    """SHA-256 of a picture's size and pixels, whatever its file is like."""
    return hashlib.sha256(repr(picture.size).encode() + picture.tobytes()).hexdigest()


def _json(path: Path, key: str = "") -> object:
    try:
        value = json.loads(path.read_text("utf-8"))
        return value[key] if key else value
    except FileNotFoundError as error:
        raise AtelierError(f"{path} is missing; give a finished run's folder") from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise AtelierError(f"{path} is not as a run leaves it; do the run again") from error


def _targets(path: Path) -> tuple[tuple[str, str], ...]:
    """(object, style) of every region, the texts trimmed."""
    try:
        parsed = [
            StyleTarget(" ".join(t["object"].split()), " ".join(t["style"].split()), t["weight"])
            for t in (target | {"weight": target.get("weight", 1.0)} for target in _json(path))
        ]
        return tuple((name, plain(blend)) for name, blend in regions(tuple(parsed)))
    except (LookupError, TypeError, AttributeError, ArithmeticError, ValueError) as error:
        raise AtelierError(
            f'{path} is not a list of targets; write [{{"object": "cat", "style": "fire"}}]'
        ) from error


def plain(blend: Blend) -> str:
    """Styles as a rater reads them: "fire", "70% Van Gogh and 30% Hokusai", "" for none."""
    if len(blend) < 2:
        return blend[0][1] if blend else ""
    whole = sum(weight for weight, _ in blend)
    return " and ".join(f"{weight / whole:.0%} {style}" for weight, style in blend)


def _style_image(path: Path) -> str:
    """The style picture that a run's configuration names, "" if none."""
    if not path.is_file():
        return ""
    try:
        data = yaml.safe_load(path.read_text("utf-8")).get("data") or {}
        return str(data.get("style_image") or "")
    except (yaml.YAMLError, AttributeError, ValueError) as error:
        raise AtelierError(f"{path} is not a run's configuration; do the run again") from error
