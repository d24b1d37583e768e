"""The pages name only paths, modules, classes, commands and options that exist; docstrings, too,
only commands and options. Every measured figure has its command, every message its source.
"""

import argparse
import ast
import re
import tomllib
from functools import cache
from importlib import import_module
from pathlib import Path

import pytest
import yaml

import experiments
from experiments.cli import COMMANDS

ROOT = Path(experiments.__file__).parents[1]
DOCS = sorted((ROOT / "docs").rglob("*.md"))
GITHUB = sorted((ROOT / ".github").rglob("*.*"))
FRONT = [ROOT / f"{name}.md" for name in ("README", "CONTRIBUTING", "SECURITY")]
PAGES = [*FRONT, *GITHUB, *DOCS]
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
        *call_faults(page),
    ]


def call_faults(page):
    """One phrase per command, script and option in the page's code that does not exist."""
    return [
        *(fault for call in calls("atelier", page) for fault in command_faults(*call)),
        *(fault for call in calls("python -m", page) for fault in script_faults(*call)),
    ]


def paths(page):
    """The repository's paths on the page, some of them glob patterns."""
    full = re.findall(rf"(?<![\w./-])(?:{TREES})/[\w./*-]*[\w/*]", page)
    return [re.sub(r"\b[A-Z]{4,}\b", "*", path) for path in full]


def bare(page):
    """File names without a folder, such as `runs.py`; the file may be in any folder of CODE, or on
    the page itself.
    """
    own = set(re.findall(r"^:caption: (\w+\.py)$", page, re.MULTILINE))
    return [name for name in re.findall(r"`(\w+\.py)`", page) if name not in own]


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
    code = re.findall(r"^```[^\n]*\n(.*?)^```|(?<!`)`([^`]+)`(?!`)", page, re.M | re.S)
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
    first, choices = next(iter(words.split()), ""), first_words(command)
    wrong = choices and first.isalpha() and first.islower() and first not in choices
    return [
        *(f"no option {option} of atelier {command}" for option in sorted(unknown)),
        *([f"no {first} of atelier {command}"] if wrong else []),
    ]


def script_faults(module, words):
    path = "/" + module.replace(".", "/")
    file = next((f for f in sources() if f.endswith((f"{path}.py", f"{path}/__main__.py"))), "")
    if not module.startswith("experiments."):
        return []
    if "__main__" not in file + sources().get(file, ""):
        return [f"no script python -m {module}"]
    shared = []
    if "/reproduce/" in file:  # main, and the options of all commands that make runs
        shared = ["experiments/reproduce/base.py", "experiments/campaigns/options.py"]
    source = "".join(sources()[path] for path in [file, *(f"{ROOT}/{path}" for path in shared)])
    unknown = {option for option in options(words) if f'"{option}"' not in source} - {"--help"}
    return [f"no option {option} of python -m {module}" for option in sorted(unknown)]


@cache
def sources():
    """Text of every Python file below CODE by its path."""
    files = [file for folder in CODE for file in (ROOT / folder).rglob("*.py")]
    return {file.as_posix(): file.read_text(encoding="utf-8") for file in files}


@cache
def command_parser(command):
    parser = argparse.ArgumentParser()
    if command != "fit":
        import_module(f"experiments.commands.{command.replace('-', '_')}").add_arguments(parser)
    return parser


def command_options(command):
    return LIGHTNING if command == "fit" else parser_options(command_parser(command))


def first_words(command):
    """Words of which one follows a command: its subcommands or actions; none for most commands."""
    actions = command_parser(command)._get_positional_actions()
    return list(actions[0].choices or ()) if actions else []


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


UNIT = r"(?:ms|s|seconds?|minutes?|hours?|[kMG]B|[GT]FLOP(?:/s)?|dB|%)"
FIGURE = re.compile(  # a number with a unit, an IoU, or a cell with a decimal fraction
    rf"(?<![\w.])\d[\d.,]*(?: to \d[\d.,]*)? ?{UNIT}(?!\w)|\bIoU\b[^.|]*\d\.\d|\|\s*\**-?\d*\.\d+"
)
CODE_ON_PAGE = re.compile(r"^```[^\n]*\n.*?^```|`[^`]+`", re.MULTILINE | re.DOTALL)
MEASURES = re.compile(r"\b(?:atelier [a-z]|python -m |make [a-z]|bash tests/)")
# Pages of settings, limits and definitions, whose numbers nobody measures.
DEFINITIONS = ("alternatives", "evaluation", "files", "glossary", "models", "study", "use")


def bare_figures(page):
    """Headings of sections that have measured figures and no command that measures them.

    A section ends at the next heading. One above that says where its "figures" are from speaks for
    the sections below it.
    """
    heads = re.split(r"^(#+) (.*)$", page, flags=re.MULTILINE)[1:]
    above, bare = {}, []
    for level, title, text in zip(heads[::3], heads[1::3], heads[2::3], strict=True):
        above = {k: v for k, v in above.items() if k < len(level) and "igures" in v}
        above[len(level)] = text
        code = " ".join(word for each in above.values() for word in CODE_ON_PAGE.findall(each))
        if FIGURE.search(CODE_ON_PAGE.sub("", text)) and not MEASURES.search(code):
            bare.append(title)
    return bare


