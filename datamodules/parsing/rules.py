"""A parser that is a grammar of regular expressions: no model, no waiting, no surprises.

It is the baseline for language models, and the fallback if no model can be reached.

1. Small talk around the request is cut off: "could you please", "but keep the rest".
2. The forms in FORMS, then those in LOOSE_FORMS, are tried in their order; the first that fits the
   whole text gives object and style. The order resolves ambiguity: an unmistakable form ("X -> S")
   comes before one whose words could also be part of a name ("X in S").
3. Words that only introduce a name are cut off both: determiners, "the style of S", "S look".
"""

from __future__ import annotations

import re

from datamodules.parsing.base import Parser, check_instruction
from datamodules.parsing.clauses import Reading, targets_by_clause
from datamodules.parsing.lexicon import (
    APPLY,
    CARRIER,
    COLOUR,
    COVER,
    DRAW,
    FINISH,
    GOOD,
    MADE,
    MATERIAL,
    SHADE,
    SUFFIX,
    THE,
    TURN,
)
from datamodules.parsing.small_talk import without, without_small_talk
from datamodules.parsing.spans import DETERMINER, NEVER_LAST, WHOLE_PICTURE
from datamodules.support.errors import AtelierError
from datamodules.task import StyleTarget

# A word in a verb's place that can only be a verb: "drench the ...", "jazz up the ...".
_OTHER = (
    "(?!(?:in|on|with|for|like|as|at|by|of|from|to|into|using|and|but|or|is|are|be|was|were|apply|"
    r"use|give|lend|swap|replace|object|style)\b)[a-z][a-z-]+"
)
_PARTICLE = rf"(?: (?:up|out|over|off|down)(?= (?:{THE})\b))?"
_BARE = r"(?<!\bwith )(?<!\bin )(?<!\bof )(?<!\bon )(?<!\bby )(?<!\bnear )"  # no preposition's "a"

