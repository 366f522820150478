"""`workspace`: shows, checks and changes the workspace of a running emulator, and writes a first file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
import httpx

from emulator.artefacts import fixture
from emulator.cli import SuggestingGroup
from emulator.cli.running import check as check_response
from emulator.cli.running import connect, sandbox_option, unreachable, url_option
from emulator.errors import InputError, WorkspaceError, unwritable
from emulator.text_files import STANDARD_INPUT, place_of, read_text
from emulator.workspace import parse_workspace
from emulator.workspace_diff import diff as compare
from emulator.workspace_document import document_of
from emulator.workspace_file import parse, read
from emulator.yaml_files import dump_yaml

_PATH = "/_emulator/workspace"
_EPILOG = """\b
Examples:
  stackadapt-emulator workspace init workspace.yaml
  stackadapt-emulator workspace show > workspace.yaml
  stackadapt-emulator workspace diff workspace.yaml
  stackadapt-emulator workspace apply workspace.yaml
\b
Exit codes: 0 ok, 1 a difference or an error in the workspace, 2 bad usage, a workspace that cannot be used, or no
emulator at the URL. STACKADAPT_EMULATOR_URL sets --url.
"""

_file_argument = click.argument("file", metavar="FILE")
_json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")


@click.group(cls=SuggestingGroup, epilog=_EPILOG)
def command() -> None:
    """Show, check and change the workspace of a running emulator, or write a first workspace file.

    FILE is YAML or JSON, or - for standard input.
    """


@command.command(
    epilog="""\b
Examples:
  stackadapt-emulator workspace show --mask
  stackadapt-emulator workspace show --json --sandbox checkout
"""
)
@click.option("--mask", is_flag=True, help="Mask tokens and write keys.")
@_json_option
@url_option
@sandbox_option
def show(mask: bool, as_json: bool, url: str, sandbox: str | None) -> None:
    """Print the workspace as it is now, as YAML that `serve --workspace` takes."""
    document = _request("GET", url, sandbox, params={"mask": str(mask).lower()})["workspace"]
    click.echo(json.dumps(document, ensure_ascii=False) if as_json else dump_yaml(document), nl=as_json)


@command.command(
    epilog="""\b
Examples:
  stackadapt-emulator workspace check workspace.yaml
  stackadapt-emulator workspace show | stackadapt-emulator workspace check -
"""
)
@_file_argument
@_json_option
@url_option
@sandbox_option
def check(file: str, as_json: bool, url: str, sandbox: str | None) -> None:
    """Find out whether the emulator would take a workspace, and what lint finds in it; nothing is changed.

    Exits 1 if it would not, or if a finding is an error.
    """
    answer = _request("POST", url, sandbox, path=f"{_PATH}/check", json=dict(_read(file)))
    if as_json:
        click.echo(json.dumps(answer, ensure_ascii=False))
    else:
        _print_findings(answer["findings"])
        click.echo("the emulator would take it" if answer["valid"] else "the emulator would refuse it")
    if not answer["valid"] or any(finding["severity"] == "error" for finding in answer["findings"]):
        raise SystemExit(1)


@command.command(
    epilog="""\b
Examples:
  stackadapt-emulator workspace apply workspace.yaml
  stackadapt-emulator workspace apply --compute workspace.yaml
"""
)
@_file_argument
@click.option("--compute", is_flag=True, help="Compute every audience for all stored profiles afterwards.")
@_json_option
@url_option
@sandbox_option
def apply(file: str, compute: bool, as_json: bool, url: str, sandbox: str | None) -> None:
    """Make FILE the workspace of the emulator; data, queue and clock stay.

    A workspace that cannot be used is refused, and the previous one stays active.
    """
    answer = _request("PUT", url, sandbox, params={"compute": str(compute).lower()}, json=dict(_read(file)))
    if as_json:
        click.echo(json.dumps(answer, ensure_ascii=False))
        return
    _print_findings(answer["findings"])
    for each in answer.get("computed", ()):
        click.echo(f"{each['audience']}: {each['entered']} entered, {each['left']} left, of {each['profiles']}")
    click.echo(f"applied {place_of(file)}")


@command.command(
    epilog="""\b
Examples:
  stackadapt-emulator workspace diff workspace.yaml
  stackadapt-emulator workspace diff --json workspace.yaml
"""
)
@_file_argument
@_json_option
@url_option
@sandbox_option
def diff(file: str, as_json: bool, url: str, sandbox: str | None) -> None:
    """Compare the emulator's workspace with FILE: what applying it would change. Exits 1 when they differ.

    Defaults that are written out are no difference. A named sandbox has its own tokens and write keys; they are not
    compared.
    """
    place = place_of(file)
    wanted = document_of(parse_workspace(_read(file), where=place))
    present = _request("GET", url, sandbox)["workspace"]
    lines = compare(present, wanted, names=("running", place), secrets=sandbox in (None, "default"))
    if as_json:
        click.echo(json.dumps({"differs": bool(lines), "diff": lines}, ensure_ascii=False))
    else:
        for line in lines or ["no difference"]:
            click.echo(line)
    if lines:
        raise SystemExit(1)


@command.command(
    epilog="""\b
Examples:
  stackadapt-emulator workspace init
  stackadapt-emulator workspace init --empty other.yaml
"""
)
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False), default="workspace.yaml")
@click.option("--empty", is_flag=True, help="Only what an emulator needs to start; the rest is added while it runs.")
@click.option("--force", is_flag=True, help="Replace an existing file.")
@_json_option
def init(file: Path, empty: bool, force: bool, as_json: bool) -> None:
    """Write a commented workspace to FILE (default: workspace.yaml). Asks nothing, and needs no running emulator."""
    if not force and file.exists():
        raise InputError("this file exists already", where=str(file), hint="Add --force to replace it.")
    text = read_text(fixture("empty-workspace.yaml" if empty else "starter-workspace.yaml"))
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise unwritable(file, error) from None
    if as_json:
        click.echo(json.dumps({"file": str(file)}))
        return
    click.echo(f"wrote {file}")
    click.echo(f"next: stackadapt-emulator serve --workspace {file} --watch")


def _read(file: str) -> Mapping[str, Any]:
    if file != STANDARD_INPUT:
        return read(Path(file))
    return parse(read_text(file, mistake=WorkspaceError), where=place_of(file))


def _request(method: str, url: str, sandbox: str | None, *, path: str = _PATH, **content: Any) -> Any:
    try:
        with connect(url, sandbox) as client:
            response = client.request(method, path, **content)
    except httpx.HTTPError as error:
        raise unreachable(url, error) from None
    check_response(response)
    return response.json()


def _print_findings(findings: list[dict[str, Any]]) -> None:
    # The checks take long to import, and only errors and warnings are worth a line here.
    for finding in findings:
        if finding["severity"] in ("error", "warning"):
            click.echo(f"{finding['code']} {finding['severity']} {finding['place']}")
            click.echo(f"  {finding['message']}")
