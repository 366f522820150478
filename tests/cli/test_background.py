"""Servers in the background: `start`, `status`, `wait`, `env` and `stop`."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import click
import httpx
import pytest

from emulator.cli import background, env, own_server, processes
from emulator.cli.background import Place, Record
from emulator.cli.client_variables import VARIABLES
from emulator.cli.serve import command as serve_command
from emulator.cli.start import _given
from emulator.cli.start import command as start_command
from tests.conftest import environment

Run = Callable[..., subprocess.CompletedProcess[str]]
Emulate = Callable[..., str]

EMULATOR = [sys.executable, "-P", "-m", "emulator"]
SECONDS = 60
TOKEN = "it's;a$token"
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs a Unix system")


def shell(line: str, folder: Path, state: Path) -> subprocess.CompletedProcess[str]:
    """What a script does in a folder; $EMULATOR is the command."""
    given = {**environment(), "EMULATOR": shlex.join(EMULATOR), "XDG_STATE_HOME": str(state)}
    return subprocess.run(
        ["sh", "-c", line], capture_output=True, text=True, timeout=SECONDS, env=given, cwd=folder, check=False
    )


def is_listening(url: str) -> bool:
    return own_server.health_at(url) is not None


class Started:
    """A server in the background of a folder that has a package of our name."""

    def __init__(self, base: Path) -> None:
        self.folder, self.state = base / "project", base / "state"
        (self.folder / "emulator").mkdir(parents=True)
        (self.folder / "emulator/__init__.py").write_text("raise SystemExit('the wrong package')")
        # A pipe ends when no process has it open; the shell ends too.
        self.done = self.shell(f"$EMULATOR start --port 0 --control-token {shlex.quote(TOKEN)} --json | cat")
        self.connection: dict[str, Any] = json.loads(self.done.stdout)
        self.url = self.connection["url"]

    def shell(self, line: str) -> subprocess.CompletedProcess[str]:
        return shell(line, self.folder, self.state)


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Started]:
    started = Started(tmp_path_factory.mktemp("started"))
    yield started
    started.shell("$EMULATOR stop")


@pytest.fixture
def here(call: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of its own for commands of this process; what they started is stopped."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    yield folder
    monkeypatch.chdir(folder)
    assert call("stop").returncode == 0


@pytest.fixture
def there(started: Started, call: Run, monkeypatch: pytest.MonkeyPatch) -> Started:
    """The folder of the server that several tests use, for commands of this process."""
    monkeypatch.chdir(started.folder)
    monkeypatch.setenv("XDG_STATE_HOME", str(started.state))
    return started


def files_in(here: Path) -> set[str]:
    return {path.suffix for path in (here.parent / "state/stackadapt-emulator/servers").glob("*.*")}


def test_it_runs_when_the_shell_that_started_it_has_ended(started: Started) -> None:
    assert started.done.stderr == ""
    assert TOKEN not in started.done.stdout
    assert is_listening(started.url)


def test_the_files_are_readable_by_the_user_only(started: Started) -> None:
    folder = started.state / "stackadapt-emulator/servers"
    assert {path.stat().st_mode & 0o077 for path in (folder, *folder.iterdir())} == {0}


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="needs /proc")
def test_the_control_token_is_not_among_the_arguments(there: Started, call: Run) -> None:
    pid = json.loads(call("status", "--json").stdout)["pid"]
    arguments = Path(f"/proc/{pid}/cmdline").read_text().split("\0")
    assert "--port=0" in arguments
    assert TOKEN not in "".join(arguments)


def test_a_control_token_in_the_environment_of_the_server_is_known(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def launched(_place: Place, _lock: int, options: Mapping[str, str | bool]) -> Record:
        return Record(pid=1, options=options, connection={"controlToken": "generated"})

    monkeypatch.setattr(processes, "_launched", launched)
    monkeypatch.setenv("STACKADAPT_EMULATOR_SERVE_CONTROL_TOKEN", TOKEN)
    assert processes.started(background.place_here(), {})[0].control_token == TOKEN
    assert processes.started(background.place_here(), {"--control-token": "given"})[0].control_token == "given"
    monkeypatch.setenv("STACKADAPT_EMULATOR_SERVE_CONTROL_TOKEN", "")
    assert processes.started(background.place_here(), {})[0].control_token == "generated"


def test_status_names_the_address_the_process_and_the_log(there: Started, call: Run, tmp_path: Path) -> None:
    shown = json.loads(call("status", "--json").stdout)
    assert (shown["running"], shown["url"], shown["folder"]) == (True, there.url, str(there.folder))
    assert Path(shown["log"]).exists()
    printed = call("status")
    assert printed.returncode == 0
    assert all(str(shown[key]) in printed.stdout for key in ("url", "pid", "folder", "log", "version"))
    elsewhere = call("status", "--json", "--url", there.url)
    assert json.loads(elsewhere.stdout) == {"running": True, "url": there.url, "version": shown["version"]}


def test_a_folder_is_the_same_by_every_path(there: Started, call: Run, tmp_path: Path, monkeypatch: Any) -> None:
    (tmp_path / "link").symlink_to(there.folder)
    monkeypatch.chdir(tmp_path / "link")
    assert call("wait", "--timeout", "5s").stdout == f"{there.url}\n"
    monkeypatch.chdir(tmp_path)
    assert call("status").returncode == 1


def test_the_same_start_again_prints_the_same(there: Started, call: Run) -> None:
    again = call("start", "--port", "0", "--control-token", TOKEN, "--json")
    assert (again.returncode, json.loads(again.stdout)) == (0, there.connection)
    assert again.stderr.startswith("already running as process ")


def test_a_start_with_other_options_is_refused(there: Started, call: Run) -> None:
    refused = call("start", "--port", "0", "--latency", "4h")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "Found: '--port=0 --latency=4h'. Allowed: --port=0 --control-token=***." in refused.stderr
    assert "stackadapt-emulator stop" in refused.stderr
    assert TOKEN not in refused.stderr


def test_env_sets_the_variables_of_exec_in_a_shell(started: Started) -> None:
    names = " ".join((*VARIABLES, "STACKADAPT_EMULATOR_CONTROL_TOKEN"))
    shown = started.shell(
        f'set -e; eval "$($EMULATOR env)"; for each in {names}; do printenv $each; done; $EMULATOR clock show'
    )
    assert shown.returncode == 0, shown.stderr
    graphql, token, advertiser, segment, key, url, control = shown.stdout.splitlines()[:-1]
    assert (graphql, segment, url) == (f"{started.url}/graphql", started.url, started.url)
    assert (token, advertiser, key, control) == ("sa-local-write", "1001", "segment-local", TOKEN)


def test_env_in_its_forms(there: Started, call: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    # As after an earlier `eval`.
    monkeypatch.setenv("STACKADAPT_EMULATOR_URL", "http://127.0.0.1:9")
    variables = json.loads(call("env", "--format", "json").stdout)
    assert variables["STACKADAPT_EMULATOR_URL"] == there.url
    assert call("env", "--format", "github").stdout == "".join(f"{n}={v}\n" for n, v in variables.items())
    assert [line.partition("=")[0] for line in call("env").stdout.splitlines()] == [f"export {n}" for n in variables]
    elsewhere = call("env", "--format", "json", "--url", there.url, "--control-token", TOKEN)
    assert json.loads(elsewhere.stdout) == variables
    refused = call("env", "--url", there.url)
    assert (refused.returncode, refused.stdout) == (2, "false\n")
    assert "control token" in refused.stderr


NASTY = ("a b", "it's", '"', "$HOME `id` \\", "two\nlines", "_END_\n_END_", "", "é")


@pytest.mark.parametrize("value", NASTY)
def test_a_value_with_any_characters_reaches_the_shell(value: str) -> None:
    line = 'eval "$(cat)"; printf %s "$NAME"'
    shown = subprocess.run(["sh", "-c", line], input=env._shell({"NAME": value}), capture_output=True, text=True)
    assert (shown.stdout, shown.stderr) == (value, "")


@pytest.mark.parametrize("value", NASTY)
def test_a_value_with_any_characters_reaches_an_action(value: str) -> None:
    first, *rest = env._github({"NAME": value}).split("\n")
    if not rest:
        assert first == f"NAME={value}"
    else:
        delimiter = first.removeprefix("NAME<<")
        assert (rest.index(delimiter), "\n".join(rest[:-1])) == (len(rest) - 1, value)


@pytest.mark.parametrize(
    ("command", "code", "out"),
    [
        (("status",), 1, "not running: "),
        (("wait", "--timeout", "0.1s"), 1, ""),
        (("env",), 1, "false\n"),
        (("env", "--format", "github"), 1, ""),
        (("stop",), 0, "nothing to stop: "),
    ],
)
def test_where_nothing_was_started(here: Path, call: Run, command: tuple[str, ...], code: int, out: str) -> None:
    shown = call(*command)
    assert shown.returncode == code
    assert shown.stdout.startswith(out)
    assert "no server started from" in shown.stdout + shown.stderr
    assert str(here) in shown.stdout + shown.stderr


@pytest.mark.parametrize("command", [("status",), ("wait", "--timeout", "0.1s"), ("env",)], ids=lambda words: words[0])
def test_where_nothing_answers(call: Run, command: tuple[str, ...]) -> None:
    shown = call(*command, "--url", "http://127.0.0.1:9")
    assert shown.returncode == 1
    assert "http://127.0.0.1:9: no emulator answers here" in shown.stdout + shown.stderr


@pytest.mark.parametrize("command", ["status", "wait", "env"])
def test_another_host_needs_a_flag(call: Run, command: str) -> None:
    refused = call(command, "--url", "http://192.0.2.1:8585")
    assert (refused.returncode, "--allow-remote" in refused.stderr) == (2, True)


def test_wait_is_for_a_server_that_something_else_starts(call: Run, emulate: Emulate) -> None:
    url = emulate()
    assert call("wait", "--url", url).stdout == f"{url}\n"
    assert call("wait", "--url", url, "--timeout", "soon").returncode == 2


def test_a_server_from_start_to_stop_and_one_that_is_killed(here: Path, call: Run) -> None:
    first = call("start", "--port", "0")
    assert first.stdout.startswith("stackadapt-emulator is ready at http://127.0.0.1:")
    assert "\nStop with stackadapt-emulator stop.\n" in first.stdout
    status = json.loads(call("status", "--json").stdout)
    os.kill(status["pid"], signal.SIGKILL)
    os.waitpid(status["pid"], 0)
    ended = call("status", "--json")
    assert ended.returncode == 1
    assert "has ended by itself" in ended.stdout
    assert status["log"] in ended.stdout

    url = json.loads(call("start", "--port", "0", "--json").stdout)["url"]
    pid = json.loads(call("status", "--json").stdout)["pid"]
    assert call("stop").stdout == f"stopped process {pid}; its log is {status['log']}\n"
    assert os.waitpid(pid, 0) == (pid, 0)
    assert not is_listening(url)
    assert files_in(here) == {".log"}
    assert "no server started from this folder is running" in call("status").stdout


def test_two_starts_at_the_same_time_start_one_server(here: Path) -> None:
    def start(_: int) -> subprocess.CompletedProcess[str]:
        return shell("$EMULATOR start --port 0 --json", here, here.parent / "state")

    with ThreadPoolExecutor(2) as threads:
        first, second = threads.map(start, range(2))
    assert (first.returncode, second.returncode) == (0, 0), first.stderr + second.stderr
    assert first.stdout == second.stdout
    assert sorted((first.stderr[:7], second.stderr[:7])) == ["", "already"]


def test_a_start_that_fails_shows_why_and_leaves_nothing(here: Path, call: Run, emulate: Emulate) -> None:
    port = emulate().rpartition(":")[2]
    taken = call("start", "--port", port)
    assert (taken.returncode, taken.stdout) == (2, "")
    assert taken.stderr.startswith(f"error: 127.0.0.1: port {port} is in use.")
    (here / "workspace.yaml").write_text("advertisers: [{id: '1', nme: A}]\n")
    invalid = call("start", "--port", "0", "--workspace", "workspace.yaml")
    assert (invalid.returncode, invalid.stdout) == (2, "")
    assert invalid.stderr.startswith("error: workspace.yaml: ")
    assert files_in(here) == set()


def test_what_serve_prints_on_standard_error_is_printed(here: Path, call: Run) -> None:
    shown = call("start", "--port", "0", "--host", "0.0.0.0")
    assert shown.stderr.startswith("warning: listening on a non-loopback address")
    assert "control token  control-" in shown.stdout
    assert "CONTROL_TOKEN='control-" in call("env").stdout


def test_an_interrupted_start_leaves_nothing(here: Path, call: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    urls = []

    def interrupted(url: str) -> None:
        urls.append(url)
        raise KeyboardInterrupt

    monkeypatch.setattr(processes, "health_at", interrupted)
    assert call("start", "--port", "0").returncode == 130
    with pytest.raises(httpx.ConnectError):
        httpx.get(urls[0], trust_env=False)
    assert files_in(here) == set()


def test_the_process_of_a_server_that_has_ended_is_left_alone(here: Path, call: Run) -> None:
    place = background.place_here()
    os.close(place.claim() or 0)
    # Its number is that of another process now.
    place.write(Record(pid=os.getpid(), options={}, connection={"url": "http://127.0.0.1:9"}))
    assert call("stop").stdout.startswith("nothing to stop")
    assert "has ended by itself" in call("status").stdout


def test_a_server_that_has_ended_is_not_taken_for_the_one_that_starts(
    here: Path, call: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = background.place_here()
    os.close(place.claim() or 0)
    place.write(Record(pid=os.getpid(), options={}, connection={"url": "http://127.0.0.1:9"}))

    def launched(_place: Place, _lock: int, options: Mapping[str, str | bool]) -> Record:
        assert "is being started" in call("status").stdout
        assert place.record() is None
        return Record(pid=1, options=options, connection={})

    monkeypatch.setattr(processes, "_launched", launched)
    assert processes.started(place, {})[1]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"process": 1}'])
def test_a_record_of_another_version(here: Path, call: Run, text: str) -> None:
    place = background.place_here()
    os.close(place.claim() or 0)
    place.write(Record(pid=1, options={}))
    (file,) = place.log.parent.glob("*.json")
    file.write_text(text)
    shown = call("status")
    file.unlink()
    assert (shown.returncode, "no record of a server" in shown.stderr) == (2, True)


def test_a_server_that_is_being_started(here: Path, call: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "_START_SECONDS", 0.1)
    monkeypatch.setattr(processes, "_STOP_SECONDS", 0.1)
    place = background.place_here()
    lock = place.claim()
    assert lock is not None
    assert "is being started" in call("status").stdout
    assert call("stop").returncode == 1
    assert "does not end" in call("start").stderr
    os.close(lock)


def test_two_stops_at_the_same_time_both_find_that_it_has_ended(
    here: Path, call: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = background.place_here()
    lock = place.claim()
    assert lock is not None
    find = Place.in_use

    def other_stop(self: Place) -> bool:
        """It removes the files between the first look of this one and the next."""
        found = find(self)
        place.clear(keep_log=True)
        os.close(lock)
        return found

    with monkeypatch.context() as patched:
        patched.setattr(Place, "in_use", other_stop)
        stopped = call("stop")
    assert (stopped.returncode, stopped.stdout.startswith("nothing to stop")) == (0, True)
    assert files_in(here) <= {".log"}


# A server in the background has no program at its standard input.
SHARED = [each for each in serve_command.params if each.name != "until_stdin_closes"]


def test_every_option_of_serve_is_passed_on() -> None:
    values = {"integer range": "7", "choice": "json", "path": "file", "directory": "folder", "text": "x y=z"}
    options = [each for each in SHARED if isinstance(each, click.Option) and each.name != "as_json"]
    line = [
        word
        for each in options
        for word in ((each.opts[0],) if each.is_flag else (each.opts[0], values[each.type.name]))
    ]
    given = _given(start_command.make_context("start", list(line)))
    assert given.keys() == {each.opts[0] for each in options}
    passed = serve_command.make_context("serve", processes._arguments(given)).params
    assert passed == serve_command.make_context("serve", list(line)).params


def test_the_options_are_those_of_serve() -> None:
    assert [each.to_info_dict() for each in start_command.params] == [each.to_info_dict() for each in SHARED]


@pytest.mark.parametrize(
    ("variables", "folder"),
    [
        ({"XDG_STATE_HOME": "/given"}, "/given/stackadapt-emulator"),
        ({"XDG_STATE_HOME": "relative"}, "/home/ada/.local/state/stackadapt-emulator"),
        ({}, "/home/ada/.local/state/stackadapt-emulator"),
    ],
)
def test_the_folder_for_state(variables: dict[str, str], folder: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("HOME", "/home/ada")
    assert background._state_folder(variables) == Path(folder)


def test_a_folder_for_state_that_cannot_be_written(here: Path, call: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    (here / "file").touch()
    with monkeypatch.context() as changed:
        changed.setenv("XDG_STATE_HOME", str(here / "file"))
        refused = call("start")
    assert (refused.returncode, refused.stderr.startswith(f"error: cannot write {here}/file/")) == (2, True)


def test_a_record_says_no_secrets_of_itself() -> None:
    record = Record(pid=1, options={"--control-token": TOKEN}, connection={"controlToken": TOKEN})
    assert TOKEN not in repr(record)


def test_a_look_at_the_lock_is_not_mistaken_for_a_server(tmp_path: Path) -> None:
    place = Place(tmp_path, tmp_path / "state")
    with ThreadPoolExecutor(4) as threads:
        looks = [threads.submit(place.in_use) for _ in range(400)]
        for _ in range(100):
            claimed = place.claim()
            assert claimed is not None
            os.close(claimed)
    assert all(look.exception() is None for look in looks)
