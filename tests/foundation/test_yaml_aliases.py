"""YAML whose aliases repeat a value billions of times is refused before anything visits the values."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from emulator import yaml_files
from emulator.cli import cli
from emulator.errors import InputError
from emulator.yaml_files import REPEATED_VALUES_LIMIT, load_yaml, parse_mapping

LEVELS = 40


def lists(levels: int) -> str:
    return "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, levels))


def maps(levels: int) -> str:
    return "a0: &a0 {x: 1}\n" + "".join(f"a{n}: &a{n} {{l: *a{n - 1}, r: *a{n - 1}}}\n" for n in range(1, levels))


def merges(levels: int) -> str:
    return "a0: &a0 {x: 1}\n" + "".join(f"a{n}: &a{n} {{<<: [*a{n - 1}, *a{n - 1}]}}\n" for n in range(1, levels))


def one_level(levels: int) -> str:
    return f"a: &a [{', '.join(['x'] * 1_000)}]\nb: [{', '.join(['*a'] * 1_000)}]\n"


@pytest.mark.parametrize("form", [lists, maps, merges, one_level], ids=lambda form: form.__name__)
def test_aliases_that_repeat_too_much_are_refused(form: Callable[[int], str]) -> None:
    with pytest.raises(InputError, match=f"aliases repeat [0-9]+ values, and at most {REPEATED_VALUES_LIMIT} are"):
        parse_mapping(form(LEVELS), where="here", what="it", mistake=InputError)


@pytest.mark.parametrize("form", [lists, maps, merges], ids=lambda form: form.__name__)
def test_each_node_is_visited_once(form: Callable[[int], str], monkeypatch: pytest.MonkeyPatch) -> None:
    visits = 0
    inner = yaml_files._inner

    def counted(node: yaml_files.yaml.Node) -> list[yaml_files.yaml.Node]:
        nonlocal visits
        visits += 1
        return inner(node)

    monkeypatch.setattr(yaml_files, "_inner", counted)
    with pytest.raises(yaml_files.yaml.YAMLError):
        load_yaml(form(LEVELS))
    assert visits < LEVELS * 20


def test_aliases_for_reuse_are_read() -> None:
    text = "a: &a {x: 1}\nb: [*a, *a]\nc: {<<: *a, y: 2}\n"
    assert load_yaml(text) == {"a": {"x": 1}, "b": [{"x": 1}, {"x": 1}], "c": {"x": 1, "y": 2}}


@pytest.mark.parametrize(
    "arguments",
    [
        ("lint", "FILE"),
        ("validate", "FILE"),
        ("verify", "FILE"),
        ("map", "--workspace", "FILE", "-"),
        ("explain", "--workspace", "FILE", "-"),
        ("serve", "--workspace", "FILE"),
    ],
    ids=lambda arguments: arguments[0],
)
def test_every_command_refuses_them(arguments: tuple[str, ...], tmp_path: Path) -> None:
    file = tmp_path / "repeated.yaml"
    file.write_text(lists(LEVELS), encoding="utf-8")
    done = CliRunner().invoke(cli, [str(file) if each == "FILE" else each for each in arguments])
    assert done.exit_code != 0
    assert "aliases repeat" in f"{done.output} {done.exception}".lower()
