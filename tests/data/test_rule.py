"""What a word is."""

import re
import time

import pytest
import regex
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sentiment_pl.data.ascii_splitting import in_ascii, quick_splitter
from sentiment_pl.data.rule import rule
from sentiment_pl.data.splitting import splitter

RULE = rule()
thorough, quick = splitter(RULE), quick_splitter(RULE)
by_character = quick_splitter(rule("characters"))

TABLE = {
    # Words and their insides.
    "GOOD Film": ["good", "film"],
    "don\u2019t don\u2018t don\u00b4t don`t don\u02bct": ["don't"] * 5,
    "a\ufb01ne \uff26\uff49\uff4c\uff4d": ["afine", "film"],  # a ligature, full width
    "\u212bngstro\u0308m cafe\u0301": ["\u00e5ngstr\u00f6m", "caf\u00e9"],
    "well-made, 'quoted' --- dash- well\u2011made": ["well-made", "quoted", "dash", "well-made"],
    "the '80s rock'n'roll col·lecció": ["the", "80s", "rock'n'roll", "col·lecció"],
    "snake_case _good_ @user #tag": ["snake", "case", "good", "user", "tag"],
    "won\u00adderful \ufeffgood": ["wonderful", "good"],  # a soft hyphen, a byte order mark
    "\u05e1\u05e8\u05d8 \u0637\u064a\u0628": ["\u05e1\u05e8\u05d8", "\u0637\u064a\u0628"],
    "नमस्ते": ["नमस्ते"],
    "می\u200cخواهم": ["می\u200cخواهم"],  # a joiner within a word
    "ΚΑΛΟΣ καλος": ["καλος", "καλος"],
    "Lego™ Acme® 20°C ©2020": ["lego", "acme", "20", "c", "2020"],
    # A mark alone is no word, nor the beginning of one.
    "\u0301 \ufe0f a\u0301 \u0301b \u20e3": ["\u00e1", "b"],
    # Numbers and ratings.
    "7/10 10/10! (8/10) 7 / 10": ["7/10", "10/10", "!", "8/10", "7", "10"],
    "4.5/5 2,5/5 4.5/5. 8.5/10,": ["4.5/5", "2,5/5", "4.5/5", "8.5/10"],
    "3.5 1,000 1,000,000 3.5mm 2nd 80s": ["3.5", "1,000", "1,000,000", "3.5mm", "2nd", "80s"],
    "3½/5 2½ ½ 1¼": ["3.5/5", "2.5", "1/2", "1.25"],
    "a .5/5 and -1/10": ["a", ".5/5", "and", "-1/10"],
    "5/5stars good-10/10 5-7/10": ["5/5", "stars", "good", "10/10", "5", "7/10"],
    "good...5/5 end.5/5": ["good", "...", "5/5", "end", "5/5"],
    "٤٫٥/٥": ["٤٫٥/٥"],
    # Punctuation that carries sentiment.
    "What?! No!!! Well... so\u2026 hm...... ؟": [
        "what", "?!", "no", "!!!", "well", "...", "so", "...", "hm", "...", "?",
    ],
    "\uff01\uff1f ‼": ["!?", "!!"],
    "**** of 5, ***½ or ***1/2": ["****", "of", "5", "***1/2", "or", "***1/2"],
    "★★★☆☆ ★★★½ ★★½☆☆ ★ ⭐⭐⭐⭐⭐ ●●●○○ ■■□": [
        "★★★☆☆", "★★★1/2", "★★1/2☆☆", "★", "⭐⭐⭐⭐⭐", "●●●○○", "■■□",
    ],
    '(",;:&%) \t\n': [],
    "": [],
    "─│█ € + = ~": [],
    # Emoji and other pictures.
    "it came today ❤️": ["it", "came", "today", "❤"],
    "❤ ❤\ufe0e ❤\ufe0f ☹️ ☺️ ✔️": ["❤", "❤", "❤", "☹", "☺", "✔"],
    "♥ ♡ ✓ ✗ ✘ ☑ ☻ ↑ ↓ ▲ ♪ 👎": ["♥", "♡", "✓", "✗", "✘", "☑", "☻", "↑", "↓", "▲", "♪", "👎"],
    "fun\U0001f600\U0001f44d❤️❤️": ["fun", "\U0001f600", "\U0001f44d", "❤", "❤"],
    "👨‍👩‍👧‍👦 🏳️‍🌈 ❤️‍🔥 🤷🏼‍♀️ 🏴‍☠️": ["👨‍👩‍👧‍👦", "🏳‍🌈", "❤‍🔥", "🤷🏼‍♀", "🏴‍☠"],
    "👍👍🏽👍🏿": ["👍", "👍🏽", "👍🏿"],
    "🇵🇱🇩🇪 🏴󠁧󠁢󠁥󠁮󠁧󠁿🏴󠁧󠁢󠁳󠁣󠁴󠁿": ["🇵🇱", "🇩🇪", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "🏴󠁧󠁢󠁳󠁣󠁴󠁿"],
    "1️⃣ top1️⃣ #️⃣*️⃣ 5️⃣/5️⃣ 🔟": ["1⃣", "top", "1⃣", "#⃣", "*⃣", "5⃣", "5⃣", "🔟"],
    "❗❓ 🅰": ["❗", "❓", "🅰"],
    # Emoticons.
    ":) :-) :( :-( ;) ;-)": [":)", ":-)", ":(", ":-(", ";)", ";-)"],
    ":'( :') :'-(": [":'(", ":')", ":'-("],
    ":D :-D ;D =D :P :p =) =( :] :[ :}": [
        ":d", ":-d", ";d", "=d", ":p", ":p", "=)", "=(", ":]", ":[", ":}",
    ],
    "<3 </3 <333 I &lt;3 it": ["<3", "</3", "<3", "i", "<3", "it"],
    ":/ :-/ :\\ :| :-| :O :3 :S :* :-* :$ >:( >:D": [
        ":/", ":-/", ":\\", ":|", ":-|", ":o", ":3", ":s", ":*", ":-*", ":$", ">:(", ">:d",
    ],
    "^_^ ^^ -_- -__- T_T o_O >_< >.< ;_; *_* @_@ XD \\o/ 8-) (: ):": [
        "^_^", "^^", "-_-", "-_-", "t_t", "o_o", ">_<", ">.<", ";_;", "*_*", "@_@", "xd", "\\o/",
        "8-)", "(:", "):",
    ],
    ":DDDD :)))) good:) bad:( great:D wow!:P": [
        ":d", ":)", "good", ":)", "bad", ":(", "great", ":d", "wow", "!", ":p",
    ],
    ":D:D <3<3 (:D) wow😀:P": [":d", ":d", "<3", "<3", ":d", "wow", "😀", ":p"],
    "\uff1a\uff09": [":)"],  # full width
    # What looks like one and is none.
    "http://x.com https:/ 10:30 note:don't (see page:3)": [
        "http", "x", "com", "https", "10", "30", "note", "don't", "see", "page", "3",
    ],
    "c:\\users d:/path std::d x[1:] f(x=(1)) x==(y) {a:d} \"a\":[1]": [
        "c", "users", "d", "path", "std", "d", "x", "1", "f", "x", "1", "x", "y", "a", "d", "a",
        "1",
    ],
    "f(:x) #:p d[:3]": ["f", "x", "p", "d", "3"],
    "Star Wars (1977): great; as follows:(a) 2:0": [
        "star", "wars", "1977", "great", "as", "follows", "a", "2", "0",
    ],
    # HTML.
    "one<br />two<br>three<BR/>four< br>five<br clear=\"all\">six": [
        "one", "two", "three", "four", "br", "five", "six",
    ],
    "<p>a</p><i>b</i><a href=\"http://x.y/z?q=1\" target=_blank>c</a><\\/p>": ["a", "b", "c"],
    "<!-- hidden --><!DOCTYPE html>seen &lt;br /&gt;&amp;lt;p&amp;gt;too": ["seen", "too"],
    "a < b, x<y>z, a<b>c, x<3, if a<b and c>d, <user>": [
        "a", "b", "x", "y", "z", "a", "b", "c", "x", "3", "if", "a", "b", "and", "c", "d", "user",
    ],
    "fish &amp; chips, don&#39;t, don&#x27;t, don&#39t, &quot;so&quot; a&nbsp;b": [
        "fish", "chips", "don't", "don't", "don't", "so", "a", "b",
    ],
    "it&amp;#39;s it&amp;amp;#39;s &hearts; &hellip; AT&T rock&not pop Q&ampA": [
        "it's", "it's", "♥", "...", "at", "t", "rock", "not", "pop", "q", "ampa",
    ],
    "one\\ntwo\\r\\nthree\\tfour don\\'t \\\"five\\\" C:\\\\n": [
        "one", "two", "three", "four", "don't", "five", "c",
    ],
    # Scripts.
    "\u0434\u0430 \u597d\u7535\u5f71": ["\u0434\u0430", "\u597d\u7535\u5f71"],
}  # fmt: skip