# The patterns behind the names in <> in FORMS. Object and style match as little as possible, so
# that the first words that can separate them do; <farther object> matches as much as possible.
VOCABULARY = {
    "object": "(?P<object>.+?)",
    "farther object": "(?P<object>.+)",
    "plain object": "(?P<object>(?-i:[^A-Z]+?))",
    "thing": r"(?P<object>(?!(?:in|on|for|as|of|by|to|with|style|look)\b)(?-i:[a-z])[^,]*)",
    "style": "(?P<style>.+?)",
    "name": r"(?P<style>(?-i:[A-Z]).*?)",  # a painter's: begins with a capital
    "word": rf"(?P<style>(?:[\w-]+ (?:art|glass|painting|drawing|sketch|print)|(?:{SHADE}) [\w-]+|"
    rf"(?:{FINISH}) (?:{MATERIAL})|[\w-]+))",
    "colour": rf"(?P<style>(?:(?:{SHADE}) )?(?:{COLOUR}))",
    "few words": r"(?P<style>[\w'\u2019-]+(?: [\w'\u2019-]+){0,3})",
    "turn": f"(?:{TURN})",
    "draw": f"(?:{DRAW})",
    "verb": rf"(?:(?:{TURN}|{DRAW}|{COVER}){_PARTICLE}|{_OTHER}{_PARTICLE}(?= (?:{THE})\b))",
    "cover": rf"(?:(?:{COVER}){_PARTICLE}|(?!(?:{TURN}|{DRAW})\b){_OTHER}{_PARTICLE}(?= "
    rf"(?:{THE})\b))",
    "apply": f"(?:{APPLY})",
    "carrier": f"(?:{CARRIER})",
    "the": f"(?:{THE})",
    "a": f"{_BARE}(?:an?|some)",
    "should": "(?:should|must|shall|will|would|could|can|may|has to|have to|needs? to|ought to|"
    "(?:is|are) to|to)",
    "be": r"(?<!\bwho )(?<!\bthat )(?<!\bwhich )(?:be|is|are|was|were)",
    "look": "(?:(?:look|appear|seem|feel|burn|glow|shine|gleam|glitter|flow)s?|looked|looking|be)"
    rf"(?: to be| (?:so |really )?(?:{GOOD}|more|\w+ly)\b)?(?<!\bbe)",
    "other": _OTHER,
    "so it": r"(?:,? ?(?:so(?: that)?|such that|until|and have) (?:it|they|he|she)|(?:(?:be "
    r")?made )?to|and)",
    "wear": "(?:(?:wear|have|get|take on|receive|carry|need|want|deserve)s?|could (?:use|do with))",
    "like": "(?:(?:like )?(?:as if|as though|as|if)|like)",
    "made": f"(?:{MADE})",
    "suffix": f"(?:{SUFFIX})",
    "manner": f"(?:(?:in|with) (?:the|an?) (?:{CARRIER}) of|[a\u00e0] la|reminiscent of|"
    "inspired by|based on|similar to|resembling|to match|(?:in )?the way|into|using|after(?= "
    "(?-i:[A-Z]))|"
    "(?:seen )?through the (?:eyes|lens) of|as (?:seen|imagined|envisioned) by|in homage to|"
    "(?:like )?(?:as if|as though|as)|like)",
    "object label": "(?:objects?|subject|target|what)",
    "style label": "(?:(?:target )?styles?|look|how)",
    "s": r"(?:['\u2019]s?)?",  # of a possessive
    "colon": r"['\"]?\s*[:=]\s*['\"]?",
    "on": "(?:(?:all )?(?:over|across)|onto|on|upon|to|in|into|for)",
    "it": "(?:it|them|him|her|that|there)",
    "suits": r"(?:(?:would|will|should|could|might) )?(?:suits?|fits?|flatters?|(?:looks?|works?|"
    r"goes|go|be|is)(?: \w+){0,2} (?:on|for|with))",
    "capital": r"(?P<style>(?-i:[A-Z])[\w-]+)",
    "names": r"(?P<style>(?-i:[A-Z][\w.-]+(?: (?:(?:van|von|de|da|der|la) )*[A-Z][\w.-]+)+))",
    "comma": r"\s*[,;|/.]?\s*",
}

