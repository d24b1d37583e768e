"""A grammar of regular expressions splits the instruction: no model, no wait, no surprises.

It is the floor that a language model has to beat, and what steps in where a model cannot be asked.

1. What only surrounds the wish is cut off: "could you please", "but keep the rest".
2. The forms in FORMS are tried in their order and the first that fits the whole text names object
   and style. The order settles what is ambiguous: an unmistakable form ("X -> S") goes before one
   that other words could be part of ("X in S").
3. What only carries a name is cut off both: determiners, "the style of S", "S look".
"""

from __future__ import annotations

import re

from datamodules.errors import AtelierError
from datamodules.parsing.base import Parser, checked
from datamodules.parsing.clauses import REST, take_blend, targets_by_clause
from datamodules.parsing.spans import DETERMINER, NEVER_LAST, WHOLE_PICTURE
from datamodules.task import BACKGROUND, StyleTarget

_TURN = "turn|transform|convert|change|morph|alter|modify|transmute|transfigure"
_DRAW = (
    "(?:re-?)?(?:paint|draw|render|do|make|imagine|create|style|work|design|colou?r|touch)|"
    "(?:re-?)?styli[sz]e|sketch|show(?: me)?|depict|picture|portray|present|edit|put|set|have|get|"
    "see"
)
_COVER = "cover|coat|wrap|fill|dress|decorate|drape|clothe|paint over|overlay"
_CARRIER = (
    "styles?|looks?|manner|appearance|textures?|effects?|aesthetics?|feel(?:ing)?|vibes?|"
    "themes?|colou?rs?|filter|fashion|technique|touch|spirit|finish|treatment|design|mood"
)
_THE = "the|an?|this|that|these|those|my|your|his|her|its|our|their|some"
_BARE = r"(?<!\bwith )(?<!\bin )(?<!\bof )(?<!\bon )(?<!\bby )(?<!\bnear )"  # no preposition's "a"

# What the names in <> stand for in FORMS. Both fields take as little as they can, so that the first
# words that can part them do; <farther object> takes as much as it can.
VOCABULARY = {
    "object": "(?P<object>.+?)",
    "farther object": "(?P<object>.+)",
    "style": "(?P<style>.+?)",
    "name": r"(?P<style>(?-i:[A-Z]).*?)",  # a painter's: begins with a capital
    "word": r"(?P<style>(?:[\w-]+ (?:art|glass|painting|drawing|sketch|print)|[\w-]+))",
    "turn": f"(?:{_TURN})",
    "draw": f"(?:{_DRAW})",
    "verb": f"(?:{_TURN}|{_DRAW}|{_COVER})",
    "cover": f"(?:{_COVER})",
    "apply": "(?:apply|use|transfer|add|copy|lay|bring|project|map|spread|cast|impose|bestow)",
    "carrier": f"(?:{_CARRIER})",
    "the": f"(?:{_THE})",
    "a": f"{_BARE}(?:an?|some)",
    "should": "(?:should|must|shall|will|would|could|can|may|has to|have to|needs? to|ought to|to)",
    "look": "(?:(?:look|appear|seem|feel|burn|glow|shine|gleam|glitter|flow)s?|looked)",
    "so it": r"(?:,? ?(?:so(?: that)?|such that|until|and have) (?:it|they|he|she)|to|and)",
    "wear": "(?:wear|have|get|take on|receive|carry)s?",
    "like": "(?:like|as (?:if|though)|as)",
    "made": "(?:painted|drawn|rendered|made|styled|redone|done|shown|depicted|sketched|created)",
    "s": r"(?:['\u2019]s?)?",  # of a possessive
    "colon": r"\s*[:=]\s*",
    "comma": r"\s*[,;|/.]?\s*",
}

