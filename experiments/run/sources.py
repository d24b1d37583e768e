"""Source of modules, located and read without importing them, which would take seconds.

Own code is the project's, and that of users, outside the folders where packages are installed:
those with a *.dist-info, wherever they lie (an environment inside the checkout, `pip --target`).
"""

from __future__ import annotations

import ast
import hashlib
import sysconfig
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from datamodules.models.cache import once_per_process
from datamodules.support.versions import OF_PICTURES

ROOT = Path(__file__).parents[2]
OURS = ("datamodules", "evaluation", "experiments", "lightning_modules")
STDLIB = Path(sysconfig.get_path("stdlib")).resolve()


def module_file(module: str) -> Path | None:
    """Source of a module or a package's __init__.py; None if there is none."""
    package, *inner = module.split(".")
    for place in places(package):
        file = place.joinpath(*inner)
        for path in (file.with_name(f"{file.name}.py"), file / "__init__.py"):
            if path.is_file():
                return path
    return None


@once_per_process
def places(package: str) -> list[Path]:
    """Folders of a package, or the path of a single module without its ending."""
    if package in OURS:
        return [ROOT / package]
    try:
        spec = find_spec(package)
    except (ImportError, ValueError):
        return []
    if spec and spec.submodule_search_locations:
        return [Path(place) for place in spec.submodule_search_locations]
    return [Path(spec.origin).with_suffix("")] if spec and spec.origin else []


@once_per_process
def code_digest(modules: tuple[str, ...]) -> str:
    """Digest of the own modules among these, and of all own modules that they import.

    Comments, docstrings and layout do not count. Of modules in installed packages, such as a
    method from outside, all files of the package count, unless its version counts elsewhere.
    """
    packages = {module.partition(".")[0] for module in modules} - {*OURS, *OF_PICTURES}
    digests = modules_of(modules)
    digests |= {package: _files_digest(package) for package in packages if is_installed(package)}
    lines = "".join(f"{module} {digest}\n" for module, digest in sorted(digests.items()))
    return hashlib.sha256(lines.encode()).hexdigest()


def modules_of(modules: tuple[str, ...]) -> dict[str, str]:
    """The digest of each own module among these, and of all own modules that they import."""
    digests: dict[str, str] = {}
    waiting = list(modules)
    while waiting:
        module = waiting.pop()
        if module in digests or is_installed(module.partition(".")[0]):
            continue
        if file := module_file(module):
            digests[module], imports = read(file, module)
            waiting += imports
    return digests


@once_per_process
def is_installed(package: str) -> bool:
    """Whether a package is Python's or lies where packages are installed, the project's aside."""
    if package in OURS:
        return False
    parents = {place.resolve().parent for place in places(package)}
    return any(parent == STDLIB or any(parent.glob("*.dist-info")) for parent in parents)


def _files_digest(package: str) -> str:
    """Digest of all Python files of a package."""
    digest = hashlib.sha256()
    for place in places(package):
        files = sorted(place.rglob("*.py")) if place.is_dir() else [place.with_suffix(".py")]
        for file in files:
            digest.update(file.read_bytes())
    return digest.hexdigest()


@once_per_process
def read(file: Path, module: str) -> tuple[str, tuple[str, ...]]:
    """Digest of a module's code, and the names of what may be the modules that it imports."""
    tree = ast.parse(file.read_bytes())
    package = module if file.name == "__init__.py" else module.rpartition(".")[0]
    imports: list[str] = []
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        body = getattr(node, "body", None)
        if isinstance(node, ast.If) and getattr(node.test, "id", "") == "TYPE_CHECKING":
            node.body = []  # imported for annotations only
        elif isinstance(body, list) and _begins_with_text(body):
            del body[0]  # the docstring
        imports += _imports(node, package)
        waiting += ast.iter_child_nodes(node)
    code = ast.dump(tree, annotate_fields=False)
    return hashlib.sha256(code.encode()).hexdigest(), tuple(dict.fromkeys(imports))


def _begins_with_text(body: list[ast.stmt]) -> bool:
    value = getattr(body[0], "value", None) if body else None
    return isinstance(getattr(value, "value", None), str) and isinstance(body[0], ast.Expr)


def _imports(node: ast.AST, package: str) -> Iterator[str]:
    """Names that a statement imports, those of modules among them."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        name = imported_from(node, package)
        yield name
        yield from (f"{name}.{alias.name}" for alias in node.names)


def imported_from(node: ast.ImportFrom, package: str) -> str:
    """The module of a `from MODULE import ...`, also of a relative one, in a package."""
    base = package.rsplit(".", node.level - 1)[0] if node.level else ""
    return ".".join(filter(None, (base, node.module)))
