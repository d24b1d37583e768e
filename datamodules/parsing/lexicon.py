"""Words of the grammar, as alternatives in regular expressions."""

TURN = (
    "turn|transform|convert|change|morph|alter|modify|transmute|transfigure|translate|switch|shift"
)
DRAW = (
    "(?:re-?)?(?:paint|draw|render|do|make|imagine|create|style|work|design|colou?r|touch)|"
    "(?:re-?)?styli[sz]e|sketch|show(?: me)?|depict|picture|portray|present|edit|put|set|have|get|"
    "see"
)
COVER = "cover|coat|wrap|fill|dress|decorate|drape|clothe|paint over|overlay"
CARRIER = (
    "styles?|looks?|manner|appearance|textures?|effects?|aesthetics?|feel(?:ing)?|vibes?|"
    "themes?|colou?rs?|filter|fashion|technique|touch|spirit|finish|treatment|design|mood|makeover"
)
SUFFIX = "style|like|esque|inspired|themed"  # of a name: "Monet-esque"
THE = "the|an?|this|that|these|those|my|your|his|her|its|our|their|some|teh"
MADE = (
    "(?:re-?)?(?:painted|drawn|rendered|made|styled|done(?: up)?|shown|depicted|sketched|created|"
    "imagined|sculpted|carved|built|illustrated|designed|covered)"
)
PLEASE = "please|pls|plz|thanks|thank you|many thanks|thx|cheers|ta|lol|haha"
SHADE = (
    "art|deep|dark|light|pale|bright|vivid|hot|neon|electric|pastel|royal|navy|sky|midnight|"
    "emerald|lime|olive|forest|burnt|blood|cherry"
)
COLOUR = (
    "red|orange|yellow|green|blue|purple|violet|pink|brown|black|white|gr[ae]y|turquoise|teal|cyan|"
    "magenta|crimson|scarlet|maroon|indigo|lavender|beige|sepia|gold(?:en)?|silver"
)
FINISH = (
    "pure|solid|raw|clear|old|shiny|glossy|matte|rusty|liquid|wrought|cast|corrugated|stainless|"
    r"\w+(?:ed|en)"  # brushed, molten
)
MATERIAL = (
    "metal|steel|iron|copper|brass|bronze|gold|silver|chrome|tin|alumini?um|glass|crystal|ice|"
    "stone|marble|granite|concrete|clay|porcelain|wood|oak|bamboo|paper|cardboard|leather|velvet|"
    "silk|wool|denim|chocolate|plastic|rubber|wax"
)
GOOD = (
    "better|best|good|great|nice|cool|amazing|awesome|fantastic|perfect|stunning|lovely|beautiful"
)
APPLY = (
    "apply|use|transfer|add|copy|lay|bring|project|map|spread|cast|impose|bestow|try|slap|throw|"
    "go with|opt for|mimic|emulate|imitate|channel|evoke|go for|take"
)
