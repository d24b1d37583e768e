"""Words of instructions: verbs of change, words for a style, for the whole picture and for what is
to remain. Words of objects and places are in datamodules/vocabulary.py.
"""

from __future__ import annotations

import re

from datamodules import vocabulary


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Lemmas of verbs, by the places of object X and style S.
VERBS = {
    "exchange": _words("swap replace exchange trade"),  # the look of X for S
    "turn": _words(  # X into S
        "turn transform convert change morph alter modify transmute transfigure translate switch "
        "shift rework recast reinvent transmogrify freeze remould remold"
    ),
    "draw": _words(  # X in S, X as S
        "paint repaint draw redraw render do redo make remake imagine reimagine create style "
        "restyle stylize stylise work design redesign color colour recolor recolour sketch show "
        "depict picture portray present edit put set have get see treat dye tint touch remodel "
        "pixelate cast let carve sculpt build illustrate adapt redecorate craft"
    ),
    "cover": _words(  # X with S
        "cover coat wrap fill dress decorate drape clothe drench infuse engulf encase dip deck "
        "spruce jazz embroider knit weave bathe soak texture retexture"
    ),
    "apply": _words(  # S to X
        "apply use transfer add copy lay project map spread impose bestow try slap throw go opt "
        "mimic emulate imitate channel evoke take sprinkle overlay splash pour stick bring"
    ),
    "give": _words("give lend grant"),  # X S
}
# Of a state: "X looks like S", "X becomes S".
APPEAR = _words(
    "look appear seem feel resemble become burn glow shine gleam glitter flow freeze be wear turn "
    "mimic imitate get need deserve want take receive suit change go"
)
WISH = _words("want need like love wish prefer hope wanna")  # "I want X in S"
LIGHT = _words("have get see do let show try go take imagine picture")  # often before another verb

# What is to remain: "keep X", "X stays as it is", "do not touch X".
KEEP = _words("keep leave preserve retain spare protect ignore skip maintain exclude")
STAY = _words("stay remain keep")

# Nouns that carry a style: "in the style of S", "an S look", "an S version of X".
CARRIER = (
    "styles?|looks?|manner|appearance|textures?|effects?|aesthetics?|feel(?:ing)?|vibes?|themes?|"
    "colou?rs?|filter|fashion|technique|touch|spirit|finish|treatment|design|mood|makeover"
)
RENDITION = "version|take|rendition|interpretation|rendering"
SUFFIX = "style|styled|like|esque|inspired|themed"  # of a name: "Monet-esque"

# Words that say nothing of object and style.
COURTESY = _words(
    "please pls plz thanks thank thx cheers kindly instead now ok okay asap lol haha today somehow "
    "ta hey hi hello yo well"
)
FILLERS = _words(
    "just only simply maybe also then now really so and but again even though although whereas yet "
    "while"
)
PRAISE = _words("great good nice cool perfect best amazing lovely awesome better well beautiful")
OPENING = re.compile(
    r"\A(?:(?:(?:i|we)(?:['\u2019]m| am|['\u2019]re| are| was| were)? )?(?:looking|hoping|wishing|"
    r"hope|wish) for|(?:would|do) you mind|mind|what if|how about|what about|if you (?:can|could|"
    r"like)|if possible|from now on|quick \w+|my \w+ (?:is|would be) for|(?:i|we) (?:think|guess|"
    r"believe)|make it so(?: that)?|make sure(?: that)?|see to it that|any chance(?: of| that)?|"
    r"(?:is there|there is) a(?:ny)? (?:way|chance) (?:to|of|that)|why (?:not|don['\u2019]t (?:you|"
    r"we))|would it be (?:possible|ok|okay) (?:to|if)|is it possible to|(?:it['\u2019]d|it would) "
    r"be (?:\w+ )?\w+ (?:if|to)|let['\u2019]s(?: see| have)?|(?:can|could|would|will)(?: you| u|"
    r" we)?(?: please)?|please|kindly|(?:i was|we were) wondering if(?: you could)?|for (?:an?|my) "
    r"[^:,]{3,40}:(?=.*\b(?:in|as|like|into)\b)|(?:so|and|but|then|also|now|okay|ok|well|hey|hi|"
    r"hello|just|simply)\b)(?:\s*[,:!]\s*|\s+)",
    re.I,
)
CLOSING = re.compile(
    r"(?:,? (?:for me|if (?:you (?:can|could|like|want|please)|possible)|(?:will|would|can|could|"
    r"don['\u2019]t) you(?: think)?|i (?:think|guess|mean)|a lot|very much|would be \w+|that"
    r"['\u2019]d be \w+|is what i (?:want|need|like)|or (?:something|so)(?: like that)?|do it|show "
    r"me|kind of thing|(?:just )?(?:that|it)['\u2019]s it|(?:so )?use it there))\Z",
    re.I,
)

# Names of the whole picture, and of what no other words name.
PICTURE = "image|photo|photograph|picture|scene|pic|shot|snapshot"
WHOLE = re.compile(
    r"(?:(?:the|this|my|whole|entire|full|complete|all of|it) )*"
    rf"(?:(?:parts?|inch|bit|corner) of (?:it|(?:the|this|my) (?:{PICTURE}))|all(?: of (?:it|this))"
    r"?|everything|anything|everywhere|(?:this |that )?one|thing|it|this|that|whole|entire|"
    rf"(?:{PICTURE})|them|him|her)(?: (?:in|on|of) (?:it|(?:the|this|my) (?:{PICTURE})))?",
    re.I,
)
REST = re.compile(
    r"(?:the )?(?:everything else|all else|(?:all )?(?:the )?other parts(?: of (?:it|(?:the|this|"
    rf"my) (?:{PICTURE})))?|(?:all )?(?:the )?(?:rest|remainder)(?: of (?:it|(?:the|"
    rf"this|my) (?:{PICTURE})))?|(?:all )?(?:the )?others?)",
    re.I,
)
BACKGROUND = re.compile(
    rf"(?:the |whole |entire )*(?:{'|'.join(sorted(vocabulary.BACKDROPS))}|surroundings)", re.I
)
# Groups and places that may hold a thing that a sentence spares: "turn the room to gold, but leave
# the piano alone".
CONTAINERS = _words(
    "room kitchen bedroom garden yard street city town village landscape park crowd group family "
    "orchestra"
)

PARTS = _words(  # of things: "turn the car to gold, but leave the windows alone"
    "eye eyes face faces hair head heads hand hands beard lips mouth nose ear ears teeth tail paws "
    "legs wings feathers beak mane skin wheels wheel windows window windscreen headlights tyres "
    "tires bumper roof door doors chimney trunk leaves branches petals stem label lid handle "
    "strings sails sail mast flag buttons collar laces pedestal frame screen"
)
DETERMINERS = frozenset(vocabulary.DETERMINERS) | _words(
    "these those our some teh both every each any"
)
PRONOUNS = _words("it them him her they he she this that these those which")
PLACES = frozenset(vocabulary.DIRECTIONS) | _words(
    "side front background back foreground corner distance"
)


def verb_class(word: str, lemma: str) -> str:
    """The class of a verb of change (a key of VERBS), "" for any other word.

    A gerund's lemma may be that of a noun ("painting"), so its stem is looked up as well; a verb
    that begins with "re-" is one of change if it is not in the lexicon.
    """
    stem = word.removesuffix("ing")
    forms = [lemma, word] + [stem, f"{stem}e", stem[:-1]] * (stem != word)
    if word.startswith("re-"):
        forms += [word[3:], "draw"]
    return next((kind for form in forms for kind, verbs in VERBS.items() if form in verbs), "")