@cache
def nodes():
    """Nodes of each source's syntax tree, by the path of the source."""
    return {path: [*ast.walk(ast.parse(source))] for path, source in sources().items()}


def docstrings(path):
    """Docstrings of a Python source, with its example lines as code."""
    with_docstring = ast.Module | ast.ClassDef | ast.FunctionDef
    texts = [ast.get_docstring(n) or "" for n in nodes()[path] if isinstance(n, with_docstring)]
    example = re.compile(r"^ +((?:atelier|python -m) .*)$", re.MULTILINE)
    return [example.sub(r"`\1`", text) for text in texts]


def messages():
    """Every text in the sources, with "…" for what is filled in."""
    texts = []
    for node in (node for every in nodes().values() for node in every):
        if isinstance(node, ast.JoinedStr):
            parts = (n.value if isinstance(n, ast.Constant) else "…" for n in node.values)
            texts.append("".join(parts))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            texts.append(re.sub(r"%[\d.]*[dfgrs]", "…", node.value).replace("%%", "%"))
    return texts


def quotations(page):
    """Messages in the first column of the tables of docs/troubleshooting.md."""
    return re.findall(r"^\| `([^`]+)` \|", page, re.MULTILINE)


def is_in(message, texts):
    """Whether a text of the sources has the message; "…" of the message may be any words of it."""
    return any(has_in_order(text, message.split("…")) for text in texts)


def has_in_order(text, parts):
    place = 0
    for part in parts:
        if (start := text.find(part, place)) < 0:
            return False
        place = start + len(part)
    return True


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_all_that_a_page_names_exists(page):
    assert faults(page.read_text(encoding="utf-8"), page.parent) == []


def test_commands_in_docstrings_exist():
    wrong = {
        Path(path).name: fault
        for path in sources()
        for text in docstrings(path)
        for fault in call_faults(text)
    }
    assert wrong == {}
    assert sum(len(calls("atelier", text)) for path in sources() for text in docstrings(path)) > 50


@pytest.mark.parametrize(
    "page",
    [page for page in (PAGES[0], *DOCS) if page.stem not in DEFINITIONS],
    ids=lambda path: path.name,
)
def test_measured_figures_have_their_command(page):
    assert bare_figures(page.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "text",
    ["It takes 3.5 s.", "It takes 20 to 30 ms per step.", "The mean IoU is 0.91.", "2.6 GB in all",
     "98% are right", "| a | b |\n|---|---|\n| cat | 0.91 |"],
)  # fmt: skip
def test_a_figure_without_its_command_is_a_fault(text):
    assert bare_figures(f"# Title\n\n`atelier mask`\n\n## Part\n\n{text}\n") == ["Part"]
    assert bare_figures(f"# Title\n\n## Part\n\n{text}\n`atelier mask boat.jpg boat`") == []
    assert bare_figures(f"# Title\n\nAll figures: `make bench`\n\n## Part\n\n{text}") == []


def test_messages_on_the_page_of_troubles_are_those_of_the_program():
    texts = messages()
    page = (ROOT / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
    assert len(quotations(page)) > 30
    assert [message for message in quotations(page) if not is_in(message, texts)] == []
    assert not is_in("There is no picture in …; check the path", texts)


def test_forms_and_citation_are_whole():
    forms = [yaml.safe_load(path.read_text("utf-8")) for path in GITHUB if path.suffix == ".yml"]
    fields = [field for form in forms for field in form.get("body", [])]
    assert fields
    for form in (form for form in forms if "body" in form):
        assert form["name"]
        assert form["description"]
        assert len({field["id"] for field in form["body"]}) == len(form["body"])
    assert all(field["attributes"]["label"] for field in fields)
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
    assert citation.keys() >= {"cff-version", "message", "title", "authors"}
    assert all(work["authors"] and work["title"] for work in citation["references"])
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert (citation["version"], citation["license"]) == (project["version"], project["license"])


def test_the_readme_fits_on_two_screens():
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 120


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
        ("`atelier weights status`", "no status of atelier weights"),
        (
            "`python -m experiments.reproduce.sem_cs --dry-run --dry`",
            "no option --dry of python -m experiments.reproduce.sem_cs",
        ),
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


def test_the_page_of_the_command_line_has_what_every_command_prints(cli):
    from docs.command_line import COLUMNS, help_page

    pages = {command: help_page(command) for command in COMMANDS if command != "fit"}  # 10 s
    for command, page in pages.items():
        assert page.startswith(f"usage: atelier {command} ")
    assert pages["parse"] == cli("parse", "--help", COLUMNS=COLUMNS).stdout
