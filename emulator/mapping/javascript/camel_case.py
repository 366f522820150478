"""`camelCase` of lodash 4, with which the 2024 destinations rename every trait.

`first name` and `FIRST_NAME` become `firstName`, `HTMLParser` becomes `htmlParser`, `a1b2` becomes `a1B2`, `ÉcoleName`
becomes `ecoleName`. Accents are removed first, so the word rules only see plain letters.
"""

from __future__ import annotations

import re
import unicodedata

from emulator.mapping.javascript.values import joined_units

_NOT_DECOMPOSED = "ÐD ðd ØO øo ÆAe æae ÞTh þth ßss ĐD đd ĦH ħh ıi ĸk ĿL ŀl ŁL łl ŊN ŋn ŦT ŧt ĲIJ ĳij ŒOe œoe ŉn ſs"
_DEBURRED = {pair[0]: pair[1:] for pair in _NOT_DECOMPOSED.split()}
_ACCENTED = re.compile("[\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u017f]")
_DROPPED = re.compile("[\u0300-\u036f\ufe20-\ufe2f\u20d0-\u20ff'\u2019]")

_NEEDS_WORD_RULES = re.compile("[a-z][A-Z]|[A-Z]{2}[a-z]|[0-9][a-zA-Z]|[a-zA-Z][0-9]|[^a-zA-Z0-9 ]")
_PLAIN_WORD = re.compile("[a-zA-Z0-9]+")

_SPACES = "\u1680\u180e\u3000\ufeff"
_BREAKS = f"\u0000-/:-@\\[-`{{-\u00bf\u00d7\u00f7\u2000-\u206f{_SPACES}"
_ASTRAL = "\U00010000-\U0010ffff"
_OTHER = f"[^\ud800-\udfff{_ASTRAL}{_BREAKS}0-9\u2700-\u27bfa-zA-Z]"
_END = f"(?=[{_BREAKS}]|\\Z)"
_PICTURE = f"[\U0001f1e6-\U0001f1ff]{{2}}|[{_ASTRAL}]"
_VARIANT = "[\ufe0e\ufe0f]?[\U0001f3fb-\U0001f3ff]?"
_JOINED = f"{_VARIANT}(?:\u200d(?:{_PICTURE}|[^\ud800-\udfff]){_VARIANT})*"
_FIRST_SYMBOL = re.compile(f"(?:{_PICTURE}|.){_JOINED}", re.DOTALL)
_WORD = re.compile(
    "|".join(
        (
            f"[A-Z]?[a-z]+(?:{_END}|(?=[A-Z]))",
            f"(?:[A-Z]|{_OTHER})+(?:{_END}|(?=[A-Z](?:[a-z]|{_OTHER})))",
            f"[A-Z]?(?:[a-z]|{_OTHER})+",
            "[A-Z]+",
            r"[0-9]*(?:1ST|2ND|3RD|(?![123])[0-9]TH)(?=\b|[a-z_])",
            r"[0-9]*(?:1st|2nd|3rd|(?![123])[0-9]th)(?=\b|[A-Z_])",
            "[0-9]+",
            f"(?:{_PICTURE}|[\u2700-\u27bf]){_JOINED}",
        )
    ),
    re.ASCII,
)


def camel_case(name: str) -> str:
    """`lodash.camelCase(name)`; empty for a name without words."""
    plain = joined_units(_DROPPED.sub("", _ACCENTED.sub(lambda letter: _without_accent(letter.group()), name)))
    rule = _WORD if _NEEDS_WORD_RULES.search(plain) else _PLAIN_WORD
    words = [match.group() for match in rule.finditer(plain)]
    if not words:
        return ""
    return words[0].lower() + "".join(_capitalised(word) for word in words[1:])


def _without_accent(letter: str) -> str:
    return _DEBURRED.get(letter) or unicodedata.normalize("NFD", letter)[0]


def _capitalised(word: str) -> str:
    lower = word.lower()
    first = _FIRST_SYMBOL.match(lower)
    cut = first.end() if first else 0
    return lower[:cut].upper() + lower[cut:]
