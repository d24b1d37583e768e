"""Meanings of the numbers in tables, by the names that they have in result.json.

A score's name is "own_" (where the encoder that was optimised judges itself), its bare name, and
"." with the network that measured: "own_style_patch.bridge-lite0".
"""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path

import yaml

from datamodules.models.cache import once_per_process
from datamodules.support.errors import reason
from evaluation.metrics.scores import ALL, OWN, Score

log = logging.getLogger(__name__)

SUITES = Path(__file__).parents[2] / "configs" / "evaluation"
SECONDS = "seconds"
ARROWS = {True: "↑", False: "↓", None: ""}
TIME = Score(False, 0, math.inf, "the run's stages without loading", unit="s", title="time")
# Words of names as people write them.
WORDS = {
    **{name.casefold(): name for name in ("HaarPSI", "VIFp", "Lite0", "SSIM", "PSNR", "TV")},
    **{name.casefold(): name for name in ("DISTS", "LPIPS", "FSIM", "GMSD", "MDSI", "BRISQUE")},
    **{name.casefold(): name for name in ("CLIP", "IQA", "NIMA", "LLM", "URL")},
    "lr": "learning rate",
    "tau": "threshold t",
}
METHODS = {  # by the letters of their classes and files
    "soulstyler": "Soulstyler",
    "clipstyler": "CLIPstyler",
    "generativeartisan": "Generative Artisan",
    "semcs": "Sem-CS",
    "gatys": "Gatys et al.",
    "fastclipstyler": "FastCLIPstyler",
    "clipstylerfast": "CLIPstyler-fast",
}


_learned: dict[str, Score] = {}  # from runs, by bare names


def learn(scores: Mapping[str, Score]) -> None:
    """Take over the meanings of users' scores, by bare names, as runs' files hold them."""
    for name, score in scores.items():
        earlier = _learned.setdefault(name, score)
        if earlier.higher_is_better != score.higher_is_better:
            log.warning(
                "Runs differ in whether %s is better high or low; the last one counts", name
            )
        _learned[name] = score


@once_per_process
def meanings() -> dict[str, Score]:
    """Meanings by bare name: of our own metrics, and of all that configs/evaluation names."""
    scores: dict[str, Score] = {}
    for class_path in _classes():
        module, _, name = class_path.rpartition(".")
        try:
            others = getattr(import_module(module), name).scores
        except (ImportError, AttributeError, SyntaxError) as error:
            log.warning("%s gives its scores no meaning: %s", class_path, reason(error))
            continue
        scores |= {bare(key): score for key, score in others.items()}
    return scores | {SECONDS: TIME} | ALL


def _classes() -> list[str]:
    suites = (yaml.safe_load(path.read_text(encoding="utf-8")) for path in SUITES.glob("*.yaml"))
    return sorted({metric["class_path"] for suite in suites for metric in suite.values()})


def is_users(name: str) -> bool:
    """Whether a number is a score of a metric that does not come with Atelier, and no judgement by
    the encoder that was optimised.
    """
    return stem(name) not in ALL and name != SECONDS and not name.startswith(OWN)


def meaning(name: str) -> Score | None:
    """Meaning of a number by its name; None for one that no metric gives."""
    # Ours are known without the metrics' classes, whose import takes seconds.
    at_hand = ALL.get(bare(name)) or (TIME if name == SECONDS else _learned.get(bare(name)))
    return at_hand or meanings().get(bare(name))


def title(name: str) -> str:
    """A score's heading for people, without its network: "background PSNR"."""
    score, own = meaning(name), stem(name).startswith(OWN)
    words = score.title if score and score.title else in_words(bare(name))
    return f"own {words}" if own else words


def heading(name: str) -> str:
    """A score's heading with its network: "style of patches · bridge-lite2"."""
    return " · ".join(part for part in (title(name), network(name)) if part)


def label_title(name: str) -> str:
    """A label's heading for people: "learning rate" for "model.optimizer.lr"."""
    return in_words(name.rpartition(".")[2] or name)


def method_title(name: str) -> str:
    """A method by its file or class as papers write it; any other name as it is."""
    return METHODS.get("".join(sign for sign in name.casefold() if sign.isalnum()), name)


def in_words(name: str) -> str:
    """A name as words: "background PSNR" for "background_psnr"."""
    return " ".join(WORDS.get(word.casefold(), word) for word in name.split("_") if word) or name


def unit(name: str) -> str:
    """Unit of a number, "" for none."""
    score = meaning(name)
    return score.unit if score else ""


def direction(name: str) -> bool | None:
    """Whether higher is better; None where neither is, or where it is unknown."""
    score = meaning(name)
    return score.higher_is_better if score else None


def arrow(name: str) -> str:
    """ "↑" where higher is better, "↓" where lower is, else ""."""
    return ARROWS[direction(name)]


def stem(name: str) -> str:
    """A score's name without the network that measured."""
    return name.partition(".")[0]


def network(name: str) -> str:
    """The network in a score's name, "" for none."""
    return name.partition(".")[2]


def bare(name: str) -> str:
    """A score's name without the network and without "own_"."""
    return stem(name).removeprefix(OWN)


def judgements(values: Mapping[str, float | None], score: str) -> dict[str, float]:
    """Values of a score such as "own_style_global" by the encoder that judged."""
    return {
        network(name): value
        for name, value in values.items()
        if value is not None and stem(name) == score
    }
