"""The notes of a release, from the changelog."""

from __future__ import annotations

import pytest

from tests.release_notes import CHANGELOG, notes

SAMPLE = """# Changelog

## [Unreleased]

## [1.1.0] - 2027-02-01

### Added
- b, see [1.0.0]

## [1.0.0] - 2027-01-01

### Added
- a
"""


@pytest.mark.parametrize(
    ("version", "text"),
    [("Unreleased", "\n"), ("1.1.0", "### Added\n- b, see [1.0.0]\n"), ("1.0.0", "### Added\n- a\n")],
)
def test_the_section_of_a_version(version: str, text: str) -> None:
    assert notes(SAMPLE, version) == text


@pytest.mark.parametrize("version", ["1.1", "2.0.0", ""])
def test_a_version_without_a_section(version: str) -> None:
    with pytest.raises(SystemExit, match="Known: Unreleased, 1.1.0, 1.0.0."):
        notes(SAMPLE, version)


def test_the_changelog_has_notes() -> None:
    assert notes(CHANGELOG.read_text(encoding="utf-8"), "Unreleased").startswith("### Added\n- ")
