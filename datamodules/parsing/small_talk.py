"""Removal of small talk around an instruction's request: "could you", "keep the rest", "thanks".

Remarks on what is to stay as it is name neither the object nor the style, so they are removed too.
"""

from __future__ import annotations

import re

from datamodules.parsing.clauses import REST
from datamodules.parsing.lexicon import APPLY, COVER, DRAW, PLEASE, THE, TURN

# Small talk before the request.
LEADS = (
    rf"(?:{PLEASE}|kindly|just|only|simply|now|then|and|but|so|maybe|perhaps|also|try to)",
    r"(?:hey|hi|hello|yo)(?: (?:there|all|everyone))?|(?:good|dear) \w+(?=[,!.])|ok|okay|well|"
    r"oo+h|hm+",
    r"make it so(?: that)?|if (?:you (?:can|could|like|please)|possible)(?=,)",
    r"quick \w+|from now on|(?:style transfer|request|task|idea|alright|right)(?=[,:.!])",
    r"let me (?:see|have|get)|let|let['\u2019]s|more(?= like\b)",
    r"(?:give|show|get|draw|paint|make) (?:me|us)|gimme|see to it that|make sure(?: that)?|"
    r"ensure that",
    rf"(?:an?|another) (?:version|picture|rendering) of(?=\s(?:{THE})\b)",
    # Questions: "could you", "would you be so kind as to", "is there a way to", "what if".
    r"(?:can|could|would|will|do|may)(?:n['\u2019]t)? (?:you|u|we|i(?: (?:get|have))?)"
    r"(?: (?:please|maybe|just|possibly|perhaps))?"
    r"(?: be (?:so )?\w+ (?:as|enough) to| think (?:you|we) (?:can|could))?|(?:do you )?mind",
    rf"(?:see|show|know) (?:what|how)|(?:you )?(?:know|see|remember)(?=\s(?:{THE})\b)",
    r"(?:is|would|will|does|could) it (?:be )?(?:\w+ )?\w+ (?:to|if)",
    r"(?:is(?:n['\u2019]t)? there )?an?y? (?:chance|way)(?: of| to| that)?|what if|why (?:not|"
    r"don['\u2019]t)(?: (?:you|we))?",
    rf"how (?:does|do)|(?:how|what) (?:about(?: (?:we|you))?|would|could)|(?:can|could|would|"
    rf"should|may|might)(?=\s(?:{THE})\b)",
    # Wishes: "I was wondering if you could", "we'd love to", "it would be nice to".
    r"(?:(?:i|we)(?:['\u2019]m| am| was|['\u2019]re| are| were) )?(?:hop|look|think|wonder|wish)"
    r"ing(?: for| of| if| that)?(?: (?:you|we) (?:can|could|would))?",
    r"(?:(?:i|we)(?:['\u2019](?:d|ll))?|would(?= love| like)|prefer)(?: (?:would|will|really|"
    r"rather|just|want"
    r"|wanna|need|wish|wonder|think|guess|hope|prefer|like|love|you|to|if|that|for|could|can))+|"
    r"wish",
    r"my \w+ (?:is|would be)(?: for| to)?",
    r"(?:i|we)(?:['\u2019]ve)? (?:took|have|had|got|shot|made|found|love|like)\b[^,;.]*?(?:[,;.]|"
    r"\b(?:and|"
    rf"but|so))(?=\s(?:(?:i|we|you|can|could|would|please)\b|(?:{TURN}|{DRAW})\b))",
    r"it(?:['\u2019]d| would) be (?:\w+ )?\w+ (?:if|to)(?: (?:you|we) (?:can|could|would))?",
    # Parts that stay: "keep the sky and", "leave everything except".
    r"(?:keep|leave|change|everything|nothing)\b[^,;.]*?\b(?:except(?: for| that)?|other than|"
    r"but for)",
    r"(?:do not|don['\u2019]t) \w+ anything (?:but|except)|everything [^,;.]*?\bstays[^,;.]*?[,;.]",
    r"[^,]{1,40}\b(?:sorry|i mean|no wait)(?=,)",
    r"nothing but|\w+ nothing",
    r"(?:without|while|keep(?:ing)?|leav(?:e|ing)|preserv(?:e|ing)|do not|don['\u2019]t)\b[^,;.]*?"
    rf"(?:[,;.]|\b(?:and|but)(?=\s(?:{TURN}|{DRAW})\b))",
)
_STAYS = (
    r"(?:stays?|remains?|keeps?|gets? nothing|(?:should|must|can|may|has to|have to) (?:stay|"
    r"remain)"
    r"|(?:is|are) (?:fine|ok|okay|good|perfect)|unchanged|untouched|as (?:it|they) (?:is|are)|as "
    r"is)\b"
)
# Small talk after the request, separated from it by a punctuation mark or an "and".
PARTED_TAILS = (  # after the request, without an "and"
    r"(?:keep|leave|preserve|retain|spare)\b",
    r"(?:keep|leav|preserv|retain|spar)ing\b",
    r"(?:do not|don['\u2019]t|without|w/o|nothing|not|no)\b",
    rf"(?:the )?{REST.pattern}.*\b(?:same|alone|is)\b|[^,;.]*\b{_STAYS}",
    rf"(?:{THE}) [^,;.]*\b{_STAYS}",
)
TAILS = (  # after the request, without an "and"
    rf"{PLEASE}|for me|instead|now|today|ok|okay|right|asap|somehow|a lot|so much|very much",
    r"(?:or|and) (?:something|stuff|whatever|so)(?: (?:like|along) (?:that|those lines))?|kind "
    r"of thing",
    r"if (?:you (?:can|could|like|want|please|don['\u2019]t mind)|possible|that['\u2019]s \w+)",
    r"(?:will|would|could|can|don['\u2019]t) you|i (?:think|guess|mean)|that['\u2019]s (?:it|all)",
    r"(?:show me|do it|surprise me|go|what do you (?:think|say))",
    r"(?:so )?(?:just )?(?:use|put|apply|do) (?:it|that) (?:there|to it|on it)",
    r"(?:would|that would|it['\u2019]d|it would) be (?:great|nice|cool|lovely|awesome|perfect|"
    r"good)",
    r"is what (?:i|we) (?:want|need|like)",
)
_LEAD = re.compile(rf"\A(?:(?:{'|'.join(LEADS)})[\s,:!?.]+)+", re.IGNORECASE)
_TAIL = re.compile(
    r"(?:\s*[,;.:(]\s*|\s+[-\u2013\u2014]+\s+|\s+(?=(?:and|but|while|without|w/o)\b))"
    r"(?:(?:and|but|while|then)\s+)?(?:please,?\s+)?(?:(?:just|only)\s+)?"
    rf"(?:{'|'.join(PARTED_TAILS)}).*\Z|\s+(?:keep|leave) (?:the|everything|all|my) .*\Z"
    rf"|[\s,.!?]+(?:{'|'.join(TAILS)})\Z",
    re.IGNORECASE,
)

