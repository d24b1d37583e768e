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

_TURN = (
    "turn|transform|convert|change|morph|alter|modify|transmute|transfigure|translate|switch|shift"
)
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
_SUFFIX = "style|like|esque|inspired|themed"  # of a name: "Monet-esque"
_THE = "the|an?|this|that|these|those|my|your|his|her|its|our|their|some"
_MADE = (
    "(?:re-?)?(?:painted|drawn|rendered|made|styled|done|shown|depicted|sketched|created|imagined|"
    "sculpted|carved|built|illustrated|covered)"
)
_PLEASE = "please|pls|plz|thanks|thank you|thx|lol"
# A word that stands where a verb does, "drench the ...", "jazz up the ...", and is nothing else.
_OTHER = (
    "(?!(?:in|on|with|for|like|as|at|by|of|from|to|into|using|and|but|or|is|are|be|was|were|apply|"
    r"use|give|lend|swap|replace|object|style)\b)[a-z][a-z-]+"
)
_PARTICLE = rf"(?: (?:up|out|over|off|down)(?= (?:{_THE})\b))?"
_BARE = r"(?<!\bwith )(?<!\bin )(?<!\bof )(?<!\bon )(?<!\bby )(?<!\bnear )"  # no preposition's "a"

# What the names in <> stand for in FORMS. Both fields take as little as they can, so that the first
# words that can part them do; <farther object> takes as much as it can.
VOCABULARY = {
    "object": "(?P<object>.+?)",
    "farther object": "(?P<object>.+)",
    "style": "(?P<style>.+?)",
    "name": r"(?P<style>(?-i:[A-Z]).*?)",  # a painter's: begins with a capital
    "word": r"(?P<style>(?:[\w-]+ (?:art|glass|painting|drawing|sketch|print)|"
    r"(?:art|deep|dark|light|pale|bright|emerald) [\w-]+|[\w-]+))",
    "few words": r"(?P<style>[\w'\u2019-]+(?: [\w'\u2019-]+){0,3})",
    "turn": f"(?:{_TURN})",
    "draw": f"(?:{_DRAW})",
    "verb": rf"(?:(?:{_TURN}|{_DRAW}|{_COVER}){_PARTICLE}|{_OTHER}{_PARTICLE}(?= (?:{_THE})\b))",
    "cover": rf"(?:(?:{_COVER})|(?!(?:{_TURN}|{_DRAW})\b){_OTHER}{_PARTICLE}(?= (?:{_THE})\b))",
    "apply": "(?:apply|use|transfer|add|copy|lay|bring|project|map|spread|cast|impose|bestow|try|"
    "slap|throw|mimic|emulate|imitate|channel|evoke|go for|take)",
    "carrier": f"(?:{_CARRIER})",
    "the": f"(?:{_THE})",
    "a": f"{_BARE}(?:an?|some)",
    "should": "(?:should|must|shall|will|would|could|can|may|has to|have to|needs? to|ought to|"
    "(?:is|are) to|to)",
    "be": r"(?<!\bwho )(?<!\bthat )(?<!\bwhich )(?:be|is|are|was|were)",
    "look": "(?:(?:look|appear|seem|feel|burn|glow|shine|gleam|glitter|flow)s?|looked|looking)"
    r"(?: (?:better|good|great|nice|more|\w+ly))?",
    "so it": r"(?:,? ?(?:so(?: that)?|such that|until|and have) (?:it|they|he|she)|(?:made )?to|"
    "and)",
    "wear": "(?:wear|have|get|take on|receive|carry|need|want|deserve|could use)s?",
    "like": "(?:(?:like )?(?:as if|as though|as|if)|like)",
    "made": f"(?:{_MADE})",
    "suffix": f"(?:{_SUFFIX})",
    "manner": f"(?:(?:in|with) (?:the|an?) (?:{_CARRIER}) of|[a\u00e0] la|reminiscent of|"
    "inspired by|based on|similar to|resembling|to match|(?:in )?the way|into|using|"
    "(?:like )?(?:as if|as though|as)|like)",
    "object label": "(?:objects?|subject|target)",
    "s": r"(?:['\u2019]s?)?",  # of a possessive
    "colon": r"\s*[:=]\s*",
    "comma": r"\s*[,;|/.]?\s*",
}