@pytest.mark.parametrize("text", TABLE)
def test_words(text):
    assert quick(text) == thorough(text) == TABLE[text]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("好电影 3D映画 5分", ["好", "电", "影", "3d", "映", "画", "5", "分"]),
        ("ラーメンは ｶﾞ 〇々", ["ラ", "ー", "メ", "ン", "は", "ガ", "〇", "々"]),
        ("น้ำดี คุณ", ["น้ำ", "ดี", "คุ", "ณ"]),  # marks stay with what they stand on
        ("ວັນ ບໍ່ດີ", ["ວັ", "ນ", "ບໍ່", "ດີ"]),
        ("ຄຳ", ["ຄຳ"]),
        ("한국어 영화", ["한국어", "영화"]),  # written with spaces
        ("don't 4.5/5 ❤️ :D <br/>да", ["don't", "4.5/5", "❤", ":d", "да"]),
        ("\u0e31", []),  # a mark alone
    ],
)
def test_words_by_character(text, words):
    assert by_character(text) == words


def test_only_scripts_without_spaces_differ_by_character():
    for text, words in TABLE.items():
        if "\u597d" not in text:
            assert by_character(text) == words, text


PIECES = ["Good", "don`t", "<BR />", "<br\t/>", "<br\x1c/>", "7/10", "!?", "...", ":-)", "[PAD]",
          "é", "ﬁlm", "`", "\x00", "\n", "'", "-", "İ", " ", "\u00a0", "\u0308", "\u00a8", "<",
          "<br", "/>", ">", "\uff1cbr", "\ufe64BR", "\uff1e", "\u0338", "\u2028", "\x85", "\ud800",
          "\u2019", "\u00b4", "ΌΣ", "\u1100", "\u1161", "\U0001f600", "\u3000", "&", ";", "amp",
          "#39", "\\n", "_", ":", "d", "3", "^", "(", ")", ".", "5", "/", "1/2", "★", "*",
          "❤", "\ufe0f", "\u200d", "\u20e3", "🏽", "🇵", "好", "\u0e33", "\u0e31", "t", "o",
          "=", "|", "@"]  # fmt: skip
