"""Spans of an instruction."""

from datamodules.parsing.spans import legal_spans


def test_spans_are_whole_words_without_carriers():
    text = "In Monet's style, paint the girl's hat, but keep the sky."
    spans = {text[a:b] for a, b in legal_spans(text)}
    assert {"Monet", "girl's hat", "hat", "sky"} <= spans
    assert not spans & {"Monet's", "Monet's style", "the girl's hat", "paint the girl", "hat,"}
    assert not any("but" in span for span in spans)