FORMS = (
    # Labels and arrows.
    "<object label><colon><object>(?:<comma>styles?<colon><style>)?",
    "styles?<colon><style><comma><object label><colon><object>",
    r"(?:<verb> )?<object>\s*(?:[-=]+>|\u2192)\s*<style>",
    r"(?:<apply> )?<style>(?:\s*[:,;]| and)\s*(?:apply|put|use) (?:it|this|that) "
    "(?:to|on|onto|over|for) <object>",
    r"(?:take )?<object>(?:,| and|:| [-\u2013\u2014]+) <verb> (?:it|them|him|her) <style>",
    # The style first: "In the style of S, paint X".
    "(?:in|with|use|<like>|following|after|based on|inspired by|by using) <style>, <verb> <object>",
    r"(?:in|with|<like>) <style>:\s*<object>",
    "in (?:the|an?) <carrier> of <style>,? <verb> (?=<the> )<object>",
    "in (?:the|an?) <carrier> of <style>, <object>",
    "(?:for|on|to|onto) <object>,? (?:<apply>|choose|pick|put|paint|do|"
    "i want|i need|i(?:['\u2019]d| would) (?:like|prefer)) <style>",
    # Looks that are exchanged or given.
    "(?:swap|replace|exchange|trade|change) (?:the )?<carrier> of <object> (?:for|with|by|to|into) "
    "<style>",
    r"(?:swap|replace|exchange|trade|change) <object><s> <carrier> (?:for|with|by|to|into) "
    "<style>",
    "(?:swap|replace|exchange|trade)(?: out)? <object> (?:for|with|by) <style>",
    "(?:give|lend) (?:the|an?) <carrier> of <style> to <object>",
    "(?:give|lend) <name><s> <carrier> to <object>",
    "(?:give|lend) (?:an?|the) <style><s> <carrier> to <object>",
    r"(?:give|lend) <object> (?:the|an?)(?: [\w-]+)? <carrier> of <style>",
    r"(?:<verb> )?<object> (?:<should> )?<wear> (?:the|an?)(?: [\w-]+)? <carrier> of <style>",
    r"(?:give|lend) <object> (?:<the> )?<name><s> <carrier>",
    "(?:give|lend) <farther object> <the> <style><s> <carrier>",
    "(?:give|lend) <object> <a> <style>",
    "(?:<verb> )?<object> (?:<should> )?<wear> <the> <style><s> <carrier>",
    # Likeness: "Make X look like S".
    "(?:<verb> )?<object> (?:<so it> |<should> )?<look> (?:<like> |(?=<made> ))<style>",
    r"<object> <should> \w+ <like> <style>",
    "(?:<verb> )?<object> (?:<so it> |<should> )?(?:resembles?|mimics?|imitates?) <style>",
    # Becoming: "Turn X into S", "X should be S".
    "(?:<verb> )?<object> (?:<should> )?(?:be )?(?:turned|transformed|converted|changed) "
    "(?:in)?to <style>",
    "<verb> <object> in ?to <style>",
    r"<turn> <object> (?<!\bnext )(?<!\bclose )to <style>",
    "(?:<turn> )?<object>,? (?:which )?<should> (?:be|turn into|turn to|be turned into) <style>",
    "(?:<turn> )?<object> (?:<should> )?(?:becomes?|needs?|deserves?|could use) <style>",
    # Application: "Apply S to X".
    r"(?:(?:do|try) )?something(?: \w+)? (?:with|to|about|for|on) <object>",
    "<apply> <style> (?:to|onto|for) <object>",
    "<apply> <style> (?:on|over|upon|across|in) <object>",
    "<apply> <style>",
    # Manners: "Paint X in the style of S".
    "(?:<verb> )?<object>,? (?:but )?(?:<made> )?<manner> <style>",
    "(?:<verb> )?<farther object>,? (?:but )?(?:<made> )?in <style><s> <carrier>",
    "(?:<verb> )?<object>,? (?:<be> )?<made> (?:in|with|by|from|of|out of) <style>",
    "(?:<verb> )?<object> (?:<should> )?(?:<look> in|<be>) <style>",
    "<style> (?:version|take|rendition|interpretation|rendering) (?:of|on) <object>",
    "(?!<the> <carrier> )<style> (?:look|feel|finish|treatment|effect) (?:for|on|over) <object>",
    "have <name> <draw> <object>",
    "(?:paint|put|draw|lay) <style> (?:over|onto|on|upon|across) <object>",
    "<cover> <object> (?:with|in|by|from|out of) <style>",
    "(?:make|create) an? <style> out of (?=<the> )<object>",
    "(?:make|do|create) <object> out of <style>",
    "(?:<verb> )?<object>,? in (?!<the> )<style>",
    # "Make X a S", "Make X golden".
    "(?:<verb> )?<the> <object>,? <word>-<suffix>",
    "(?:make|turn|render|paint) <object> <a> <style>",
    "(?:make|turn|colou?r|dye|tint) <the> <object> <word>",
    r"(?:for )?<object>\s*:\s+<style>",
    # An object alone, a style alone.
    "(?:(?:get|have|see|draw|paint|create|do|<cover>) )?an? <style> of (?=<the> )<object>",
    "<verb> <object>",
    "(?!<the> )<style>,? (?:applied to|on|over|onto|for|across) <object>",
    "<style>(?:-<suffix>|[ -](?:styled?|inspired|themed)) <object>",
    "(?:in )?(?:the|an?) <carrier> of <style>",
    "(?:in )?<style> (?:style|look)",
    "(?:more )?<like> <style>",
    r"<object>\s*\(<style>\)",
    r"<object>(?:\s*[+/|>.,;]| but| [-\u2013\u2014]) <few words>",
    "(?=<the> )<object>",
)


