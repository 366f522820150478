"""Hides personal data in the answers of one session, as recordings do, and what quotes it in sentences."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from emulator.harness.recordings import Pseudonyms, blank, personal_strings

# Shorter ones are parts of ordinary words and numbers.
_WORD: Final = re.compile(r"[^\W\d_]{3,}|\d{4,}")
# Members whose strings are names that the emulator gives: a person's city may be spelled like one of them.
_GIVEN_NAMES: Final = frozenset(
    {"as", "at", "fault", "kind", "outcome", "provenance", "reason", "result", "segmentReports", "stage", "stopped"}
)
_SEPARATOR: Final = re.compile(r"[\W_]+")
_ADDRESS: Final = re.compile(r"[^\s@]+@[^\s@]+")
_PSEUDONYM: Final = re.compile(r"person-[0-9a-f]{12}@example\.com")
# The options of a directive: where a value comes from, not the value, whatever the field is called.
_OPTIONS: Final = "options"


class PersonalData:
    """What one session hides; an address has the same pseudonym in all of its answers."""

    def __init__(self, key: str) -> None:
        self._pseudonyms = Pseudonyms(key)
        self._addresses: dict[str, str] = {}

    def meant(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """The arguments of a call, with the address for a pseudonym that an earlier answer had in a field."""
        return {
            name: self._addresses.get(value, value) if isinstance(value, str) else value
            for name, value in arguments.items()
        }

    def hidden(self, answer: Any, known: Iterable[Any]) -> Any:
        """An answer without personal data.

        `known` are JSON values about the people in it, such as their traits: sentences that quote a personal value of
        theirs, or of the answer itself, keep its shape.
        """
        people = [*known]
        values = {value for source in (_data_in(answer), *people) for value in personal_strings(source)}
        words = {word for value in values for word in _words_of(value)}
        shown = self._joined(self._pseudonyms.in_value(answer), answer)
        names = {_SEPARATOR.sub("_", value).strip("_") for value in _addresses_in(people)}
        if not words and not names:
            return shown
        # An address is also part of the name of a function, between other words.
        patterns = (rf"(?<!\w)(?:{_one_of(words)})(?!\w)" if words else "", _one_of(names))
        return _without(shown, re.compile("|".join(filter(None, patterns))))

    def _joined(self, shown: Any, answer: Any) -> Any:
        """`shown` with the options of directives as the answer has them, apart from addresses in them.

        The pseudonyms that are whole fields are kept with their addresses.
        """
        if isinstance(shown, list):
            return [self._joined(*both) for both in zip(shown, answer, strict=True)]
        if isinstance(shown, dict):
            pairs = zip(shown.items(), answer.items(), strict=True)
            return {
                name: self._texts(own) if member == _OPTIONS else self._joined(item, own)
                for (name, item), (member, own) in pairs
            }
        if isinstance(shown, str) and _PSEUDONYM.fullmatch(shown):
            self._addresses[shown] = answer
        return shown

    def _texts(self, value: Any) -> Any:
        if isinstance(value, str):
            return self._pseudonyms.in_text(value)
        if isinstance(value, list):
            return [self._texts(item) for item in value]
        return {name: self._texts(item) for name, item in value.items()} if isinstance(value, dict) else value


def _data_in(value: Any) -> Any:
    """A value without the options of directives."""
    if isinstance(value, list):
        return [_data_in(item) for item in value]
    if isinstance(value, dict):
        return {name: _data_in(item) for name, item in value.items() if name != _OPTIONS}
    return value


def _addresses_in(value: Any) -> Iterator[str]:
    """The strings that are an address."""
    if isinstance(value, str) and _ADDRESS.fullmatch(value):
        yield value.lower()
    elif isinstance(value, list | dict):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _addresses_in(item)


def _words_of(value: str) -> Iterator[str]:
    # An address is hidden by its form.
    if "@" not in value:
        yield from _WORD.findall(value)
        # A correction leaves out what is no letter of a word.
        for part in value.split():
            yield from _WORD.findall(_SEPARATOR.sub("", part))


def _one_of(words: Iterable[str]) -> str:
    return "|".join(map(re.escape, sorted(words, key=len, reverse=True)))


def _without(value: Any, words: re.Pattern[str]) -> Any:
    if isinstance(value, str):
        return words.sub(lambda found: blank(found[0]), value)
    if isinstance(value, list):
        return [_without(item, words) for item in value]
    if isinstance(value, dict):
        return {
            name: item if name in _GIVEN_NAMES and isinstance(item, str) else _without(item, words)
            for name, item in value.items()
        }
    return value
