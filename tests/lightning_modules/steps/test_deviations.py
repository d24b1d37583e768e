"""Deviations of the published codes, by mode or one by one."""

from dataclasses import asdict, fields, replace

from lightning_modules.generative_artisan import GenerativeArtisan
from lightning_modules.sem_cs import SemCS
from lightning_modules.soulstyler import Soulstyler
from lightning_modules.steps.deviations import Deviations
from tests.support.methods import build_tiny
from tests.support.modes import MODES


@MODES
def test_mode_sets_every_switch_and_each_can_be_set_alone(mode):
    reference = mode == "reference"
    shared = {field.name for field in fields(Deviations)}
    own = {  # switches of a method alone, and shared ones in which its code follows the paper
        GenerativeArtisan: ({"misplaced_weights"}, set()),
        SemCS: (
            {"softmax_source", "masked_source", "background_patch_text"},
            {"early_halving"},
        ),
        Soulstyler: ({"no_global", "bare_likeness"}, {"stretched_contrast"}),
    }
    for method, (switches, as_in_the_paper) in own.items():
        deviations = build_tiny(method, mode=mode).deviations
        names = shared | switches
        assert asdict(deviations) == {n: reference and n not in as_in_the_paper for n in names}
        for name, value in asdict(deviations).items():
            single = type(deviations)(**{name: not value})
            built = build_tiny(method, mode=mode, deviations=single).deviations
            assert built == replace(deviations, **{name: not value})