FORMS = (
    # Labels and arrows.
    "<object label><colon><object>(?:<comma><style label><colon><style>)?",
    "<style label><colon><style><comma><object label><colon><object>",
    r"(?:<verb>:? )?<object>\s*(?:[-=]+>|\u2192)\s*<style>",
    r"(?:<apply> )?<style>(?:\s*[:,;]| and)\s*(?:apply|put|use) (?:it|this|that) "
    "(?:to|on|onto|over|for) <object>",
    "<object> <should> [^,;.]+[,;.] <apply> <style> <on> <it>",
    r"(?:take )?<object>(?:,|,? and|,? but|:| [-\u2013\u2014]+) <verb> (?:it|them|him|her) <style>",
    # The style first: "In the style of S, paint X".
    "(?:in|with|use|<like>|following|after|based on|inspired by|by using) <style>, <verb> <object>",
    "<draw>, (?:<manner>|in|with) <style>, (?=<the> )<object>",
    r"(?:in|with|<like>) <style>:\s*<object>",
    "in (?:the|an?) <carrier> of <style>,? <verb> (?=<the> )<object>",
    "in (?:the|an?) <carrier> of <style>, <object>",
    "(?:for|on|to|onto) <object>,? (?:<apply>|choose|pick|put|paint|do|"
    "i want|i need|i was thinking(?: of)?|i(?:['\u2019]d| would) (?:like|prefer)) <style>",
    # Looks exchanged or given.
    "(?:swap|replace|exchange|trade|change) (?:the )?<carrier> of <object> (?:for|with|by|to|into) "
    "<style>",
    r"(?:swap|replace|exchange|trade|change|set|switch) <object><s> <carrier> (?:for|with|by|to|"
    r"into) <style>",
    "(?:swap|replace|exchange|trade)(?: out)? <object> (?:for|with|by) <style>",
    "(?:<apply> |<draw> )?<style> (?:in place|instead) of <object>",
    "(?:in place|instead) of <object>,? (?:<apply> |<draw> )?<style>",
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
    "(?:<verb> )?<object> (?:<should> )?(?:be )?(?:turn(?:ed|s)?|transformed|converted|changed) "
    "(?:in)?to <style>",
    "<verb> <object> in ?to <style>",
    r"<turn> <object> (?<!\bnext )(?<!\bclose )to <style>",
    "<style> <should> be (?:applied|used|put|mapped|transferred) (?:to|on|onto|for|over) <object>",
    "(?:<turn> )?<object>,? (?:which )?<should> (?:be|turn into|turn to|be turned into) <style>",
    r"(?:<turn> )?<object> (?:<should> )?(?:becomes?|needs?|deserves?|gets?|wants?(?= (?:some|"
    r"an?)\b)|could (?:use|do with)) <style>",
    # Application: "Apply S to X".
    r"(?:(?:do|try) )?something(?: \w+)? (?:with|to|about|for|on) <object>",
    "(?:<apply> )?<style> as (?:the |an? )?<carrier> (?:to|onto|for|of|on) <object>",
    "<apply> <style> (?:to|onto|for) <object>",
    "<apply> <style> (?:(?:all )?(?:over|across)|on|upon|in) <object>",
    "<other> (?:some|an? (?:bit|touch|layer|coat|dash|splash|hint|lot) of) <style> <on> "
    "(?=<the> )<object>",
    "<other> (?!all )<style> (?:all )?(?:over|onto|across) (?=<the> )<object>",
    "<style><s>(?: <carrier>)? <suits> (?=<the> )<object>",
    "<style> is what <object> <should> (?:be|become|get|look like|turn into|be turned into)",
    "<apply> <style>",
    # Manners: "Paint X in the style of S".
    "(?:<verb> )?<object>,? (?:but )?(?:<made> )?<manner> <style>",
    "(?:<verb> )?<farther object>,? (?:but )?(?:<made> )?in <style><s> <carrier>",
    "(?:<verb> )?<object>,? (?:<be> )?<made> (?:in|with|by|from|of|out of) <style>",
    "(?:<verb> )?<object> (?:<should> )?(?:<look> in|<be>) <style>",
    "<style> (?:version|take|rendition|interpretation|rendering) (?:of|on) <object>",
    "(?!<the> <carrier> )<style> <carrier> (?:for|on|over) <object>",
    "(?:have|if|pretend|imagine|suppose)(?: that)? <name> (?:ha[ds] )?(?:<draw>|<made>) (?=<the> "
    ")<object>",
    "(?:paint|put|draw|lay) <style> (?:(?:all )?(?:over|across)|onto|on|upon) <object>",
    "<cover> <object> (?:with|in|by|from|out of) <style>",
    "(?:make|create) an? <style> out of (?=<the> )<object>",
    "(?:make|do|create) <object> out of <style>",
)
# Forms that many other texts fit as well: their reading is a guess.
LOOSE_FORMS = (
    "(?:<verb> )?<object>,? in (?!<the> )<style>",
    # "Make X a S", "Make X golden".
    "(?:<verb> )?<the> <object>,? <word>-<suffix>",
    "(?:make|turn|render|paint) <object> <a> <style>",
    "(?:make|turn|colou?r|dye|tint) <the> <object> <word>",
    "<verb> <the> <object> <colour>",
    "<verb> <the> <plain object> <name>",
    "an? <names> <thing>",
    r"(?:for )?<object>\s*:\s+<style>",
    # An object alone, a style alone.
    "(?:(?:get|have|see|draw|paint|create|do|make|<cover>) )?an? <style> of (?=<the> )<object>",
    "(?:<verb> )?<object>, (?!in )<style> <carrier>",
    "<verb> <object>",
    "<names> <thing>",
    "(?!<the> )<style>,? (?:applied to|on|over|onto|for|across) <object>",
    "<style>(?:-<suffix>|[ -](?:styled?|inspired|themed)) <object>",
    "(?:in )?(?:the|an?) <carrier> of <style>",
    "(?:in )?<style> (?:style|look)",
    "(?:more )?<like> <style>",
    r"<object>\s*\(<style>\)",
    r"<object>(?:\s*[+/|>.,;]| but| [-\u2013\u2014]) <few words>",
    "(?:an? )?<capital> <thing>",
    "(?!<the> )<few words>[.,:;] (?=<the> )<object>",
    "(?=<the> )<object>",
)


