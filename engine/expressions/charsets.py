"""Sets of characters as XML Schema writes them: categories, named blocks, one class less another."""

from __future__ import annotations

import sys
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

Interval = tuple[int, int]
Set = tuple[Interval, ...]
LAST = sys.maxunicode

_BLOCKS = """
0-7F BasicLatin 80-FF Latin-1Supplement 100-17F LatinExtended-A 180-24F LatinExtended-B
250-2AF IPAExtensions 2B0-2FF SpacingModifierLetters 300-36F CombiningDiacriticalMarks 370-3FF Greek
370-3FF GreekandCoptic 400-4FF Cyrillic 500-52F CyrillicSupplement 530-58F Armenian 590-5FF Hebrew
600-6FF Arabic 700-74F Syriac 780-7BF Thaana 900-97F Devanagari 980-9FF Bengali A00-A7F Gurmukhi
A80-AFF Gujarati B00-B7F Oriya B80-BFF Tamil C00-C7F Telugu C80-CFF Kannada D00-D7F Malayalam
D80-DFF Sinhala E00-E7F Thai E80-EFF Lao F00-FFF Tibetan 1000-109F Myanmar 10A0-10FF Georgian
1100-11FF HangulJamo 1200-137F Ethiopic 13A0-13FF Cherokee 1400-167F UnifiedCanadianAboriginalSyllabics
1680-169F Ogham 16A0-16FF Runic 1780-17FF Khmer 1800-18AF Mongolian 1E00-1EFF LatinExtendedAdditional
1F00-1FFF GreekExtended 2000-206F GeneralPunctuation 2070-209F SuperscriptsandSubscripts
20A0-20CF CurrencySymbols 20D0-20FF CombiningMarksforSymbols
20D0-20FF CombiningDiacriticalMarksforSymbols 2100-214F LetterlikeSymbols 2150-218F NumberForms
2190-21FF Arrows 2200-22FF MathematicalOperators 2300-23FF MiscellaneousTechnical
2400-243F ControlPictures 2440-245F OpticalCharacterRecognition 2460-24FF EnclosedAlphanumerics
2500-257F BoxDrawing 2580-259F BlockElements 25A0-25FF GeometricShapes 2600-26FF MiscellaneousSymbols
2700-27BF Dingbats 2800-28FF BraillePatterns 2E80-2EFF CJKRadicalsSupplement 2F00-2FDF KangxiRadicals
2FF0-2FFF IdeographicDescriptionCharacters 3000-303F CJKSymbolsandPunctuation 3040-309F Hiragana
30A0-30FF Katakana 3100-312F Bopomofo 3130-318F HangulCompatibilityJamo 3190-319F Kanbun
31A0-31BF BopomofoExtended 3200-32FF EnclosedCJKLettersandMonths 3300-33FF CJKCompatibility
3400-4DBF CJKUnifiedIdeographsExtensionA 4E00-9FFF CJKUnifiedIdeographs A000-A48F YiSyllables
A490-A4CF YiRadicals AC00-D7AF HangulSyllables E000-F8FF PrivateUse F900-FAFF CJKCompatibilityIdeographs
FB00-FB4F AlphabeticPresentationForms FB50-FDFF ArabicPresentationForms-A FE20-FE2F CombiningHalfMarks
FE30-FE4F CJKCompatibilityForms FE50-FE6F SmallFormVariants FE70-FEFF ArabicPresentationForms-B
FF00-FFEF HalfwidthandFullwidthForms FFF0-FFFF Specials 10300-1032F OldItalic 10330-1034F Gothic
10400-1044F Deseret 1D000-1D0FF ByzantineMusicalSymbols 1D100-1D1FF MusicalSymbols
1D400-1D7FF MathematicalAlphanumericSymbols 20000-2A6DF CJKUnifiedIdeographsExtensionB
2F800-2FA1F CJKCompatibilityIdeographsSupplement E0000-E007F Tags
"""
_WORDS = _BLOCKS.split()
BLOCKS: dict[str, Set] = {
    name: ((int(span.split("-")[0], 16), int(span.split("-")[1], 16)),)
    for span, name in zip(_WORDS[::2], _WORDS[1::2], strict=True)
}
UNUSED: Set = ((0x323B0, 0xEFFFF),)
"""Nobody writes with these: planes without letters, and the selectors of variants."""
PRIVATE: Interval = (0xF0000, LAST)
CONTROLS = {"n": "\n", "r": "\r", "t": "\t"}
PLAIN = frozenset("\\|.?*+(){}[]^$-")


class NoSet(ValueError):
    """The text is not a class of characters."""


def union(sets: Iterable[Set]) -> Set:
    """All characters of all sets, in order."""
    merged: list[Interval] = []
    for low, high in sorted(interval for each in sets for interval in each):
        if merged and low <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(high, merged[-1][1]))
        else:
            merged.append((low, high))
    return tuple(merged)


