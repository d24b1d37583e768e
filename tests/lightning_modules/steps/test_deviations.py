"""Deviations of the published codes, by mode or one by one."""

from dataclasses import asdict, replace

from lightning_modules.generative_artisan import GenerativeArtisan
from lightning_modules.sem_cs import SemCS
from lightning_modules.soulstyler import Soulstyler
from tests.support.methods import build_tiny
from tests.support.modes import MODES


@MODES
def test_mode_sets_every_switch_and_each_can_be_set_alone(mode):
    reference = mode == "reference"
    shared = ("tv_norms", "reject_below", "early_halving", "extra_step")
    own = {
        GenerativeArtisan: ("misplaced_weights",),
        SemCS: ("softmax_source", "masked_source", "background_patch_text"),
        Soulstyler: ("no_global",),
    }
    for method, switches in own.items():
        deviations = build_tiny(method, mode=mode).deviations
        assert asdict(deviations) == dict.fromkeys((*shared, *switches), reference)
        for name in (*shared, *switches):
            single = type(deviations)(**{name: not reference})
            built = build_tiny(method, mode=mode, deviations=single).deviations
            assert built == replace(deviations, **{name: not reference})
