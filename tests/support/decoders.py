"""Decoders as they are when their training begins."""

from lightning_modules.generators.decoders import Decoders


def learning(text, **settings):
    """A generator whose network is the first decoder of a text."""
    generator = Decoders(**settings)
    generator.begin([text])
    return generator