def complement(characters: Set) -> Set:
    """All other characters."""
    found, start = [], 0
    for low, high in characters:
        if start < low:
            found.append((start, low - 1))
        start = high + 1
    return (*found, (start, LAST)) if start <= LAST else tuple(found)


def written(characters: Set) -> str:
    """The set as a class that the engine reads."""
    if not characters:
        return written(((0, LAST),)).replace("[", "[^")
    return "[" + "".join(f"\\x{{{low:x}}}-\\x{{{high:x}}}" for low, high in characters) + "]"


@lru_cache(maxsize=1)
def _categories() -> dict[str, Set]:
    found: dict[str, list[Interval]] = {"Cn": list(UNUSED), "Co": [PRIVATE]}
    for number in range(UNUSED[0][0]):
        spans = found.setdefault(unicodedata.category(chr(number)), [])
        if spans and spans[-1][1] == number - 1:
            spans[-1] = (spans[-1][0], number)
        else:
            spans.append((number, number))
    return {name: union([tuple(spans)]) for name, spans in found.items()}


@lru_cache(maxsize=64)
def named(name: str) -> Set:
    """The characters of a category such as `Lu` or `L`, or of a block such as `IsGreek`. Raises NoSet."""
    if name.startswith("Is"):
        if name[2:] not in BLOCKS:
            raise NoSet(f"there is no block {name[2:]!r}")
        return BLOCKS[name[2:]]
    found = union(spans for category, spans in _categories().items() if category.startswith(name))
    if not name or not found:
        raise NoSet(f"there is no category {name!r}")
    return found


def _of(characters: str) -> Set:
    return union(((ord(one), ord(one)),) for one in characters)


@lru_cache(maxsize=16)
def shorthand(letter: str) -> Set:
    r"""The characters of `\d`, `\w`, `\s`, `\i`, `\c`, or with a capital letter all others."""
    if letter.isupper():
        return complement(shorthand(letter.lower()))
    match letter:
        case "d":
            return named("Nd")
        case "s":
            return _of(" \t\n\r")
        case "i":
            return union([named("L"), _of("_:")])
        case "c":
            return union([named("L"), named("M"), named("N"), _of("_:.-")])
    return union(named(one) for one in "LMNS")


class ClassReader:
    """Reads one `[…]`, subtractions and all."""

    def __init__(self, pattern: str, at: int) -> None:
        self.pattern = pattern
        self.at = at

    def read(self) -> Set:
        """The set; `at` is then behind the class. Raises NoSet."""
        self.at += 1
        is_negated = self._next("^")
        parts: list[Set] = []
        less: Set = ()
        while not self._next("]"):
            if self.pattern.startswith("-[", self.at):
                self.at += 1
                less = self.read()
                if not self.pattern.startswith("]", self.at):
                    raise NoSet("after a subtracted class the class ends")
            else:
                parts.append(self._part())
        if not parts:
            raise NoSet("a class is empty")
        found = union(parts)
        found = complement(found) if is_negated else found
        return complement(union([complement(found), less])) if less else found

    def _next(self, mark: str) -> bool:
        if self.at >= len(self.pattern):
            raise NoSet("a class is never closed")
        is_there = self.pattern[self.at] == mark
        self.at += is_there
        return is_there

    def _part(self) -> Set:
        low = self._one()
        is_span = self.pattern.startswith("-", self.at) and self.pattern[self.at + 1 : self.at + 2] not in (
            *"[]",
            "",
        )
        if not is_span:
            return low
        self.at += 1
        high = self._one()
        if not (_is_single(low) and _is_single(high)) or low[0][0] > high[0][0]:
            raise NoSet("a span of characters goes from one to a later one")
        return ((low[0][0], high[0][0]),)

    def _one(self) -> Set:
        mark = self.pattern[self.at]
        if mark == "[":
            raise NoSet("a class in a class is only subtracted")
        if mark != "\\":
            self.at += 1
            return _of(mark)
        letter = self.pattern[self.at + 1 : self.at + 2]
        self.at += 2
        if letter and letter in "pP":
            return self._named(is_negated=letter == "P")
        if letter and letter in "dDsSwWiIcC":
            return shorthand(letter)
        if letter not in PLAIN | CONTROLS.keys():
            raise NoSet(f"unknown escape \\{letter}")
        return _of(CONTROLS.get(letter, letter))

    def _named(self, *, is_negated: bool) -> Set:
        end = self.pattern.find("}", self.at)
        if not self.pattern.startswith("{", self.at) or end < 0:
            raise NoSet("a category stands in braces")
        found = named(self.pattern[self.at + 1 : end])
        self.at = end + 1
        return complement(found) if is_negated else found


def _is_single(characters: Set) -> bool:
    return len(characters) == 1 and characters[0][0] == characters[0][1]