def _compiled(form: str) -> re.Pattern[str]:
    words = re.sub("<([a-z ]+)>", lambda name: VOCABULARY[name[1]], form)
    return re.compile(r"(?!(?:keep|leave)\b)" + words, re.IGNORECASE)


_FORMS = [_compiled(form) for form in FORMS]

# What surrounds the wish. What is to stay as it is says nothing about object or style.
_LEAD = re.compile(
    rf"\A(?:(?:{_PLEASE}|kindly|just|only|simply|now|then|and|but|so|let|let['\u2019]s|try to"
    r"|hey|hi|hello|ok|okay|well|more(?= like\b)|(?:give|show|get|draw|paint|make) (?:me|us)"
    # Questions: "could you", "would you be so kind as to", "is there a way to", "what if".
    r"|(?:can|could|would|will|do|may) (?:you|u|we|i)(?: be (?:so )?\w+ (?:as|enough) to"
    r"| think (?:you|we) (?:can|could))?|(?:do you )?mind"
    r"|(?:see|show|know) (?:what|how)|(?:is|would) it (?:be )?\w+ (?:to|if)"
    r"|(?:is there )?an?y? (?:chance|way)(?: of| to| that)?|what if|why (?:not|don['\u2019]t)"
    rf"|(?:how|what) (?:about|would|could)|(?:can|could|would|should|may|might) (?=(?:{_THE})\b)"
    # Wishes: "I was wondering if you could", "we'd love to", "it would be nice to".
    r"|(?:(?:i|we)(?:['\u2019]m| am| was|['\u2019]re| are| were) )?(?:hop|look|think|wonder|wish)"
    r"ing(?: for| of| if| that)?(?: (?:you|we) (?:can|could|would))?"
    r"|(?:(?:i|we)(?:['\u2019](?:d|ll))?|would(?= love| like))(?: (?:would|will|really|just|want"
    r"|wanna|need|wish|wonder|think|hope|prefer|like|love|you|to|if|that|for|could|can))+"
    r"|my \w+ (?:is|would be)(?: for| to)?|it(?:['\u2019]d| would) be \w+ (?:if|to)"
    # What stays: "keep the sky and", "leave everything except".
    r"|(?:keep|leave|change|everything|nothing)\b[^,;.]*?\b(?:except(?: for| that)?|other than)"
    r"|nothing but"
    r"|(?:without|while|keep(?:ing)?|leav(?:e|ing)|preserv(?:e|ing)|do not|don['\u2019]t)\b[^,;.]*?"
    rf"(?:[,;.]|\b(?:and|but)(?=\s(?:{_TURN}|{_DRAW})\b)))[\s,:!.]+)+",
    re.IGNORECASE,
)
_TAIL = re.compile(
    r"(?:\s*[,;.:(]\s*|\s+(?=(?:and|but|while|without|w/o)\b))"
    r"(?:(?:and|but|while|then)\s+)?(?:please,?\s+)?(?:(?:just|only)\s+)?"
    r"(?:(?:keep|leave|preserve|retain|spare)\b.*|(?:keep|leav|preserv|retain|spar)ing\b.*"
    r"|(?:do not|don['\u2019]t|without|w/o|nothing|not|no)\b.*"
    rf"|(?:the )?{REST.pattern}.*\b(?:same|stays?|remains?|unchanged|untouched|alone|is)\b.*)\Z"
    r"|\s+(?:keep|leave) (?:the|everything|all|my) .*\Z"
    rf"|[\s,.!?]+(?:{_PLEASE}|for me|instead|now)\Z"
    r"|\s+is what (?:i|we) (?:want|need|like)\Z",
    re.IGNORECASE,
)

