"""Models on this machine: the embedded ones by their checksums, and the papers' by method."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from datamodules.models.packaged import EMBEDDED, locate
from datamodules.support.errors import AtelierError
from experiments.health.finding import Finding


def embedded() -> Iterator[Finding]:
    """All files together, or each one that is missing or altered."""
    problems = []
    for file in EMBEDDED:
        try:
            locate(file)
        except AtelierError as error:
            problems.append(partial(Finding, "embedded model", "broken")(*_parted(str(error))))
    whole = f"all {len(EMBEDDED)} files are intact (SHA-256)"
    yield from problems or [Finding("embedded models", "fine", whole)]


def _parted(sentence: str) -> tuple[str, str]:
    problem, _, remedy = sentence.partition("; run: ")
    return problem, remedy


def papers() -> Iterator[Finding]:
    """Number of the papers' weights that each method has; imports PyTorch."""
    from datamodules.models.published import local_path
    from datamodules.models.schemes import by_name
    from experiments.run.configuration import compose, weights_of
    from experiments.run.registry import METHODS, names

    for method in names(METHODS):
        weights = weights_of(compose(method, "paper"))
        missing = [name for name in weights if not local_path(by_name(name))]
        here = f"{len(weights) - len(missing)} of {len(weights)}"
        if missing:
            here += f"; missing: {', '.join(missing)}"
        remedy = f"atelier weights fetch --method {method}" if missing else ""
        yield Finding(f"papers' {method}", "absent" if missing else "fine", here, remedy)
