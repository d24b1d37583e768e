"""The command `atelier`, one module of experiments/commands per subcommand.

A command is a module with `add_arguments(parser)` and `run(args, rest)`, imported only when it is
called; heavy libraries are imported by the functions that use them. Results go to stdout, messages
to stderr. Exit code 0: done; 2: the user can mend it, and one line on stderr says how; 130:
interrupted by Ctrl-C; 143: by SIGTERM.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from importlib import import_module
from itertools import islice
from types import ModuleType
from typing import Any, NoReturn

from datamodules.support.errors import AtelierError
from datamodules.support.home import settle_home
from datamodules.support.suggestions import did_you_mean
from datamodules.support.versions import own_version
from experiments import termination

TRACEBACK = "ATELIER_TRACEBACK"  # variable: exceptions in users' code with their tracebacks
COMMANDS = {
    "stylize": "give an object in a picture the style that a sentence names",
    "parse": "split an instruction into object and style, as JSON",
    "mask": "find an object in a picture, as a black and white picture",
    "compare": "show what several methods make of one picture, side by side",
    "sweep": "make all runs of a grid or a random sample, on any number of GPUs",
    "bench": "make, score and report all runs of a benchmark set",
    "evaluate": "score finished pictures: background, style, fidelity, quality",
    "results": "tables of many runs: mean, spread, best, as text, CSV, LaTeX",
    "report": "one folder to look at: tables, curves, gallery, without network",
    "study": "let people compare what systems make: page, votes, scores",
    "studio": "open a page on which people try it, with a mask to paint and a live picture",
    "profile": "measure a step: seconds by stage, memory, share of the device's speed",
    "train": "train a network that paints the style of a text in one pass",
    "export": "write a run's style as an ONNX file that paints any picture",
    "weights": "get and check the papers' models",
    "doctor": "say what is here and what is missing, with the remedy for each",
    "evaluate-parsers": "measure how well parsers split instructions",
    "list": "name all methods, metrics, parsers, ... with a line about each",
    "copy": "copy a method or another part into your folder, to change it there",
    "validate": "check a YAML file without running it",
    "fit": "run a configuration through Lightning's own command line",
    "completion": "print a script by which bash, zsh or fish complete this command",
}


class _Parser(argparse.ArgumentParser):
    """Parser whose errors are one line, like all others, instead of the usage page."""

    def __init__(self, **options: Any) -> None:
        # A part of an option's name could be a slip of the pen for another one.
        super().__init__(**options, allow_abbrev=False)

    def error(self, message: str) -> NoReturn:
        raise AtelierError(f"{message}; see {self.prog} --help")

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        try:
            super()._check_value(action, value)
        except argparse.ArgumentError as error:
            error.message += did_you_mean(str(value), map(str, action.choices))
            raise

    def refuse_unknown(self, words: list[str]) -> None:
        """AtelierError for an option among words that argparse has left over."""
        for word in (word.split("=")[0] for word in words):
            if word.startswith("-") and word != "-":
                hint = did_you_mean(word, self._option_string_actions)
                raise AtelierError(
                    f"{self.prog} has no option {word}{hint}; see {self.prog} --help"
                )


def main(argv: list[str] | None = None) -> int:
    """Run one command and return the exit code.

    argv: the words after `atelier`; by default those of this process.
    """
    arguments = sys.argv[1:] if argv is None else argv
    # Threads that wait must sleep, not spin: on a machine that others use too, spinning OpenMP
    # threads make a step 5x slower. Read when torch is imported, hence here.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    settle_home()
    termination.leave_on_sigterm()
    try:
        try:
            return _run(arguments)
        finally:
            sys.stdout.flush()  # now: at exit Python itself would report a closed pipe
    except AtelierError as error:
        print(f"atelier: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return _stopped()
    except BrokenPipeError:  # the reader of our stdout is satisfied, e.g. `| head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        if sentence := _own_fault(error):
            print(f"atelier: {sentence}", file=sys.stderr)
            return 2
        raise
    except SystemExit as error:
        if isinstance(error.__context__, BrokenPipeError):  # rich's way to report the same
            return 0
        raise


def _own_fault(error: Exception) -> str:
    """A sentence about an exception in a user's code, "" for one in ours, or if all is wanted."""
    if os.environ.get(TRACEBACK):
        return ""
    from experiments.run.own_code import fault

    where = fault(error)
    return where and f"{where}; {TRACEBACK}=1 shows the whole traceback"


def _stopped() -> int:
    """The exit code of a command that a signal has stopped, as shells have it; one line."""
    terminated = termination.came()
    print(f"atelier: {'terminated' if terminated else 'interrupted'}", file=sys.stderr)
    return 128 + (signal.SIGTERM if terminated else signal.SIGINT)


def _run(arguments: list[str]) -> int:
    parser = _Parser(
        prog="atelier",
        description="Text-guided, object-aware image style transfer.",
        epilog='example: atelier stylize skimage:rocket "Turn the rocket to the art on fire"',
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"atelier {own_version()}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    called = next((word for word in arguments if word in COMMANDS), None)
    for name, summary in COMMANDS.items():
        # Only this command's module is imported; the others need just their line of help.
        module = _module(name) if name == called else None
        command = commands.add_parser(
            name,
            help=summary,
            description=(module.__doc__ if module else summary),
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        if module:
            module.add_arguments(command)
        if getattr(module, "READS_ALL", False) and arguments[0] == name:
            # In the order of the command line: for LightningCLI the last word counts.
            return module.run(argparse.Namespace(command=name), arguments[1:])
    own, dotted = split_dotted(arguments)
    args, unknown = parser.parse_known_args(own)
    commands.choices[args.command].refuse_unknown(unknown)
    if getattr(args, "instruction", "") is None and unknown and not unknown[0].startswith("-"):
        # argparse takes optional words only next to each other; here options separate them.
        args.instruction = unknown.pop(0)
    return _module(args.command).run(args, dotted + unknown)


def _module(command: str) -> ModuleType:
    return import_module(f"experiments.commands.{command.replace('-', '_')}")


def split_dotted(arguments: list[str]) -> tuple[list[str], list[str]]:
    """All other words, and the settings by dotted name ("--model.tau 0.6") with their values.

    argparse does not know that these settings take a value, and would read it as a picture.
    """
    own, dotted, words = [], [], iter(arguments)
    for word in words:
        if word.startswith("--") and "." in word.split("=")[0]:
            dotted += [word] if "=" in word else [word, *islice(words, 1)]
        else:
            own.append(word)
    return own, dotted


if __name__ == "__main__":
    sys.exit(main())