# What is said in the midst of it: "please", "(not the table)", "and nothing else".
_ASIDE = re.compile(
    r",?\s*\b(?:please|pls|plz)\b(?=\W)|\s*\((?:not|keep|leave|without)\b[^)]*\)"
    r"|,\s*not [^,]*,|,?\s*(?:and|but) nothing else(?=\s)",
    re.IGNORECASE,
)

# What carries a name, before and after it.
_MARKS = " \t.,;:!?\"'`\u2018\u2019\u201c\u201d"
_BEFORE = re.compile(
    rf"\A(?:{_THE}|just|only|(?:{_CARRIER}) of|that of|something (?:like|resembling|out of|from)"
    r"|(?:it|they|he|she) (?:is|are|was|were|ha[ds] been|have been)|being|been|be|completely"
    r"|looks?(?= (?:like|as)\b)|if(?= (?:it|they|he|she)\b)"
    rf"|(?:{_MADE}|\w+ed) (?:out of|of|from|by|with|in|like|as|into)|made|of|in|like|as|by|into|to)"
    r"\s+",
    re.IGNORECASE,
)
_AFTER = re.compile(
    rf"(?:['\u2019]s?)?\s(?:(?:{_CARRIER})|(?:ha[ds] |have )?(?:painted|drawn|made|created|done)"
    r" (?:it|them|him|her)|as (?:the|an?) (?:style|reference|texture)|did|would)\Z"
    rf"|-(?:{_SUFFIX})\Z",
    re.IGNORECASE,
)
_NO_OBJECT = re.compile(  # the picture as a whole, or no name at all
    f"{WHOLE_PICTURE.pattern}|{DETERMINER.pattern}|{NEVER_LAST.pattern}|them", re.IGNORECASE
)

_GERUND = re.compile(r"(?:try )?([a-z]+?)(.?)ing\b", re.IGNORECASE)
_VERB = re.compile(
    f"{_TURN}|{_DRAW}|{_COVER}|{VOCABULARY['apply']}|give|lend|swap|replace", re.IGNORECASE
)


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
        text = _ASIDE.sub("", re.sub(r"\s*,\s*", ", ", text))
        wish = _commanded(_without(text, _LEAD, _TAIL))
        found = next((match for form in _FORMS if (match := form.fullmatch(wish))), None)
        if not found:
            return "", blend
        said = {"object": "", "style": "", **found.groupdict("")}
        name, style = (_without(said[field], _BEFORE, _AFTER) for field in ("object", "style"))
        if several and REST.search(said["object"]):
            name = BACKGROUND
        elif _NO_OBJECT.fullmatch(name):
            name = ""
        return name, blend or style
