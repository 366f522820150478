"""A page at work: its blocks run one after another, in a folder and against an emulator of the page's own."""

from __future__ import annotations

import re
import shutil
from collections.abc import Collection
from importlib import import_module
from typing import Any

import click
import pytest
import yaml

from emulator import Emulator, load_workspace
from emulator.harness.checks.documents import cannot_start
from emulator.merge_patch import merged
from emulator.workspace import parse_workspace
from tests.docs import shell
from tests.docs.blocks import ROOT, Block
from tests.docs.output import Output

_ADDRESS = "127.0.0.1:8585"
_FILE = re.compile(r"# (\S+\.(?:py|ya?ml|json))\b")


class Page:
    """Runs blocks; `printed` is what the last one printed."""

    def __init__(self, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
        self._pytester = pytester
        self._monkeypatch = monkeypatch
        self._folder = pytester.path
        self._names: dict[str, Any] = {"__name__": "page"}
        self._opened: Emulator | None = None
        self.printed = Output("")
        for name in ("fixtures", "contracts"):
            shutil.copytree(ROOT / name, self._folder / name)
        (self._folder / "tests").symlink_to(ROOT / "tests")

    def run(self, block: Block, not_run: Collection[str]) -> None:
        """Runs a block of commands or code; only checks the options of commands that match a pattern of `not_run`."""
        if block.language == "sh":
            for command in shell.commands_in(block.text):
                if any(re.search(pattern, command) for pattern in not_run):
                    check_usage(shell.words_of(command))
                else:
                    self._run_command(command, block)
        elif block.language == "python":
            self._run_python(block)
        elif block.language == "yaml":
            self._run_document(block)
        else:
            raise AssertionError(f"{block.place}: there is no way to run {block.language!r}")

    def close(self) -> None:
        if self._opened is not None:
            self._opened.close()

    @property
    def _emulator(self) -> Emulator:
        if self._opened is None:
            self._open(load_workspace())
        assert self._opened is not None
        return self._opened

    def _open(self, workspace: Any, **options: Any) -> None:
        self.close()
        self._opened = Emulator(workspace, **options)
        self._opened.start()
        self._monkeypatch.setenv("STACKADAPT_EMULATOR_URL", self._opened.url)

    def _run_command(self, command: str, block: Block) -> None:
        words = shell.words_of(command)
        if words[:2] in (["stackadapt-emulator", "serve"], ["make", "serve"]):
            self._serve(words[2:])
            return
        if words[0] == "make":
            words = _recipe(words[1])
            command = " ".join(words)
        here = self._emulator.url.removeprefix("http://")
        ended = shell.run(command.replace(_ADDRESS, here), folder=self._folder)
        output = (ended.output + ended.errors).decode().replace(here, _ADDRESS)
        assert ended.code == block.exit_code, f"{block.place}: {command}\nexit code {ended.code}\n{output}"
        self.printed = Output(output)

    def _serve(self, arguments: list[str]) -> None:
        """What `serve` starts, in this process."""
        given = check_usage(["stackadapt-emulator", "serve", *arguments])
        workspace = load_workspace(given["workspace_path"]).with_options(
            latency=given["latency"], api_version=given["api_version"]
        )
        self._open(workspace, data=given["data"], uploads=given["uploads"])

    def _run_python(self, block: Block) -> None:
        name = _FILE.match(block.text)
        if name is not None:
            (self._folder / name[1]).write_text(block.text, encoding="utf-8")
        elif re.search(r"^def test_", block.text, re.MULTILINE):
            self._pytester.makepyfile(test_page=block.text)
            result = self._pytester.runpytest_inprocess("-p", "no:cacheprovider", "-p", "no:randomly", "test_page.py")
            assert int(result.ret) == block.exit_code, f"{block.place}: pytest ended with {result.ret}"
            self.printed = Output("\n".join(line for line in result.outlines if line.startswith("E ")))
        else:
            code = block.text.replace(_ADDRESS, self._emulator.url.removeprefix("http://"))
            exec(compile(code, block.place, "exec"), self._names)

    def _run_document(self, block: Block) -> None:
        """Plays a scenario; merges parts of a workspace into the default one and checks that an emulator starts.

        Anything else is a file for the commands after it.
        """
        document = yaml.safe_load(block.text)
        name = _FILE.match(block.text)
        path = self._folder / (name[1] if name else "page.yaml")
        if "steps" in document:
            path.write_text(block.text, encoding="utf-8")
            ended = shell.run(f"stackadapt-emulator verify {path}", folder=self._folder)
            assert ended.code == 0, f"{block.place}\n{ended.output.decode()}{ended.errors.decode()}"
            return
        if "survivors" in document:
            path.write_text(block.text, encoding="utf-8")
            return
        default = yaml.safe_load((self._folder / "fixtures/workspace.yaml").read_text(encoding="utf-8"))
        workspace = _completed(merged(default, document), default)
        assert [*cannot_start(parse_workspace(workspace, where=block.place))] == []
        path.write_text(yaml.safe_dump(workspace), encoding="utf-8")


def _completed(document: dict[str, Any], default: dict[str, Any]) -> dict[str, Any]:
    """A workspace of which a page shows parts: the default's audiences and a destination's settings are kept."""
    audiences = {each["key"]: each for each in (*default["audiences"], *document["audiences"])}
    destinations = [{**default["destinations"][0], **each} for each in document["destinations"]]
    return {**document, "audiences": list(audiences.values()), "destinations": destinations}


def _recipe(target: str) -> list[str]:
    """The command of a target of the Makefile."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    found = re.search(rf"^{target}:.*\n\t@?(.*)$", makefile, re.MULTILINE)
    assert found, f"the Makefile has no target {target!r}"
    return found[1].replace("$(BIN)/", "").split()


def check_usage(words: list[str]) -> dict[str, Any]:
    """The options of a command of this package, as click reads them. Other programs are not looked into."""
    if words[0] == "make":
        _recipe(words[1])
    if words[0] != "stackadapt-emulator":
        return {}
    command: click.Command = import_module(f"emulator.cli.{words[1].replace('-', '_')}").command
    rest = [word for word in words[2:] if word != "&"]
    context = click.Context(command)
    while isinstance(command, click.Group) and (inner := command.get_command(context, rest[0])) is not None:
        command, rest = inner, rest[1:]
    return command.make_context(words[1], rest).params
