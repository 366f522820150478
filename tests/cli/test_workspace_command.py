"""`workspace` on the command line: a first file, and the workspace of a running server."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from emulator import Emulator, load_workspace
from emulator.clock import polls
from emulator.harness.checks import lint
from tests.conftest import command, environment

Run = Callable[..., subprocess.CompletedProcess[str]]
Emulate = Callable[..., str]
Serve = Callable[..., Any]


def test_init_writes_a_file_that_serve_takes_without_warnings(call: Run, tmp_path: Path) -> None:
    file = tmp_path / "workspace.yaml"
    done = call("workspace", "init", str(file))
    assert (done.returncode, done.stdout.splitlines()[0]) == (0, f"wrote {file}")
    assert {finding.severity for finding in lint(load_workspace(file))} == {"note"}
    assert "#" in file.read_text(encoding="utf-8")
    again = call("workspace", "init", "--empty", str(file))
    assert (again.returncode, again.stderr) == (
        2,
        f"error: {file}: this file exists already. Add --force to replace it.\n",
    )
    assert call("workspace", "init", "--empty", "--force", str(file)).returncode == 0
    workspace = load_workspace(file)
    assert (workspace.sources, workspace.audiences, workspace.destinations) == ((), (), ())
    with Emulator(workspace) as emulator:
        assert emulator.client.get("/_emulator/health").status_code == 200


def test_a_running_workspace_is_shown_checked_compared_and_changed(call: Run, emulate: Emulate, tmp_path: Path) -> None:
    url = ("--url", emulate())
    file = tmp_path / "workspace.yaml"
    shown = call("workspace", "show", *url)
    file.write_text(shown.stdout, encoding="utf-8")
    same = call("workspace", "diff", str(file), *url)
    assert (same.returncode, same.stdout) == (0, "no difference\n")
    file.write_text(shown.stdout.replace("VIP Customers", "Best Customers"), encoding="utf-8")
    differs = call("workspace", "diff", str(file), *url)
    assert differs.returncode == 1
    assert "-  name: VIP Customers" in differs.stdout
    assert "+  name: Best Customers" in differs.stdout
    assert call("workspace", "check", str(file), *url).returncode == 0
    applied = call("workspace", "apply", "--compute", str(file), *url)
    assert applied.returncode == 0, applied.stderr
    assert applied.stdout.splitlines()[-2:] == ["vip_customers: 0 entered, 0 left, of 0", f"applied {file}"]
    assert call("workspace", "diff", "--json", str(file), *url).stdout == '{"differs": false, "diff": []}\n'
    assert json.loads(call("workspace", "show", "--json", "--mask", *url).stdout)["tokens"][0]["token"] == "***"


def test_a_broken_file_is_refused_with_its_place(call: Run, emulate: Emulate, tmp_path: Path) -> None:
    url = ("--url", emulate())
    file = tmp_path / "workspace.yaml"
    file.write_text("advertisers: []\ntokens: []\n", encoding="utf-8")
    checked = call("workspace", "check", "--json", str(file), *url)
    assert (checked.returncode, json.loads(checked.stdout)["valid"]) == (1, False)
    applied = call("workspace", "apply", str(file), *url)
    assert applied.returncode == 2
    assert applied.stderr.startswith("error: workspace: tokens: this array is too short")


def test_a_served_file_is_watched(serve: Serve, tmp_path: Path) -> None:
    file = tmp_path / "workspace.yaml"
    text = json.dumps(
        {"advertisers": [{"id": "1", "name": "One"}], "tokens": [{"token": "t", "name": "T", "scopes": {}}]}
    )
    file.write_text(text, encoding="utf-8")
    url = serve("--workspace", str(file), "--watch").url
    file.write_text(text.replace("One", "Two"), encoding="utf-8")
    for _ in polls(30, every=0.1):
        shown = httpx.get(f"{url}/_emulator/workspace", trust_env=False).json()["workspace"]
        if shown["advertisers"][0]["name"] == "Two":
            return
    pytest.fail("the file was not applied")


def test_stored_data_keeps_its_workspace(serve: Serve, call: Run, tmp_path: Path) -> None:
    file, other, data = tmp_path / "one.yaml", tmp_path / "other.yaml", str(tmp_path / "data")
    assert call("workspace", "init", str(file)).returncode == 0
    other.write_text(file.read_text(encoding="utf-8").replace("name: local", "name: other"), encoding="utf-8")
    refused = ("serve", "--port", "0", "--workspace", str(other), "--data", data)
    with Emulator(file, data=Path(data)) as emulator:
        emulator.client.patch("/_emulator/workspace", json={"timing": "realistic"})
    done = subprocess.run(command(*refused), capture_output=True, text=True, env=environment(), timeout=60, check=False)
    assert done.returncode == 2
    assert "the data belongs to another workspace" in done.stderr
    assert "--replace-workspace" in done.stderr
    served = serve("--workspace", str(file), "--data", data)
    assert httpx.get(f"{served.url}/_emulator/workspace", trust_env=False).json()["workspace"]["timing"] == "realistic"
    served.stop()
    served = serve("--workspace", str(other), "--data", data, "--replace-workspace")
    assert httpx.get(f"{served.url}/_emulator/workspace", trust_env=False).json()["workspace"]["name"] == "other"
