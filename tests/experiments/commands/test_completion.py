"""Scripts that complete `atelier` in a shell, run by the shells that are installed."""

import shutil
import subprocess

import pytest

from experiments.commands.completion import SHELLS
from experiments.run.registry import METHODS, MODELS, SEGMENTERS, SWEEPS, names

BASH = """
source "$1"; shift
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
_shtab_atelier 2> /dev/null
printf '%s\\n' "${COMPREPLY[@]}"
"""
FISH = 'source $argv[1]; complete --do-complete "$argv[2..]" | string split -f1 \\t'


@pytest.fixture(scope="module")
def script(tmp_path_factory):
    """Path of a shell's script, printed once."""
    from tests.support.cli import run

    folder = tmp_path_factory.mktemp("completion")
    paths = {shell: folder / f"atelier.{shell}" for shell in SHELLS}
    for shell, path in paths.items():
        result = run("completion", shell, cwd=folder)
        assert (result.returncode, result.stderr) == (0, "")
        path.write_text(result.stdout, encoding="utf-8")
    return paths.get


def completions(shell, program, script, *words):
    """Words that a shell offers for the last of `words`, sorted."""
    if not shutil.which(shell):
        pytest.skip(f"{shell} is not installed")
    order = [shell, "-c", program, *([shell] if shell == "bash" else []), script, *words]
    result = subprocess.run(order, capture_output=True, text=True, timeout=20, check=True)
    return sorted(result.stdout.split())


COMPLETIONS = {  # for the last word
    ("mas",): ["mask"],
    ("stylize", "--segm"): ["--segmenter"],
    ("stylize", "boat.jpg", "Turn the boat to fire", "--method", ""): names(METHODS),
    ("compare", "--models", ""): names(MODELS),
    ("mask", "boat.jpg", "boat", "--segmenter", ""): sorted(SEGMENTERS),
    ("parse", "--parser", "ru"): ["rules"],
    ("sweep", ""): names(SWEEPS),
    ("bench", "de"): ["demo"],
    ("train", "att"): ["attention"],
    ("evaluate-parsers", "--set", "kinds"): ["kinds", "kinds-aside"],
    ("study", "se"): ["serve"],
    ("stylize", "--device", "g"): ["gpu"],
    ("completion", ""): sorted(SHELLS),
}


@pytest.mark.parametrize(("shell", "program"), [("bash", BASH), ("fish", FISH)])
def test_a_shell_offers_commands_options_and_names(shell, program, script):
    offers = {w: completions(shell, program, script(shell), "atelier", *w) for w in COMPLETIONS}
    assert offers == COMPLETIONS


def test_a_shell_offers_files_for_a_picture(script, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "boat.jpg").touch()
    (tmp_path / "boats").mkdir()
    bash = completions("bash", BASH, script("bash"), "atelier", "stylize", "bo")
    assert {"boat.jpg"} <= {*bash} <= {"boat.jpg", "boats", "boats/"}
    bash = completions("bash", BASH, script("bash"), "atelier", "results", "bo")
    assert [word.rstrip("/") for word in bash] == ["boats"]


def test_zsh_accepts_its_script(script):
    text = script("zsh").read_text(encoding="utf-8")
    assert text.startswith("#compdef atelier")
    assert f"({' '.join(names(METHODS))})" in text
    if zsh := shutil.which("zsh"):
        subprocess.run([zsh, "-n", script("zsh")], check=True)


def test_another_shell_is_refused(cli):
    result = cli("completion", "tcsh")
    assert result.returncode == 2
    assert "invalid choice: 'tcsh'" in result.stderr
