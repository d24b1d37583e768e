"""The examples in the docstrings of the Python calls, each executed as it stands."""

import doctest
import inspect
import shutil
import warnings

import atelier
import pytest

FUNCTIONS = {name: getattr(atelier, name) for name in atelier.__all__}
FUNCTIONS = {name: value for name, value in FUNCTIONS.items() if inspect.isfunction(value)}
OPTIONS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def test_every_function_has_an_example_and_says_what_it_takes_and_raises():
    for name, function in FUNCTIONS.items():
        for part in ("Args:", "Raises:", "Example:"):
            assert part in function.__doc__ or name == "read_run", (name, part)
        documented = function.__doc__
        for argument in inspect.signature(function).parameters:
            assert argument in documented or "as in `stylize`" in documented, (name, argument)


@pytest.mark.xdist_group("masks")  # a process looks only once for an object in a picture
@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_an_example_runs(name, finished_run, tmp_path, monkeypatch):
    shutil.copytree(finished_run.folder, tmp_path / "runs" / "first")
    monkeypatch.chdir(tmp_path)
    (test,) = doctest.DocTestFinder(recurse=False).find(FUNCTIONS[name], globs=dict(FUNCTIONS))
    messages = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", atelier.AtelierWarning)
        doctest.DocTestRunner(optionflags=OPTIONS).run(test, out=messages.append)
    assert test.examples
    assert not messages, "".join(messages)
