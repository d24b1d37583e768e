"""The command `atelier` in this process (fixture `cli`) and in a process of its own (`process`)."""

import contextlib
import io
import logging
import os
import re
import signal
import subprocess
import sys
import warnings
from functools import partial
from pathlib import Path
from typing import NamedTuple

import pytest

from experiments.cli import main

ROOT = Path(__file__).parents[2]
WIDTH = "100"  # columns of the terminal
HANDLED = (signal.SIGINT, signal.SIGTERM, signal.SIGALRM, signal.SIGUSR1, signal.SIGUSR2)
# Warnings that Python itself does not show.
HIDDEN = (DeprecationWarning, PendingDeprecationWarning, ImportWarning, ResourceWarning)


class Result(NamedTuple):
    """The exit code and both streams of a command, under the names of subprocess."""

    returncode: int
    stdout: str
    stderr: str


@pytest.fixture
def cli(tmp_path):
    """`run`, by default in the test's own folder."""
    return partial(run, cwd=tmp_path)


def run(*words, cwd, stdin="", terminal=False, **environment) -> Result:
    """Run `atelier WORDS` in this process, in the folder `cwd`, with changed variables."""
    streams = [_Stream(stdin), _Stream(), _Stream()]
    for stream in streams:
        stream.terminal = terminal
    with restored(), contextlib.chdir(cwd):
        os.environ.update({"COLUMNS": WIDTH, **environment})
        sys.stdin, sys.stdout, sys.stderr = streams
        try:
            code = main([str(word) for word in words])
        except SystemExit as exit:  # --help and --version
            code = exit.code or 0
    return Result(code, *(stream.buffer.getvalue().decode() for stream in streams[1:]))


class _Stream(io.TextIOWrapper):
    """A text stream in memory, with the `buffer` that sys.stdin and sys.stdout have."""

    terminal = False

    def __init__(self, text=""):
        super().__init__(io.BytesIO(text.encode()), "utf-8", write_through=True)

    def isatty(self):
        return self.terminal


@contextlib.contextmanager
def restored():
    """Everything that a command sets for its whole process is afterwards as it was before.

    Inside, warnings and log messages go to stderr as in a process without pytest.
    """
    environment, streams = dict(os.environ), (sys.stdin, sys.stdout, sys.stderr)
    handlers = {number: signal.getsignal(number) for number in HANDLED}
    levels = {logger: logger.level for logger in _loggers()}
    root, logging.root.handlers = logging.root.handlers, []  # else no message reaches stderr
    threads = _threads()
    try:
        with warnings.catch_warnings():
            _warn_on_stderr()
            yield
    finally:
        sys.stdin, sys.stdout, sys.stderr = streams
        os.environ.clear()
        os.environ.update(environment)
        for number, handler in handlers.items():
            signal.signal(number, handler)
        for logger in _loggers():
            if logger.level != (level := levels.get(logger, logger.level)):
                logger.setLevel(level)  # which clears the caches of all loggers
        logging.root.handlers = root
        if threads:
            sys.modules["torch"].set_num_threads(threads)
        if wandb := sys.modules.get("wandb"):  # it keeps settings and service of its first run
            wandb.teardown()


def _loggers():
    loggers = logging.root.manager.loggerDict.values()
    return [logger for logger in loggers if isinstance(logger, logging.Logger)]


def _threads():
    return sys.modules["torch"].get_num_threads() if "torch" in sys.modules else None


def _warn_on_stderr():
    def show(message, category, filename, lineno, file=None, line=None):
        sys.stderr.write(warnings.formatwarning(message, category, filename, lineno, line))

    warnings.showwarning = show
    warnings.resetwarnings()
    for category in HIDDEN:
        warnings.simplefilter("ignore", category)


def command(*words):
    """The words that start `atelier WORDS` as a process."""
    return [sys.executable, "-m", "experiments.cli", *map(str, words)]


def variables(**environment):
    """The environment of such a process, whose stdout is buffered as it is for users.

    None takes a variable away.
    """
    own = {"PYTHONPATH": str(ROOT), "COLUMNS": WIDTH, "PYTHONUNBUFFERED": ""}
    changed = {**os.environ, **own, **environment}
    return {name: value for name, value in changed.items() if value is not None}


def process(*words, cwd, stdin="", preexec_fn=None, **environment):
    """Run `atelier WORDS` as a process of its own; a subprocess.CompletedProcess."""
    return subprocess.run(
        command(*words),
        cwd=cwd,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=300,
        env=variables(**environment),
        preexec_fn=preexec_fn,
    )


def start(*words, cwd, **environment):
    """Start `atelier WORDS` as a process with three pipes; a subprocess.Popen."""
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    # A test run in the background ignores Ctrl-C, and its children would too.
    allow_ctrl_c = partial(signal.signal, signal.SIGINT, signal.default_int_handler)
    return subprocess.Popen(
        command(*words),
        cwd=cwd,
        env=variables(**environment),
        text=True,
        preexec_fn=allow_ctrl_c,
        **pipes,
    )


def assert_refused(result, sentence):
    """Exit code 2, nothing on stdout, and one line on stderr that says what to do."""
    assert result.returncode == 2, result.stderr
    assert result.stdout == ""
    lines = [line for line in result.stderr.splitlines() if line.strip()]
    assert len(lines) == 1, result.stderr
    assert lines[0].startswith("atelier: ")
    assert re.search(sentence, lines[0]), lines[0]
