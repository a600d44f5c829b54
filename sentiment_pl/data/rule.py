"""The rule by which texts are split into words, as plain data; this is the only place it is in.

A rule is a list of steps that change a text, and the pattern of a word in the result; `splitting`
applies it. Checkpoints hold it beside the vocabulary, so that a model reads every text by the rule
that it was trained with, whatever later versions have here. Its digest is part of the name of
cached reviews: after an edit of the rule they are encoded again.

What is a word:

- letters and digits of any script with their marks, and apostrophes or hyphens inside ("don't",
  "well-made"). A mark never begins a word.
- numbers with points or commas inside ("3.5", "1,000"), and ratings ("7/10", "4.5/5", "-1/10").
- runs of ! and ?, an ellipsis, runs of stars ("***", "★★★☆☆", "★★★½"), dots and squares.
- an emoji or another pictorial symbol ("♥", "✓", "↓"), sequences whole: families, skin tones,
  flags, keycaps. Variation selectors are removed, so that the two forms of ❤ are one word.
- emoticons (":)", ":'(", ":d", "<3", "^_^"); those whose sign could be part of something else, as
  in "http://", "10:30" or "page:3", only where they stand by themselves.

Not words: other punctuation, currency and mathematical signs, ©, ®, ™, °, box drawing.
"""

from typing import Any, Literal, TypeAlias, get_args

Words: TypeAlias = Literal["unicode", "characters"]
"""How scripts written without spaces are split: like all others, or into graphemes."""

WORDS: tuple[Words, ...] = get_args(Words)

_TAGS = (
    "a abbr address article aside b big blockquote body br button center cite code dd del dfn div"
    " dl dt em embed figcaption figure font footer form h1 h2 h3 h4 h5 h6 head header hr html i"
    " iframe img input ins kbd label li link main mark meta nav object ol option p param pre q s"
    " script section select small source span strike strong style sub sup svg table tbody td"
    " textarea tfoot th thead title tr tt u ul var video wbr"
).replace(" ", "|")
# Only tags of HTML: other angle brackets enclose text, as in "<user>" and "x<y>z". So do those
# around words that are not attributes, and those in "a<b>c".
_TAG = (
    r"<(?!(?<=(?<![\p{L}\p{N}])[\p{L}\p{N}]<)[abipqsu]>[\p{L}\p{N}])"
    rf"\\?/?(?:{_TAGS})(?:\s[^<>=]*=[^<>]*|\s*/?\s*)>"
    r"|<(?:!(?:--|doctype)|\?xml)[^<>]*>"
)

# Entities need their semicolon ("rock&not pop" has no entity), except numbers and the commonest.
_ENTITY = (
    r"&(?:#[0-9]+;?|#[xX][0-9a-fA-F]+;?|[a-zA-Z][a-zA-Z0-9]*;"
    r"|(?:amp|apos|gt|lt|nbsp|quot)(?![a-zA-Z0-9]))"
)

STEPS: list[list[str]] = [
    ["replace", "&(?:(?:amp|AMP|#38|#x26);)+", "&"],  # escaped more than once
    ["unescape", _ENTITY],
    ["replace", r"(?<!\\)\\+[nrt]", " "],  # a line break written as two characters
    ["replace", r"(?<!\\)\\+(?=[\"'])", ""],
    # Invisible: variation selectors, soft hyphens, joiners of words, directions.
    ["replace", r"[\p{Variation_Selector}\u00ad\u2060\ufeff\p{Bidi_Control}]+", ""],
    ["replace", "[©®™℠]", " "],  # NFKC turns the last two into letters
    ["replace", r"½(?<=\p{N}½)", ".5"],
    ["replace", r"¼(?<=\p{N}¼)", ".25"],
    ["replace", r"¾(?<=\p{N}¾)", ".75"],
    ["replace", "[`´]", "'"],  # before NFKC, which turns the second into a space and an accent
    ["normalize", "NFKC"],
    ["replace", "[‘’‛ʼ′]", "'"],
    ["replace", "[\u2010\u2011]", "-"],
    ["replace", "\u2044", "/"],  # of ½, which NFKC has turned into 1/2
    ["replace", "؟", "?"],
    ["lower"],
    ["replace", _TAG, " "],
    ["replace", r"\.{4,}", "..."],
    ["replace", "__+", "_"],  # in faces: -__-
    ["replace", r"([:;=])(?<![\p{L}\p{N}:].)('?-?)([dp])\3+(?![\p{L}\p{N}])", r"\1\2\3"],  # :ddd
    ["replace", r"(?<=</?3)3+(?![\p{L}\p{N}])", ""],  # <333
    ["replace", "([0-9#*]\u20e3)", r" \1 "],  # keycaps
]

_NUMBER = r"\p{N}++(?:[.,\u066b\u066c]\p{N}++)*+"
_RATING = rf"{_NUMBER}(?:/{_NUMBER})++"
_PART = r"[\p{L}\p{N}][\p{L}\p{N}\p{M}]*+"
_JOINT = (
    rf"(?:['\u00b7]|[\u200c\u200d]+|-(?!{_NUMBER}/\p{{N}})"
    r"|[.,\u066b\u066c](?<=\p{N}.)(?=\p{N}))"
)
_PICTURE = (
    "[\\p{Extended_Pictographic}\u2190-\u21ff\u25a0-\u2767\u2794-\u27bf\u2b00-\u2bff]"
    r"\p{Emoji_Modifier}?"
)