FORMS = (
    # Labels and arrows.
    "objects?<colon><object><comma>styles?<colon><style>",
    "styles?<colon><style><comma>(?:objects?|subject|target)<colon><object>",
    r"(?:<verb> )?<object>\s*(?:[-=]+>|\u2192)\s*<style>",
    r"<style>\s*[:,;]\s*(?:apply|put|use) (?:it|this|that) (?:to|on|onto|over|for) <object>",
    # The style first: "In the style of S, paint X".
    "(?:in|with|using|like|as|following|after|based on|by using) <style>, <verb> <object>",
    "in (?:the|an?) <carrier> of <style>,? <verb> (?=<the> )<object>",
    "in (?:the|an?) <carrier> of <style>, <object>",
    "(?:for|on|to|onto) <object>,? (?:<apply>|take|choose|try|pick|put|paint|do|go for) <style>",
    # Looks that are exchanged or given.
    "(?:swap|replace|exchange|trade|change) (?:the )?<carrier> of <object> (?:for|with|by|to|into) "
    "<style>",
    r"(?:swap|replace|exchange|trade|change) <object><s> <carrier> (?:for|with|by|to|into) "
    "<style>",
    "(?:swap|replace|exchange|trade) <object> (?:for|with|by) <style>",
    "(?:give|lend) (?:the|an?) <carrier> of <style> to <object>",
    "(?:give|lend) <name><s> <carrier> to <object>",
    "(?:give|lend) (?:an?|the) <style><s> <carrier> to <object>",
    r"(?:give|lend) <object> (?:the|an?)(?: [\w-]+)? <carrier> of <style>",
    r"(?:<verb> )?<object> (?:<should> )?<wear> (?:the|an?)(?: [\w-]+)? <carrier> of <style>",
    r"(?:give|lend) <object> <name><s> <carrier>",
    "(?:give|lend) <farther object> <the> <style><s> <carrier>",
    "(?:give|lend) <object> <a> <style>",
    "(?:<verb> )?<object> (?:<should> )?<wear> <the> <style><s> <carrier>",
    # Likeness: "Make X look like S".
    "(?:<verb> )?<object> (?:<so it> |<should> )?<look> <like> <style>",
    "(?:<verb> )?<object> (?:<so it> |<should> )?(?:resembles?|mimics?|imitates?) <style>",
    # Becoming: "Turn X into S", "X should be S".
    "<verb> <object> into <style>",
    r"<turn> <object> (?<!\bnext )(?<!\bclose )to <style>",
    "(?:<turn> )?<object> <should> (?:be|turn into|turn to|be turned into) <style>",
    "(?:<turn> )?<object> (?:<should> )?becomes? <style>",
    # Application: "Apply S to X".
    "<apply> <style> (?:to|onto|for) <object>",
    "<apply> <style> (?:on|over|upon|across|in) <object>",
    "<apply> <style>",
    # Manners: "Paint X in the style of S".
    "(?:<verb> )?<object>,? (?:but )?(?:<made> )?(?:in (?:the|an?) <carrier> of|with (?:the|an?) "
    "<carrier> of|[aà] la|as|like|into|using) <style>",
    "(?:<verb> )?<farther object>,? (?:but )?(?:<made> )?in <style><s> <carrier>",
    "(?:<verb> )?<object>,? <made> (?:in|with|by|from|of|out of) <style>",
    "(?:paint|put|draw|lay) <style> (?:over|onto|on|upon|across) <object>",
    "<cover> <object> (?:with|in|by) <style>",
    "<verb> <object>,? in (?!<the> )<style>",
    # "Make X a S", "Make X golden".
    "(?:make|turn|render|paint) <object> <a> <style>",
    "(?:make|turn|colou?r|dye|tint) <the> <object> <word>",
    r"(?:for )?<object>\s*:\s+<style>",
    # An object alone, a style alone.
    r"(?:do|try) something(?: \w+)? (?:with|to|about|for) <object>",
    "<verb> <object>",
    "(?!<the> )<style> (?:on|over|onto|for|across) <object>",
    "(?:in )?(?:the|an?) <carrier> of <style>",
    "(?=<the> )<object>",
)


def _compiled(form: str) -> re.Pattern[str]:
    words = re.sub("<([a-z ]+)>", lambda name: VOCABULARY[name[1]], form)
    return re.compile(r"(?!(?:keep|leave)\b)" + words, re.IGNORECASE)


_FORMS = [_compiled(form) for form in FORMS]

