"""Coverage as data: combined, in files, as text, and against what is asked for."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random

import pytest
from jsonschema import Draft202012Validator

from emulator.artefacts import contract_json
from emulator.errors import InputError
from emulator.harness.coverage import (
    GROUPS,
    Coverage,
    Section,
    as_markdown,
    combined,
    coverage_in,
    headline,
    least_of,
    lines_of_coverage,
    read_coverage,
    written,
)

NAMES = [group.name for group in GROUPS]
MAPPING = Section("Acme / Sync", "aaaaaaaa")


def some(seed: int) -> Coverage:
    """A coverage with few names, so that several share most of them."""
    random = Random(seed)
    found = Coverage(runs=random.randrange(3), notes=set(random.sample(["one.", "two."], random.randrange(3))))
    for name in NAMES:
        for _ in range(random.randrange(4)):
            section = Section(random.choice("xy"), random.choice(["", "1"]))
            found.add(name, section, random.choice("abc"), covered=random.random() < 0.5)
    return found


def of(**groups: dict[str, bool]) -> Coverage:
    found = Coverage(runs=1)
    for name, items in groups.items():
        for item, covered in items.items():
            found.add(name, MAPPING, item, covered=covered)
    return found


@pytest.mark.parametrize("seed", range(20))
def test_combining_is_a_union_in_any_order(seed: int) -> None:
    parts = [some(3 * seed + number) for number in range(3)]
    whole = combined(parts).as_dict()
    assert combined(reversed(parts)).as_dict() == whole
    assert combined([combined(parts[:2]), parts[2]]).as_dict() == whole
    assert {**combined([*parts, *parts]).as_dict(), "runs": 0} == {**whole, "runs": 0}
    assert coverage_in(json.loads(json.dumps(whole))).as_dict() == whole
    Draft202012Validator(contract_json("coverage.schema.json")).validate(whole)


def test_what_one_run_covers_is_covered_whatever_the_others_do() -> None:
    whole = combined([of(triggers={"a": True, "b": False}), of(triggers={"a": False, "b": False, "c": False})])
    assert whole.rate("triggers").as_dict() == {"covered": 1, "total": 3, "percent": 33.3}


@pytest.mark.parametrize(
    ("covered", "total", "percent"), [(0, 0, None), (0, 3, 0.0), (2, 3, 66.6), (2999, 3000, 99.9), (3, 3, 100.0)]
)
def test_a_percent_is_rounded_down(covered: int, total: int, percent: float | None) -> None:
    found = of(sent={str(number): number < covered for number in range(total)})
    assert found.rate("sent").percent == percent


def test_the_total_is_of_what_the_sync_decides() -> None:
    found = of(triggers={"a": True}, fields={"b": False}, reasons={"c": False}, ledger={"d": False})
    assert found.rate().as_dict() == {"covered": 1, "total": 2, "percent": 50.0}


@pytest.mark.parametrize(
    ("texts", "failed"),
    [
        ([], []),
        (["50"], []),
        (["50.1"], ["total: 50 %, less than 50.1 %"]),
        (["total=51"], ["total: 50 %, less than 51 %"]),
        (["triggers=100", "fields=0"], []),
        (["fields=1", "triggers=100"], ["fields: 0 %, less than 1 %"]),
        # Nothing to cover fails nothing, and is said.
        (["sent=0", "responses=100", "fields=1"], ["fields: 0 %, less than 1 %"]),
    ],
)
def test_less_than_asked_for_is_named(texts: list[str], failed: list[str]) -> None:
    found = of(triggers={"a": True}, fields={"b": False})
    least = least_of(texts, "--fail-under")
    assert found.failed(least) == failed
    empty = [name for name in least if name in ("sent", "responses")]
    assert found.without_items(least) == [
        f"{name}: nothing to cover, so that {least[name]:g} % is met" for name in empty
    ]


@pytest.mark.parametrize("name", ["total", *NAMES])
def test_nothing_to_cover_is_said_of_each_group_and_without_a_sandbox_fails(name: str) -> None:
    least = {name: 100.0}
    assert Coverage(runs=1).failed(least) == []
    assert Coverage(runs=1).without_items(least) == [f"{name}: nothing to cover, so that 100 % is met"]
    assert Coverage().failed(least) == [f"{name}: no sandbox is counted, 100 % wanted"]
    assert Coverage().without_items(least) == []
    group = name if name in NAMES else "triggers"
    for covered, failed in ((True, []), (False, [f"{name}: 0 %, less than 100 %"])):
        found = of(**{group: {"a": covered}})
        assert (found.failed(least), found.without_items(least)) == (failed, [])


@pytest.mark.parametrize("text", ["", "x", "-1", "101", "1e2", "triggers=", "٣", "nan", "1.2.3"])
def test_only_a_percent_is_a_percent(text: str) -> None:
    with pytest.raises(InputError, match="--fail-under: not a percent"):
        least_of([text], "--fail-under")


def test_the_text_names_what_is_missing_where_it_is() -> None:
    found = of(triggers={'1. type = "track": false': False}, reasons={"MISSING_EMAIL": False})
    text = "\n".join(lines_of_coverage(found))
    assert 'conditions of triggers, never seen:\n  Acme / Sync\n    1. type = "track": false' in text
    assert "MISSING_EMAIL" not in text
    whole = "\n".join(lines_of_coverage(found, catalogue=True))
    assert "reason codes, never produced:\n  Acme / Sync\n    MISSING_EMAIL" in whole


def test_two_mappings_of_one_name_are_told_apart() -> None:
    found = of(triggers={"a": False})
    found.add("triggers", Section("Acme / Sync", "bbbbbbbb"), "a", covered=False)
    assert [name for name, _ in found.missing("triggers")] == ["Acme / Sync (aaaaaaaa)", "Acme / Sync (bbbbbbbb)"]


def test_everything_covered_is_said() -> None:
    assert "Everything is covered." in [*lines_of_coverage(of(triggers={"a": True}))]
    assert "Everything is covered." not in [*lines_of_coverage(Coverage())]
    assert headline(Coverage()) == "coverage – (0/0)"


def test_markdown_formats_nothing_that_a_user_wrote() -> None:
    found = of(sent={"traits.<b>*x*`|[y](z) @here": False})
    shown = as_markdown(found)
    assert "- Acme / Sync: traits.&lt;b>\\*x\\*\\`\\|\\[y](z) &#64;here" in shown
    assert "### Coverage: 0.0 % (0/1)" in shown


HOSTILE = "a\nb\x1b[31m\x1b]0;t\x07\u2028\ud800"


def test_names_stay_on_their_line_and_send_a_terminal_nothing(tmp_path: Path) -> None:
    found = Coverage(runs=1, notes={HOSTILE})
    found.add("sent", Section(HOSTILE), HOSTILE, covered=False)
    plain = Coverage(runs=1, notes={"n"})
    plain.add("sent", Section("s"), "i", covered=False)
    text, markdown = "\n".join(lines_of_coverage(found)), as_markdown(found)
    assert text.count("\n") == "\n".join(lines_of_coverage(plain)).count("\n")
    assert markdown.count("\n") == as_markdown(plain).count("\n")
    assert not {"\x1b", "\x07", "\u2028", "\ud800"} & {*text, *markdown}
    # A file has them, but for what UTF-8 has no form for.
    path = tmp_path / "coverage.json"
    written(found, path)
    [section] = read_coverage(path).items["sent"]
    assert section.name == HOSTILE.replace("\ud800", "\ufffd")


def test_a_file_is_read_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "coverage.json"
    for seed in range(3):
        written(some(seed), path)
        assert read_coverage(path).as_dict() == some(seed).as_dict()
    assert [each.name for each in tmp_path.iterdir()] == ["coverage.json"]


def test_a_file_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "folder.json").mkdir()
    for path in (tmp_path / "none" / "coverage.json", tmp_path / "folder.json"):
        with pytest.raises(InputError, match="cannot write"):
            written(Coverage(), path)
    assert [each.name for each in tmp_path.iterdir()] == ["folder.json"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "this is not JSON"),
        ("[]", "must be an object"),
        ("{}", "missing"),
        (json.dumps({**Coverage().as_dict(), "format": []}), "format"),
        (json.dumps({**Coverage().as_dict(), "groups": {}}), "groups"),
        (json.dumps({**Coverage().as_dict(), "runs": 10**4000}), "runs: this number is too large"),
        (json.dumps({**Coverage().as_dict(), "runs": float("nan")}), "runs: must be an integer"),
        ("[" * 100_000, "this is not JSON"),
    ],
)
def test_a_file_that_is_no_coverage_is_refused_with_its_place(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "coverage.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as error:
        read_coverage(path)
    assert message in str(error.value)
    assert str(path) in str(error.value)
    assert "Give files that --coverage" in str(error.value)


@pytest.mark.parametrize("found", [1, 3])
def test_a_coverage_of_another_version_is_refused(tmp_path: Path, found: int) -> None:
    path = tmp_path / "coverage.json"
    path.write_text(json.dumps({"format": found}), encoding="utf-8")
    with pytest.raises(InputError, match=f"another version, .*Found: {found}. Allowed: 2. Use one version"):
        read_coverage(path)


def test_parts_of_one_section_are_one(tmp_path: Path) -> None:
    """As in a file that a program put together."""
    document = of(triggers={"a": True}).as_dict()
    [section] = document["groups"]["triggers"]["sections"]
    document["groups"]["triggers"]["sections"] = [section, {**section, "items": {"a": False, "b": True}}]
    path = tmp_path / "coverage.json"
    path.write_text(json.dumps({**document, "runs": 1.0}), encoding="utf-8")
    assert read_coverage(path).as_dict() == {**of(triggers={"a": True, "b": True}).as_dict()}