# Small talk within the request: "please", "(not the table)", "and nothing else".
_ASIDE = re.compile(
    r",?\s*\b(?:please|pls|plz)\b(?=\W)|\s*\((?:not|keep|leave|without|only|just|and)\b[^)]*\)"
    r"|,\s*(?:not|without|keeping|leaving|but not|and (?:just|only)) [^,]*,|,?\s*(?:and|but) "
    r"nothing else(?=\s)|\s+[-\u2013\u2014]+ (?:not|and only|only|just|without|keep|leave)\b"
    r"[^-\u2013\u2014]*[-\u2013\u2014]+"
    rf"|,\s*(?:(?:while|and|but|with) )?(?:{THE}) [^,]* {_STAYS}[^,]*,",
    re.IGNORECASE,
)

# A thing that is introduced first and then referred to by a pronoun: "there's a cat, turn it gold".
_INTRODUCED = re.compile(
    r"\A(?:(?:so|hey|hi|hello|ok|okay|well|please|look|now)[\s,.!]+)*"
    r"(?:(?:there(?:['\u2019]s| is| are)|(?:do )?(?:you )?(?:see|know|remember)|look at|about|as "
    r"for|here(?:['\u2019]s| is| are)|this is|that['\u2019]s|regarding|consider|take"
    r"|(?:i|we)(?:['\u2019](?:m|ve|re))? (?!want|wish|need|would|like to)(?:\w+ ){1,3}?)\s*"
    r"(?:(?:an?|this|the) (?:photo|picture|pic|image|shot) of )?)?"
    rf"(?P<thing>(?:{THE}) (?:(?!\b(?:should|must|to|as|like)\b)[^,;.!?])+?)(?: (?:is|are|"
    rf"looks?) (?:(?:so|too|very|rather|a bit) )?\w+)?"
    r"(?:[,;.!?]+(?: and| but| so)?| and| but| so| [-\u2013\u2014]+) "
    r"(?P<rest>(?:(?!keep|leave|rest|as)[\w'\u2019]+ ){0,6}?)(?:it|him|her|them|he|she|they)\b"
    r"(?! (?:is|was|are|were)\b)",
    re.IGNORECASE,
)

_GERUND = re.compile(r"(?:try )?([a-z]+?)(.?)ing\b", re.IGNORECASE)
_VERB = re.compile(f"{TURN}|{DRAW}|{COVER}|{APPLY}|give|lend|swap|replace", re.IGNORECASE)


def _imperative(text: str) -> str:
    """The text with its first verb in the imperative: "turning X to S" is "turn X to S"."""
    if not (gerund := _GERUND.match(text)):
        return text
    stem = gerund[1] + gerund[2]
    forms = (stem, f"{stem}e", gerund[1])  # turning, making, putting
    return next((verb + text[gerund.end() :] for verb in forms if _VERB.fullmatch(verb)), text)


_MARKS = " \t.,;:!?-\u2013\u2014\"'`\u2018\u2019\u201c\u201d"


def without(text: str, *patterns: re.Pattern[str]) -> str:
    """The text, from which the patterns and outer punctuation are cut off until none is left."""
    while True:
        shorter = text.strip(_MARKS)
        for pattern in patterns:
            shorter = pattern.sub("", shorter, count=1)
        if shorter == text:
            return text
        text = shorter


def without_small_talk(text: str) -> str:
    """The request in a text, without small talk and with names in place of pronouns."""
    text = _ASIDE.sub("", re.sub(r"\s*,\s*", ", ", text))
    text = re.sub(r"\A\((.*)\)\Z", r"\1", text)
    if introduced := _INTRODUCED.match(text):
        thing, rest = introduced["thing"], introduced["rest"]
        text = f"{rest}{thing}{text[introduced.end() :]}"
    return _imperative(without(text, _LEAD, _TAIL))