def _compiled(form: str) -> re.Pattern[str]:
    words = re.sub("<([a-z ]+)>", lambda name: VOCABULARY[name[1]], form)
    return re.compile(r"(?!(?:keep|leave)\b)" + words, re.IGNORECASE)


_FORMS = [_compiled(form) for form in (*FORMS, *LOOSE_FORMS)]

# Words that introduce a name, before and after it.
_BEFORE = re.compile(
    rf"\A(?:{THE}|just|only|(?:{CARRIER}) of|that of|something (?:like|resembling|out of|from)"
    r"|(?:it|they|he|she) (?:is|are|was|were|ha[ds] been|have been)|being|been|be|completely"
    r"|looks?(?= (?:like|as)\b)|if(?= (?:it|they|he|she)\b)"
    rf"|(?:{MADE}|\w+ed) (?:out of|of|from|by|with|in|like|as|into)|made|of|in|like|as|by|into|to)"
    r"\s+",
    re.IGNORECASE,
)
_AFTER = re.compile(
    rf"(?:['\u2019]s?)?\s(?:(?:{CARRIER})|(?:ha[ds] |have )?(?:{MADE})"
    r" (?:it|them|him|her)|as (?:the|an?) (?:style|reference|texture)|did|would|(?:sees?|paints?|"
    r"imagines?) (?:it|them))\Z|[\s,]+(?:only|alone|itself|but|all|over|there|please|which|be)\Z"
    rf"|-(?:{SUFFIX})\Z",
    re.IGNORECASE,
)
_NO_OBJECT = re.compile(  # the whole picture, or no name at all
    f"{WHOLE_PICTURE.pattern}|{DETERMINER.pattern}|{NEVER_LAST.pattern}|them", re.IGNORECASE
)
_NO_NAME = re.compile(  # remains of another sentence
    r"[?!;]|\w{3}\. |\b(?:i|you|we|me|us|it)\b(?! all|$)|\b(?:i|you|we|it)['\u2019]"
    r"|\b(?:of|in|on|at|by|with|from|near|for|and|the|an?)\Z"
    r"|\A(?:how|what|which|is|does|turn|make|restyle|give)\b",
    re.IGNORECASE,
)


class RulesParser(Parser):
    """Splits an instruction by a grammar of the usual forms; deterministic, in milliseconds."""

    def parse(self, instruction: str) -> list[StyleTarget]:
        """The targets by the first form that fits, clause by clause if each has one of its own.

        Raises AtelierError for blank or long texts, and for one that no form fits.
        """
        text = check_instruction(instruction)
        targets = targets_by_clause(text, self.reading)
        if not targets:
            raise AtelierError(
                f"The rules read neither an object nor a style in the instruction {text!r}; "
                'write it as "Turn the boat to Starry Night".'
            )
        return targets

    def reading(self, text: str) -> Reading:
        """The reading of the first form that fits a clause; an empty one if none does."""
        request = without_small_talk(text)
        for number, form in enumerate(_FORMS):
            if not (match := form.fullmatch(request)):
                continue
            fields = {"object": "", "style": "", **match.groupdict("")}
            name, style = (without(fields[key], _BEFORE, _AFTER) for key in ("object", "style"))
            if _NO_NAME.search(name) or _NO_NAME.search(style) or DETERMINER.fullmatch(style):
                continue
            if _NO_OBJECT.fullmatch(name):
                name = ""
            return Reading(name, style, fields["object"], number < len(FORMS))
        return Reading()
