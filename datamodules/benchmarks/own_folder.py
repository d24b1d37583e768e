"""A benchmark set from a user's own folder of pictures and a text file of instructions."""

from __future__ import annotations

import unicodedata
from pathlib import Path

from datamodules.benchmarks.pictures import SUFFIXES, comparable, is_picture_file
from datamodules.benchmarks.sets import BenchmarkSet, Entry
from datamodules.images import load_picture
from datamodules.support.errors import AtelierError
from datamodules.support.files import read_lines

METHODS = ("soulstyler",)  # the default of `atelier stylize`
REMEDY = 'give --instructions a text file with one per line, such as "Turn the boat to fire"'


def folder_set(folder: Path, instructions: Path) -> BenchmarkSet:
    """Every picture of a folder with every line of a text file.

    Empty lines and lines that begin with "#" are ignored. A line that begins with a picture's file
    name and a colon belongs to that picture alone: "boat.jpg: Turn the boat to fire". Pictures that
    cannot be read, and file names in the text that no picture has, are in `missing`.
    Raises AtelierError for a folder without pictures and a file without instructions.
    """
    lines, files = read_lines(instructions, "instructions", REMEDY), _picture_files(folder)
    names = _short_names(files)
    texts_of, missing = _texts_by_picture(lines, files, folder, instructions)
    entries = []
    for path, texts in texts_of.items():
        try:
            load_picture(str(path))
        except AtelierError as error:
            missing[names[path]] = str(error)
            continue
        entries += [_entry(names[path], path, text) for text in texts]
    return BenchmarkSet(
        name=folder.resolve().name or "pictures",
        title=f"{folder.resolve().name}, {len(files)} pictures, {len(lines)} instructions",
        source=f"pictures of {folder}, instructions of {instructions}",
        methods=METHODS,
        entries=tuple(entries),
        missing=missing,
    )


def _texts_by_picture(
    lines: list[str], files: list[Path], folder: Path, instructions: Path
) -> tuple[dict[Path, list[str]], dict[str, str]]:
    """The instructions of each picture that has any, and the missing pictures with the reasons."""
    texts_of, missing = {path: [] for path in files}, {}
    for line in lines:
        path, text = _addressee(line, files)
        if path is None and (name := _leading_file_name(line)):
            missing[name] = (
                f"{folder} has no picture {name}, which {instructions} names; save it there or "
                "correct the name"
            )
            continue
        for file in [path] if path else files:
            texts_of[file].append(text)
    unique = {path: list(dict.fromkeys(texts)) for path, texts in texts_of.items() if texts}
    return unique, missing


def _picture_files(folder: Path) -> list[Path]:
    """The picture files directly in a folder, at least one."""
    if not folder.is_dir():
        raise AtelierError(f"There is no folder {folder}; give one that holds pictures")
    try:
        files = sorted(path for path in folder.iterdir() if is_picture_file(path))
    except OSError as error:
        raise AtelierError(
            f"{folder} cannot be read ({error.strerror}); check its permissions"
        ) from error
    if not files:
        raise AtelierError(
            f"{folder} has no pictures; put PNG, JPEG or WebP files there (folders inside it are "
            "not searched)"
        )
    return files


def _short_names(files: list[Path]) -> dict[Path, str]:
    """Each file's stem, or its whole name if another file has the same stem."""
    stems = [comparable(path.stem) for path in files]
    return {
        path: path.stem if stems.count(stem) == 1 else path.name
        for path, stem in zip(files, stems, strict=True)
    }


def _addressee(line: str, files: list[Path]) -> tuple[Path | None, str]:
    """The picture that a line belongs to alone, None for all, and the instruction without it."""
    line = unicodedata.normalize("NFC", line)
    for path in sorted(files, key=lambda path: -len(path.name)):  # "a.jpg: b.jpg" is a name too
        name = unicodedata.normalize("NFC", path.name)
        if line[: len(name)].casefold() == name.casefold():
            colon, text = line[len(name) :].lstrip()[:1], line[len(name) :].lstrip()[1:].strip()
            if colon == ":" and text:
                return path, text
    return None, line


def _leading_file_name(line: str) -> str:
    """The picture's file name before a line's colon, "" if there is none."""
    before, colon, _ = line.partition(":")
    return before.strip() if colon and Path(before.strip()).suffix.lower() in SUFFIXES else ""


def _entry(name: str, path: Path, text: str) -> Entry:
    labels = {"picture": name, "instruction": text}
    return Entry(name, str(path.resolve()), {"data.instruction": text}, labels, seed=0)