# What surrounds the wish. What is to stay as it is says nothing about object or style.
_LEAD = re.compile(
    r"\A(?:(?:please|kindly|just|only|simply|now|then|and|but|so|let|let['\u2019]s|try to"
    r"|(?:can|could|would|will|do|may) (?:you|we|i)(?: mind| think (?:you|we) (?:can|could))?"
    r"|would it be possible to|(?:how|what) about|why (?:not|don['\u2019]t (?:you|we))"
    r"|(?:i was wondering|it would be \w+|i wonder) if(?: (?:you|we) (?:could|can|would))?"
    r"|(?:i|we) (?:want|need|wish|prefer|would like|would love)(?: you)?(?: to)?"
    r"|(?:i|we)['\u2019]d (?:like|love|prefer)(?: you)?(?: to)?"
    r"|(?:without|while|keep(?:ing)?|leav(?:e|ing)|preserv(?:e|ing))\b[^,;.]*?"
    rf"(?:[,;.]|\b(?:and|but)(?=\s(?:{_TURN}|{_DRAW})\b)))[\s,:]+)+",
    re.IGNORECASE,
)
_TAIL = re.compile(
    r"(?:\s*[,;.:(]\s*|\s+(?=(?:and|but|while|without)\b))"
    r"(?:(?:and|but|while|then)\s+)?(?:please,?\s+)?(?:(?:just|only)\s+)?"
    r"(?:(?:keep|leave|preserve|retain|spare)\b.*|(?:keep|leav|preserv|retain|spar)ing\b.*"
    r"|(?:do not|don['\u2019]t|without|nothing|not|no)\b.*"
    rf"|(?:the )?{REST.pattern}.*\b(?:same|stays?|remains?|unchanged|untouched|alone|is)\b.*)\Z"
    r"|\s+(?:keep|leave) (?:the|everything|all|my) .*\Z"
    r"|[\s,]+(?:please|thanks|thank you|for me|instead|now)\Z"
    r"|\s+is what (?:i|we) (?:want|need|like)\Z",
    re.IGNORECASE,
)

# What carries a name, before and after it.
_MARKS = " \t.,;:!?\"'`\u2018\u2019\u201c\u201d"
_BEFORE = re.compile(
    rf"\A(?:{_THE}|just|only|(?:{_CARRIER}) of|that of|something like|made|of|in|like|as|by|into|to"
    r"|(?:it|they|he|she) (?:is|are|was|were|ha[ds] been|have been)|being|been|be|completely"
    r"|(?:made|done|painted|drawn|rendered|created|sculpted|carved|built) "
    r"(?:out of|of|from|by|with|in|like|as|into))\s+",
    re.IGNORECASE,
)
_AFTER = re.compile(
    rf"(?:['\u2019]s?)?\s(?:(?:{_CARRIER})|(?:ha[ds] |have )?(?:painted|drawn|made|created|done)"
    r" (?:it|them|him|her)|as (?:the|an?) (?:style|reference|texture))\Z",
    re.IGNORECASE,
)
_NO_OBJECT = re.compile(  # the picture as a whole, or no name at all
    f"{WHOLE_PICTURE.pattern}|{DETERMINER.pattern}|{NEVER_LAST.pattern}|them", re.IGNORECASE
)

_GERUND = re.compile(r"(?:try )?([a-z]+?)(.?)ing\b", re.IGNORECASE)
_VERB = re.compile(f"{VOCABULARY['verb']}|{VOCABULARY['apply']}|give|lend", re.IGNORECASE)


def _commanded(text: str) -> str:
    """The text with its first verb in the imperative: "turning X to S" is "turn X to S"."""
    if not (found := _GERUND.match(text)):
        return text
    stem = found[1] + found[2]
    forms = (stem, f"{stem}e", found[1])  # turning, making, putting
    return next((verb + text[found.end() :] for verb in forms if _VERB.fullmatch(verb)), text)


def _without(text: str, *patterns: re.Pattern[str]) -> str:
    """The text once none of the patterns, and no mark at an end, is left to cut off."""
    while True:
        shorter = text.strip(_MARKS)
        for pattern in patterns:
            shorter = pattern.sub("", shorter, count=1)
        if shorter == text:
            return text
        text = shorter


class RulesParser(Parser):
    """Splits an instruction by a grammar of the usual forms; deterministic, in milliseconds."""

    def parse(self, instruction: str) -> list[StyleTarget]:
        """The targets of the first form that fits, one a clause that has one of its own.

        Raises AtelierError for blank or long texts, and for one that no form fits.
        """
        text = checked(instruction)
        targets = targets_by_clause(text, self.split)
        if not targets:
            raise AtelierError(
                f"The rules read neither an object nor a style in the instruction {text!r}; "
                'write it as "Turn the boat to Starry Night".'
            )
        return targets

    def split(self, clause: str, several: bool = False) -> tuple[str, str]:
        """Object and style of the first form that fits, "" for what it does not name.

        several: beside other clauses, in which "the rest" is an object too: BACKGROUND.
        """
        text, blend = take_blend(clause)
        wish = _commanded(_without(text, _LEAD, _TAIL))
        found = next((match for form in _FORMS if (match := form.fullmatch(wish))), None)
        if not found:
            return "", blend
        said = {"object": "", "style": "", **found.groupdict()}
        name, style = (_without(said[field], _BEFORE, _AFTER) for field in ("object", "style"))
        if several and REST.search(said["object"]):
            name = BACKGROUND
        elif _NO_OBJECT.fullmatch(name):
            name = ""
        return name, blend or style
