"""Pages that are followed as a reader would: files written, commands typed, output compared.

In a page, a `{code-block}` with a caption is a file of that name; `sh` has commands, of which
`atelier` runs in this process and others in one of their own; `python` is one program in all its
blocks together; `text` has lines of the output of the block before, in which "..." stands for
anything.
"""

import os
import re
import shlex
import subprocess
import sys
from typing import NamedTuple

from tests.support.cli import ROOT, run, variables

FENCE = re.compile(
    r"^```(\{code-block\} *)?([\w]+)\n(?::caption: (\S+)\n+)?(.*?)^```$", re.M | re.S
)


class Block(NamedTuple):
    """A fenced block: its language, the name of its file ("" without), its text."""

    language: str
    file: str
    text: str


def blocks(page):
    """The fenced blocks of a page, in order."""
    return [Block(match[2], match[3] or "", match[4]) for match in FENCE.finditer(page)]


def follow(page, folder):
    """Do in a folder what a page says; AssertionError for a command that fails or other output."""
    output, program = "", []
    for language, file, text in blocks(page):
        if file:
            (folder / file).parent.mkdir(parents=True, exist_ok=True)
            (folder / file).write_text(text)
        elif language == "sh":
            output = "".join(typed(words, folder) for words in commands(text))
        elif language == "python":
            program.append(text)
            output = python("\n".join(program), folder)
        elif language == "text":
            missing = [line for line in text.splitlines() if not is_in(line, output)]
            assert not missing, f"{missing} not in:\n{output}"


def commands(text):
    """The words of each command in a block of `sh`."""
    lines = text.replace("\\\n", " ").splitlines()
    return [words for line in lines if (words := shlex.split(line, comments=True))]


def typed(words, folder):
    """The output of a command, both streams together."""
    if words[0] == "atelier":
        code, out, err = run(*words[1:], cwd=folder)
        assert code == 0, f"{shlex.join(words)}: {err}"
        return out + err
    return process(words, folder)


def python(program, folder):
    """The output of a program."""
    return process([sys.executable, "-c", program], folder)


def process(words, folder):
    """The output of a program that is no command of Atelier's."""
    path = os.pathsep.join(map(str, (ROOT, ROOT / "experiments" / "python", folder)))
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    result = subprocess.run(words, cwd=folder, env=variables(PYTHONPATH=path), **streams)
    assert result.returncode == 0, f"{shlex.join(words)}: {result.stdout}"
    return result.stdout


def is_in(line, output):
    """Whether the output has a line, "..." for anything, whatever the spaces between words."""
    pattern = re.sub(r"\\\.\\\.\\\.", ".*", re.escape(" ".join(line.split())))
    return any(re.fullmatch(pattern, " ".join(each.split())) for each in output.splitlines())
