"""README.md and docs/*.md name only paths, modules, classes, commands and options that exist."""

import argparse
import re
from functools import cache
from importlib import import_module
from pathlib import Path

import pytest

import experiments
from experiments.cli import COMMANDS

ROOT = Path(experiments.__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
CODE = ("datamodules", "lightning_modules", "evaluation", "experiments")
TREES = "|".join((*CODE, "configs", "docs", "requirements", "tests"))
LIGHTNING = {
    "--config",
    "--help",
    "--print_config",
    "--seed_everything",
}  # options of `atelier fit`
OPTION = r"--?[a-zA-Z][\w-]*(?![\w.-])"  # a setting by its dotted name is none


def faults(page, folder):
    """One phrase per name on the page that does not exist; pictures are relative to `folder`."""
    page = page.replace("\\\n", " ")
    alone = set(re.findall(rf"`({OPTION})", page))
    return [
        *(f"no file {path}" for path in paths(page) if not any(ROOT.glob(path))),
        *(
            f"no file {name}"
            for name in bare(page)
            if not any(f.endswith(f"/{name}") for f in sources())
        ),
        *(f"no picture {link}" for link in links(page) if not (folder / link).exists()),
        *(f"no module or class {name}" for name in dotted(page) if not is_defined(name)),
        *(f"no command has {option}" for option in sorted(alone - every_option())),
        *(fault for call in calls("atelier", page) for fault in command_faults(*call)),
        *(fault for call in calls("python -m", page) for fault in script_faults(*call)),
    ]


def paths(page):
    """The repository's paths on the page, some of them glob patterns."""
    full = re.findall(rf"(?<![\w./-])(?:{TREES})/[\w./*-]*[\w/*]", page)
    return [re.sub(r"\b[A-Z]{4,}\b", "*", path) for path in full]


def bare(page):
    """File names without a folder, such as `runs.py`; the file may be in any folder of CODE."""
    return re.findall(r"`(\w+\.py)`", page)


def links(page):
    return [link for link in re.findall(r"\]\(([^)\s#]+)\)", page) if "://" not in link]


def dotted(page):
    """Modules and classes such as datamodules.parsing.llm.LLMParser, without `python -m` calls."""
    return re.findall(rf"(?<![\w./-])(?<!-m )(?:{'|'.join(CODE)})(?:\.[A-Za-z_]\w*)+", page)


def is_defined(name):
    parts = name.split(".")
    if ROOT.joinpath(*parts).is_dir():
        return True
    for k in range(len(parts), 1, -1):
        source = sources().get(ROOT.joinpath(*parts[:k]).as_posix() + ".py")
        if source is not None:
            return all(re.search(rf"(class|def) {p}\b|^{p}\b", source, re.M) for p in parts[k:])
    return False


def calls(program, page):
    """(subcommand or module, rest of the line) of each call in the page's code."""
    code = re.findall(r"^```\w*\n(.*?)^```|(?<!`)`([^`]+)`(?!`)", page, re.M | re.S)
    lines = [line for block, span in code for line in (block.splitlines() or [span])]
    return [c for line in lines for c in re.findall(rf"\b{program} ([\w.-]+)([^;&|#`]*)", line)]


def options(words):
    return set(re.findall(rf"(?<!\S){OPTION}", words))


def command_faults(command, words):
    if command.startswith("-") or command.isupper():  # `atelier --help`, `atelier COMMAND`
        return []
    if command not in COMMANDS:
        return [f"no command atelier {command}"]
    unknown = options(words) - command_options(command)
    return [f"no option {option} of atelier {command}" for option in sorted(unknown)]


def script_faults(module, words):
    path = "/" + module.replace(".", "/")
    file = next((f for f in sources() if f.endswith((f"{path}.py", f"{path}/__main__.py"))), "")
    if not module.startswith("experiments."):
        return []
    if "__main__" not in file + sources().get(file, ""):
        return [f"no script python -m {module}"]
    base = file.rpartition("/")[0] + "/base.py"  # has the options of all reproductions
    source = sources()[file] + sources().get(base, "")
    unknown = {option for option in options(words) if f'"{option}"' not in source}
    return [f"no option {option} of python -m {module}" for option in sorted(unknown)]


@cache
def sources():
    """Text of every Python file below CODE by its path."""
    files = [file for folder in CODE for file in (ROOT / folder).rglob("*.py")]
    return {file.as_posix(): file.read_text(encoding="utf-8") for file in files}


@cache
def command_options(command):
    if command == "fit":
        return LIGHTNING
    parser = argparse.ArgumentParser()
    import_module(f"experiments.commands.{command.replace('-', '_')}").add_arguments(parser)
    return parser_options(parser)


def parser_options(parser):
    """Options of a parser and of its subcommands."""
    groups = [a for a in parser._actions if isinstance(a, argparse._SubParsersAction)]
    below = [parser_options(child) for group in groups for child in group.choices.values()]
    return set(parser._option_string_actions).union(*below)


@cache
def every_option():
    return set().union(
        *(command_options(command) for command in COMMANDS),
        *(re.findall(rf'"({OPTION})"', source) for source in sources().values()),
    )


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_all_that_a_page_names_exists(page):
    assert faults(page.read_text(encoding="utf-8"), page.parent) == []


@pytest.mark.parametrize(
    ("page", "fault"),
    [
        ("in `datamodules/heap.py`", "no file datamodules/heap.py"),
        ("in `jobs.py`", "no file jobs.py"),
        ("![a cat](pictures/none.jpg)", "no picture pictures/none.jpg"),
        ("`datamodules.parsing.llm.None`", "no module or class datamodules.parsing.llm.None"),
        ("`datamodules.llm`", "no module or class datamodules.llm"),
        ("with `--pears 3`", "no command has --pears"),
        ("`atelier paint boat.jpg`", "no command atelier paint"),
        (
            "```sh\natelier mask boat.jpg \\\n    --brush 3\n```",
            "no option --brush of atelier mask",
        ),
        ("`atelier study make --port 1 --pears 3`", "no option --pears of atelier study"),
        ("`atelier fit --tau 1`", "no option --tau of atelier fit"),
        ("`python -m experiments.jobs`", "no script python -m experiments.jobs"),
        ("`python -m experiments.run.registry`", "no script python -m experiments.run.registry"),
        (
            "`python -m experiments.measure.mask_quality --all`",
            "no option --all of python -m experiments.measure.mask_quality",
        ),
    ],
)
def test_a_wrong_name_on_a_page_is_a_fault(page, fault, tmp_path):
    assert faults(page, tmp_path) == [fault]
