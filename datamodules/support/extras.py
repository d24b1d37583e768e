"""Packages that only some commands need, by the extra of Atelier that installs them."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from importlib.util import find_spec

from datamodules.support.errors import AtelierError


@dataclass(frozen=True)
class Extra:
    """An extra of pyproject.toml.

    modules: import names, equal to the packages' own. use: what needs them, as the beginning of a
    sentence.
    """

    modules: tuple[str, ...]
    use: str


EXTRAS = {
    "sweep": Extra(("ray",), "A sweep or benchmark"),
    "search": Extra(("optuna", "ray"), "A search"),
    "report": Extra(("duckdb", "plotly"), "A table or report of many runs"),
    "study": Extra(("choix",), "The score of a study"),
    "wandb": Extra(("wandb",), "Logging to Weights & Biases"),
    "api": Extra(("openai",), "A language model behind an endpoint"),
    "studio": Extra(("gradio",), "The page"),
    "pandas": Extra(("pandas",), "A table of runs as a DataFrame"),
}


def is_installed(module: str) -> bool:
    """Whether a package can be imported, without importing it.

    A mere folder of its name does not count, such as the one that W&B writes.
    """
    try:
        spec = find_spec(module)
    except (ImportError, ValueError):  # hidden from this process
        return False
    return spec is not None and spec.origin is not None


def require_extra(module: str, extra: str) -> None:
    """AtelierError with the extra to install, unless a package that belongs to it is there."""
    if not is_installed(module):
        raise AtelierError(
            f"{EXTRAS[extra].use} needs {module}; run: {install_command(extra, module)}"
        )


def install_command(extra: str, *modules: str) -> str:
    """The command that installs an extra, or without an installed Atelier its packages alone: an
    index may have another package of this name.
    """
    try:
        distribution("atelier")
    except PackageNotFoundError:
        return f"pip install {' '.join(modules or EXTRAS[extra].modules)}"
    return f"pip install 'atelier[{extra}]'"
