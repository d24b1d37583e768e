"""Generator of docs/fidelity.md from the tests of parity with the published codes.

    python -m experiments.make.fidelity_page         about a minute on one processor core

Runs every test that is marked `parity(ITEM)` and writes each item of tests/golden/parity/items.yaml
with the tests that prove it and the largest difference that they measured. A failing test, or an
item without any, leaves the page as it is.
"""

from __future__ import annotations

import sys
from collections import defaultdict

import pytest
import yaml

from datamodules.support.errors import AtelierError
from datamodules.support.files import write_text
from experiments.run.registry import CONFIGS

ROOT = CONFIGS.parent
PAGE = ROOT / "docs" / "fidelity.md"
ITEMS = ROOT / "tests" / "golden" / "parity" / "items.yaml"
TESTS = ("tests/golden/parity", "tests/datamodules/segmentation/cris")
INTRODUCTION = """# Fidelity to the papers and to their published codes

Written by `python -m experiments.make.fidelity_page` from the tests that it names. The recorded
numbers were made by running the published codes of CLIPstyler, FastCLIPstyler, Sem-CS, Soulstyler,
CRIS and deep spectral segmentation on inputs and random weights that are made from names
(`tests/golden/parity/README.md`); no published weights are in them. Generative Artisan's own code
is not public: its rule here is that of its descendant, the code of Sem-CS.

`--models paper` follows the papers, `--models reference` the published codes in all that is listed
here. `--mode reference` switches the deviations in the formulas on for any models, but not those of
pictures, masks, patch sizes and networks, which are settings. A plain name in the fifth column is a
switch, `--model.deviations.NAME true`; the others are settings.

| item | paper | published code | ours | switch or setting | tests: largest difference |
|---|---|---|---|---|---|
"""
OUTRO = """
A difference of 0 is equality to the last bit, or of every decision. Differences of gradients, sums
and the three steps are relative, the others absolute.

Not compared, for want of it: anything with the published weights; precision on a GPU (the published
codes run CLIP in float16, `--models reference` too, `--models paper` in bfloat16); FCN's masks; the
dense CRF of spectral segmentation. The corners of a perspective are drawn from real numbers here
and from whole pixels there.
"""


class Notes:
    """Plugin of pytest that collects the differences of every test marked `parity`."""

    def __init__(self) -> None:
        self.differences: dict[str, dict[str, list[float]]] = defaultdict(dict)

    def pytest_runtest_teardown(self, item: pytest.Item) -> None:
        if marker := item.get_closest_marker("parity"):
            measured = [value for name, value in item.user_properties if name == "difference"]
            tests = self.differences[marker.args[0]]
            tests.setdefault(item.originalname, []).extend(measured)


def main() -> None:
    notes = Notes()
    paths = [str(ROOT / path) for path in TESTS]
    if pytest.main(["-q", "-m", "parity", "-p", "no:cacheprovider", *paths], plugins=[notes]):
        raise AtelierError("A test of parity fails, so the page is left as it is")
    items = yaml.safe_load(ITEMS.read_text(encoding="utf-8"))
    if items.keys() != notes.differences.keys():
        odd = ", ".join(sorted(items.keys() ^ notes.differences.keys()))
        raise AtelierError(f"Items and tests of parity differ: {odd}; see {ITEMS}")
    rows = [_row(name, entry, notes.differences[name]) for name, entry in items.items()]
    write_text(PAGE, INTRODUCTION + "\n".join(rows) + "\n" + OUTRO)


def _row(name: str, entry: dict[str, str], tests: dict[str, list[float]]) -> str:
    proofs = [f"`{test}`{_largest(values)}" for test, values in tests.items()]
    cells = [name, entry["paper"], entry["published"], entry["ours"], entry["setting"]]
    return f"| {' | '.join([*cells, '<br>'.join(proofs)])} |"


def _largest(values: list[float]) -> str:
    return f": {max(values):.1g}" if values else ""


if __name__ == "__main__":
    sys.exit(main())