# Every alternative begins with a fixed first character, so that most fail at once. What must not
# precede that character is therefore checked by a look-behind after it.
_OTHERS = [
    "[#*]\u20e3",
    # Faces that begin like a word.
    r"[0noqtux](?=_)(?<![\p{L}\p{N}_].)(?:(?<=[0o])_[0o]|(?<=n)_n|(?<=q)_q|(?<=t)_t|(?<=u)_u"
    r"|(?<=x)_x)(?![\p{L}\p{N}_])",
    r"8(?=-\))(?<![\p{L}\p{N}].)-\)",
    _RATING,
    rf"{_PART}(?:{_JOINT}{_PART})*+",
    "[!?]+",
    rf"-(?<![^\s(].){_RATING}",
    rf"\.(?<![^\s(].)\p{{N}}++(?:/{_NUMBER})*+",
    r"\.{3}",
    r"\*(?<![\p{L}\p{N}_].)_\*(?![\p{L}\p{N}_])",
    r"\*+(?:1/2(?![\p{N}/]))?",
    # Smiles may directly follow a word; frowns must not be mistaken for an opening bracket.
    r"[:;](?:'-?|[,\-~^])?\)",
    r"[:;](?:'-?|[,\-~^])\(",
    r"[:;]\((?![\p{L}\p{N}])",
    r"[:;]'-?[dp](?![\p{L}\p{N}])",
    r">[:;]-?[()dop](?![\p{L}\p{N}])",
    r"=(?<![=!<>].)'?-?\)",
    r"=(?<![\p{L}\p{N}=!<>)\]].)'?-?\((?!\S)",
    r"[:=](?<!\S.)-?[\[\]{}<>](?![^\s.,!?])",
    r":(?<![\p{L}\p{N}:#].)-?[dp](?![\p{L}\p{N}_/])",
    r":(?<![\p{L}\p{N}:#(\[{].)-?[bosxc3$@](?![\p{L}\p{N}_/])",
    r":(?<=[:;=][dp]:)-?[dp](?![\p{L}\p{N}_/])",  # :d:d
    r":(?<=\p{L}\p{L}.)-?[dp](?![^\s.,!?])",
    r"[;=](?<![\p{L}\p{N}:=!<>].)-?[dp](?![\p{L}\p{N}_/])",
    r":(?<!\S.)-?\*(?!\*)",
    r":(?<![\p{L}\p{N}:|].)[/\\|](?![\p{L}\p{N}_/\\|])",
    r"[:;](?<![|:].)-[/\\|](?![\p{L}\p{N}_/\\|])",
    r"=(?<!\S.)-?[/\\|](?!\S)",
    r"[()](?<!\S.)['\-]?[:;=](?!\S)",
    r"<(?:(?<=<3<)|(?<![\p{L}\p{N}_)\]].))/?3(?![\p{L}\p{N}_]|[.,]\p{N})",
    r"\^(?<![\p{L}\p{N}^].)[_.\-o]?\^(?![\p{L}\p{N}^])",
    r"-(?<![\p{L}\p{N}_\-].)[_.]-(?![\p{L}\p{N}_\-])",
    r">(?<![\p{L}\p{N}<>=\-].)[_.]<(?![\p{L}\p{N}<>/])",
    r"[@;.](?<![\p{L}\p{N}_].)(?:(?<=@)_@|(?<=;)_;|(?<=\.)_\.)(?![\p{L}\p{N}_])",
    r"\\(?<!\S.)o/(?!\S)",
    r"[★☆✩✪✫✬✭✮✯✰⭐]+(?:1/2(?![\p{N}/])[★☆✩✪✫✬✭✮✯✰⭐]*)?",
    "[●○◐◑]+",
    "[■□]+",
    r"\p{Regional_Indicator}\p{Regional_Indicator}?",
    "\U0001f3f4[\U000e0020-\U000e007e]+\U000e007f",
    f"{_PICTURE}(?:\u200d{_PICTURE})*",
]

# Nearly all of a text consists of words that begin with a letter, so they come first.
_WORD = (
    rf"\p{{L}}[\p{{L}}\p{{N}}\p{{M}}]*+(?:{_JOINT}{_PART})*+(?!_)"
    rf"|(?![\s,\"'])(?:{'|'.join(_OTHERS)})"
)

# Scripts written without spaces, and the long vowel mark of Japanese.
_CHARACTER = (
    r"(?=[\p{L}\p{Nl}])(?=[\p{Han}\p{Hiragana}\p{Katakana}\p{Bopomofo}\p{Yi}\p{Thai}\p{Lao}"
    r"\p{Khmer}\p{Myanmar}\p{Tibetan}\p{Tai_Le}\p{New_Tai_Lue}\p{Tai_Tham}\p{Tai_Viet}\p{Ahom}"
    r"\p{Javanese}\p{Balinese}ー])\X"
)
_SEPARATED = [
    ["replace", "\u0e4d\u0e32", "\u0e33"],  # vowels of Thai and Lao that NFKC decomposes
    ["replace", "\u0ecd\u0eb2", "\u0eb3"],
    ["replace", f"({_CHARACTER})", r" \1 "],
]


def rule(words: str = "unicode") -> dict[str, Any]:
    """Return the rule in the form that `splitting` takes and JSON can write.

    Args:
        words: with "unicode", text in a script without spaces is one word up to the next space or
            punctuation; with "characters", each of its graphemes is a word. Other scripts are split
            in the same way by both.
    """
    separated = _SEPARATED if words == "characters" else []
    return {"steps": [*STEPS, *separated], "word": _WORD, "boundary": " "}