ASCII = [piece for piece in PIECES if piece.isascii()]
TEXT = st.text(st.characters() | st.sampled_from("\ud800\udfff")) | st.lists(
    st.sampled_from(PIECES)
).map("".join)


@settings(max_examples=1_500, deadline=None)
@example("a &hearts; b &lt;br&gt; ☹")
@example("good `` \x1f:d \x1c<3 :]\x1d")
@given(
    st.text(st.characters(max_codepoint=127))
    | st.lists(st.sampled_from([*ASCII, "&hearts;", "&#233;", "&amp;lt;"])).map("".join)
)
def test_the_way_for_ascii_gives_the_same_words(text):
    assert quick(text) == thorough(text)


@settings(max_examples=800, deadline=None)
@given(TEXT)
def test_so_does_the_way_for_other_texts(text):
    assert quick(text) == thorough(text)


@settings(max_examples=800, deadline=None)
@given(TEXT)
def test_no_word_begins_with_a_mark_or_holds_a_space(text):
    for words in (quick(text), by_character(text)):
        for word in words:
            assert not regex.match(r"[\p{M}\p{Z}\p{Cc}\p{Cf}\p{Cs}]", word)
            assert not any(character.isspace() for character in word)
            assert not regex.search(r"\p{Variation_Selector}", word)
            word.encode()  # no half of a surrogate pair


