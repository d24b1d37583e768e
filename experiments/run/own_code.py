"""Code of users that no package installs: the folders in which Python finds it.

A configuration lists them under `code`, whole paths, so that workers on any node, and whoever
repeats a run from another folder, find the same classes. The folders come last on Python's path:
nothing in them can hide an installed module; one that is hidden itself is refused or named.
"""

from __future__ import annotations

import importlib
import logging
import os
import traceback
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from datamodules.models.cache import once_per_process
from datamodules.support import outside
from datamodules.support.errors import AtelierError, reason
from datamodules.support.own_classes import look_in
from experiments.run import arguments
from experiments.run.sources import OURS, is_installed, places

log = logging.getLogger(__name__)

CODE = "code"  # the key of a configuration


def whole(path: str | Path) -> Path:
    """The absolute path, without "..", links as they are: nodes may resolve them differently."""
    return Path(os.path.normpath(Path(path).absolute()))


def use(folders: Iterable[str]) -> None:
    """Let Python look for modules in these folders, too; AtelierError for one that is not there."""
    folders = list(folders)
    for folder in folders:
        if not Path(folder).is_dir():
            raise AtelierError(
                f"The folder of code {folder} is not there; put it back, or change --{CODE}"
            )
    if look_in(folders):
        forget()


def forget() -> None:
    """Look for all modules anew, after Python's path has changed."""
    importlib.invalidate_caches()
    for cached in (places, is_installed):
        cached.cache_clear()
    arguments.forget()


def folder_of(class_path: str, beside: Path | None = None) -> str:
    """The folder in which the module of a class lies, "" for one that is installed, or nowhere.

    beside: the folder of the file that names the class; by default the current one, which counts
    only where the module is not found otherwise. Where another module hides the one beside the
    file, raises AtelierError, and a warning says that one in the current folder is hidden.
    """
    top = class_path.split(".")[0]
    if top in OURS or not top.isidentifier():
        return ""
    own = whole(beside or Path.cwd())
    if not places(top) and _holds(own, top):
        use([str(own)])
        forget()  # a folder in use may have got a new module
    folder = next((whole(place).parent for place in places(top)), None)
    if (own / f"{top}.py").is_file() and folder.resolve() != own.resolve():
        _tell_hidden(class_path, own, folder, refuse=bool(beside))
    return "" if folder is None or is_installed(top) else str(folder)


def _tell_hidden(class_path: str, own: Path, folder: Path, refuse: bool) -> None:
    """Raise or log that a class is taken from `folder`, although `own` has a module of its name."""
    top = class_path.split(".")[0]
    sentence = (
        f"{class_path} is not the one in {own}: Python finds {top} in {folder} first; give "
        f"{top}.py another name, and change the name that you give"
    )
    if refuse:
        raise AtelierError(sentence)
    _warn_once(sentence)


@once_per_process
def _warn_once(sentence: str) -> None:
    log.warning(sentence)


def _holds(folder: Path, module: str) -> bool:
    return (folder / f"{module}.py").is_file() or (folder / module).is_dir()


def with_code(config: Mapping[str, Any], beside: Path | None = None) -> dict[str, Any]:
    """The configuration with the folders of its own classes; see `folder_of`."""
    before = folders(config.get(CODE))
    use(before)
    inside = [folder_of(path, beside) for path in classes_in(config)]
    code = [*dict.fromkeys([*before, *filter(None, inside)])]
    return {**config, CODE: code} if code else dict(config)


def folders(value: Any) -> list[str]:
    """The folders that a setting `code` names: a list, one, or a list as JSON."""
    if isinstance(value, str):
        value = _parsed(value) if value.startswith("[") else [value]
    return [str(whole(folder)) for folder in value or ()]


def fault(error: BaseException) -> str:
    """The place in a user's code where an exception came up, and what it says; "" for none there.

    For example "sketch.py, line 41, in losses: NameError: name 'x' is not defined".
    """
    frames = traceback.walk_tb(error.__traceback__)
    own = [(f.f_code, line) for f, line in frames if is_own(str(f.f_globals.get("__name__")))]
    if isinstance(error, SyntaxError) and error.filename:
        return f"{error.filename}, line {error.lineno}: {reason(error)}"
    if not own:
        return ""
    code, line = own[-1]
    return f"{code.co_filename}, line {line}, in {code.co_name}: {reason(error)}"


def is_own(module: str) -> bool:
    """Whether a module is a user's: not installed, or of a package that adds parts to Atelier."""
    top = module.partition(".")[0]
    if top in (*OURS, "__main__") or not places(top):
        return False
    added = (entry for kind in outside.KINDS for entry in outside.added(kind))
    return not is_installed(top) or top in {entry.value.partition(".")[0] for entry in added}


def classes_in(node: Any) -> Iterator[str]:
    """Texts in a configuration, at any depth, that have the form of a class's path."""
    if isinstance(node, str):
        if has_form(node):
            yield node
        elif node.startswith("{"):
            yield from classes_in(_parsed(node))
    elif isinstance(node, Mapping | list):
        for entry in node.values() if isinstance(node, Mapping) else node:
            yield from classes_in(entry)


def has_form(text: str) -> bool:
    """Whether a text has the form of a class's path: "my_module.Name"."""
    *modules, name = text.split(".")
    return bool(modules) and name[:1].isupper() and all(map(str.isidentifier, (*modules, name)))


def _parsed(text: str) -> Any:
    """A value written as JSON or YAML; None for a text that is neither."""
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError:
        return None