@settings(max_examples=500, deadline=None)
@given(TEXT.filter(lambda text: "&" not in text), st.data())
def test_variation_selectors_change_nothing(text, data):
    place = data.draw(st.integers(0, len(text)))
    selector = data.draw(st.sampled_from("\ufe0e\ufe0f"))
    longer = text[:place] + selector + text[place:]
    if "\\" not in text:  # which makes an escape of what follows
        assert quick(longer) == quick(text)


@settings(max_examples=500, deadline=None)
@given(st.lists(TEXT, max_size=4))
def test_words_do_not_depend_on_what_stands_beyond_a_line_break(texts):
    """But for tags, comments and capital Σ, which look at more than their line."""
    texts = [re.sub("[<Σ>＜﹤＞﹥&]", "", text) for text in texts]
    assert quick("\n".join(texts)) == [word for text in texts for word in quick(text)]


def test_half_a_surrogate_pair_is_no_word():
    for lone in "\ud800\udfff\ufffd":
        assert quick(f"good{lone}film {lone}") == ["good", "film"]
        assert quick(lone) == []


UNITS = ["a", "1", "<", "&", "&#", "&amp;", "<a ", "<a =", "<!--", "<3", ".", "_", "x_", ":",
         ":d", "'", "-", "a-", "a'", "-1", "1/", "1,", "1.", "\\", "3", "=", "d", "\u597d",
         "\u0301", "\u20e3", "\U0001f44d\u200d"]  # fmt: skip


@pytest.mark.parametrize("unit", UNITS)
def test_time_grows_with_a_texts_length_alone(unit):
    """Ten times the text takes about ten times the time, whatever it repeats."""

    def seconds(length):
        best = float("inf")
        for _ in range(3):
            start = time.process_time()
            quick(unit * length + "é")
            best = min(best, time.process_time() - start)
        return best

    assert seconds(20_000) < 40 * max(seconds(2_000), 1e-3)


def test_a_rule_that_looks_further_is_followed_too():
    """Without a boundary, texts are searched in one piece."""
    other = {"steps": [], "word": r"(?<=é )\w+"}
    assert quick_splitter(other)("é good") == splitter(other)("é good") == ["good"]


def test_a_pattern_in_ascii_is_derived_from_the_pattern_alone():
    assert in_ascii(r"\p{Lu}+\.[^\x00-\x40\x5b-\x7f]") == (
        r"[" + "".join(f"\\x{i:02x}" for i in range(65, 91)) + r"]+\.["
        + "".join(f"\\x{i:02x}" for i in range(65, 91)) + "]"
    )  # fmt: skip
    assert in_ascii("[★☆]+") == r"[^\x00-\x7f]+"
    other = {"steps": [["replace", "[àé]|b", "-"], ["lower"]], "word": r"[\p{L}--]+|\X"}
    assert quick_splitter(other)("AbC é") == splitter(other)("AbC é")
    assert quick_splitter(other)("AbC") == splitter(other)("AbC") == ["a-c"]
