"""`exec`: a command with its own emulator."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.conftest import ROOT, command, environment

VARIABLES = (
    "STACKADAPT_GRAPHQL_URL",
    "STACKADAPT_TOKEN",
    "STACKADAPT_ADVERTISER_ID",
    "SEGMENT_HOST",
    "SEGMENT_WRITE_KEY",
    "STACKADAPT_EMULATOR_URL",
)
SECONDS = 60

# Waits for a signal and prints its name, in any process of the group.
WAITING = """
import os, signal, sys
def report(number, frame):
    os.write(1, f"{signal.Signals(number).name}\\n".encode())
    sys.exit(9)
signal.signal(signal.SIGINT, report)
signal.signal(signal.SIGTERM, report)
os.write(1, (os.environ["STACKADAPT_EMULATOR_URL"] + "\\n").encode())
while True:
    signal.pause()
"""
SEND = """
import base64, json, os, sys, urllib.request
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
key = base64.b64encode(f"{os.environ['SEGMENT_WRITE_KEY']}:".encode()).decode()
for user in ("u1", "u2"):
    body = json.dumps({"userId": user, "traits": {"first_name": "Ada", "total_spent": 900}}).encode()
    opener.open(urllib.request.Request(os.environ["SEGMENT_HOST"] + "/v1/identify", body,
                {"authorization": f"Basic {key}", "content-type": "application/json"}))
headers = {"authorization": f"Bearer {os.environ['STACKADAPT_TOKEN']}", "content-type": "application/json"}
query = json.dumps({"query": '{ user { email("ada@example.com") } }'}).encode()
opener.open(urllib.request.Request(os.environ["STACKADAPT_GRAPHQL_URL"], query, headers))
wrong = {**headers, "authorization": "Bearer sa-wrong-0123456789"}
try:
    opener.open(urllib.request.Request(os.environ["STACKADAPT_GRAPHQL_URL"], b'{"query": "{ user { email } }"}', wrong))
except urllib.error.HTTPError as error:
    assert error.code == 401
sys.exit(int(sys.argv[1]))
"""

Run = Callable[..., subprocess.CompletedProcess[str]]


def python(code: str, *arguments: str) -> tuple[str, ...]:
    return ("exec", "--", sys.executable, "-c", code, *arguments)


def start(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command(*arguments),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(),
        cwd=ROOT,
    )


def is_listening(url: str) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", urlsplit(url).port or 0)) == 0


def test_the_command_finds_the_emulator_by_its_variables(run: Run) -> None:
    done = run(*python(f"import json, os; print(json.dumps([os.environ[name] for name in {VARIABLES}]))"))
    graphql, token, advertiser, segment, write_key, url = json.loads(done.stdout)
    assert (graphql, segment) == (f"{url}/graphql", url)
    assert (token, advertiser, write_key) == ("sa-local-write", "1001", "segment-local")
    assert done.stderr == ""


def test_the_command_gets_the_given_workspace(run: Run, tmp_path: Path) -> None:
    workspace = tmp_path / "workspace.json"
    tokens = [{"token": "our-token", "name": "Ours", "scopes": {"77": ["READ", "WRITE"]}}]
    workspace.write_text(json.dumps({"advertisers": [{"id": "77", "name": "Ours"}], "tokens": tokens}))
    code = "import os; print(os.environ['STACKADAPT_ADVERTISER_ID'], repr(os.environ['SEGMENT_WRITE_KEY']))"
    done = run("exec", "--workspace", str(workspace), "--", sys.executable, "-c", code)
    assert done.stdout == "77 ''\n"


def test_options_after_the_command_belong_to_it(run: Run) -> None:
    done = run("exec", sys.executable, "-c", "import sys; print(sys.argv[1:])", "--workspace", "--", "-h")
    assert done.stdout == "['--workspace', '--', '-h']\n"


@pytest.mark.parametrize(
    ("code", "expected"),
    [("", 0), ("import sys; sys.exit(7)", 7), ("import os; os.kill(os.getpid(), 9)", 128 + 9)],
    ids=["success", "failure", "killed"],
)
def test_the_exit_code_is_that_of_the_command(call: Run, code: str, expected: int) -> None:
    assert call(*python(code)).returncode == expected


def test_a_missing_command_is_one_line(call: Run) -> None:
    done = call("exec", "--", "no-such-command")
    assert (done.returncode, done.stderr) == (127, "error: command not found: no-such-command\n")
    done = call("exec", "--", str(ROOT))
    assert (done.returncode, done.stderr) == (126, f"error: cannot run {ROOT}: Permission denied\n")


def test_no_command_at_all_is_bad_usage(run: Run) -> None:
    assert run("exec").returncode == 2


REFUSED = """\
  count  stage    who     what and why
      2  Segment  u1, u2  identify to 'StackAdapt Acme': rejected, PAYLOAD_VALIDATION_FAILED: The root value is \
missing the required field 'email'.
      2  Segment  u1, u2  track 'Audience Entered' to 'StackAdapt Acme': rejected, PAYLOAD_VALIDATION_FAILED: \
The root value is missing the required field 'email'.
      1  GraphQL  -       unreadable document: errors, 200; Syntax Error: Expected Name, found String "***". \
(line 1, column 16)
      1  GraphQL  -       user: refused with 401, unknown token (sha256:b48c2b4c)
"""


@pytest.mark.parametrize(
    ("options", "command_code", "code", "heading"),
    [
        ((), 0, 0, "refused, rejected or failed"),
        (("--fail-on-refused",), 0, 1, "refused, rejected or failed"),
        ((), 3, 3, "the command exited with code 3. Failures"),
        (("--fail-on-refused",), 3, 3, "the command exited with code 3. Failures"),
    ],
)
def test_what_was_refused_is_printed_without_email_addresses(
    call: Run, options: tuple[str, ...], command_code: int, code: int, heading: str
) -> None:
    done = call("exec", *options, "--", sys.executable, "-c", SEND, str(command_code))
    assert done.returncode == code
    assert done.stderr == f"stackadapt-emulator: {heading}:\n{REFUSED}"


IN_A_SANDBOX = """
import json, os, urllib.request
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
def post(path, body):
    sent = urllib.request.Request(os.environ["STACKADAPT_EMULATOR_URL"] + path, json.dumps(body).encode(),
                                  {"content-type": "application/json"})
    return json.load(opener.open(sent))
sandbox = post("/_emulator/sandboxes", {"name": "mine"})
post("/v1/track", {"userId": "u1", "writeKey": sandbox["writeKey"]})
"""


def test_what_was_refused_in_another_sandbox_is_printed(call: Run) -> None:
    done = call("exec", "--fail-on-refused", "--", sys.executable, "-c", IN_A_SANDBOX)
    assert (done.returncode, done.stderr) == (
        1,
        (
            "stackadapt-emulator: refused, rejected or failed:\n"
            "  count  stage    who  what and why\n"
            "      1  Segment  u1   track: dropped on ingest, event_not_defined\n"
        ),
    )


def test_nothing_is_printed_when_nothing_was_refused(call: Run) -> None:
    done = call("exec", "--fail-on-refused", "--", sys.executable, "-c", "")
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_is_forwarded_and_the_emulator_stops_after_the_command(number: signal.Signals) -> None:
    with start(*python(WAITING)) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        assert is_listening(url)
        process.send_signal(number)
        rest, errors = process.communicate(timeout=SECONDS)
    assert rest == f"{number.name}\n"
    assert process.returncode == 9
    assert errors == ""
    assert not is_listening(url)


# A signal when the command has just been started.
EARLY = """
import signal, subprocess, sys
from emulator.cli import main

class Early(subprocess.Popen):
    def __init__(self, *given, **named):
        super().__init__(*given, **named)
        signal.raise_signal(signal.SIGTERM)

subprocess.Popen = Early
sys.argv = ["stackadapt-emulator", "exec", "--", sys.executable, "-c", "import sys; sys.stdin.read()"]
main()
"""


def test_a_signal_while_the_command_starts_ends_it() -> None:
    with subprocess.Popen([sys.executable, "-c", EARLY], stdin=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.wait(timeout=SECONDS)
        assert (process.returncode, process.communicate()[1]) == (128 + signal.SIGTERM, b"")


def test_a_signal_for_a_command_of_another_user_is_an_error() -> None:
    denied = "\ndef denied(*_): raise PermissionError(1, 'not permitted')\nimport os\nos.killpg = denied\nsys.argv"
    code = EARLY.replace("\nsys.argv", denied)
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.wait(timeout=SECONDS)
        errors = process.communicate()[1].decode()
    assert (process.returncode, "the command cannot be stopped" in errors) == (2, True), errors


def test_the_command_ignores_what_this_process_ignores() -> None:
    code = EARLY.replace("subprocess.Popen = Early", "signal.signal(signal.SIGHUP, signal.SIG_IGN)")
    shown = "import signal; print(signal.getsignal(signal.SIGHUP) == signal.SIG_IGN)"
    code = code.replace("import sys; sys.stdin.read()", shown)
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as process:
        assert process.communicate(timeout=SECONDS)[0].strip() == b"True"


def test_a_signal_reaches_the_children_of_the_command() -> None:
    patient = "import signal, subprocess, sys; signal.signal(signal.SIGTERM, lambda *_: None)"
    with start(*python(f"{patient}; sys.exit(subprocess.call([sys.executable, '-c', {WAITING!r}]))")) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(signal.SIGTERM)
        rest, _ = process.communicate(timeout=SECONDS)
    assert rest == "SIGTERM\n"
    assert process.returncode == 9


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_after_the_command_stops_the_emulator(number: signal.Signals) -> None:
    code = f"""
import os, signal
from emulator.cli.exec import _run
# A parent, such as nohup, may ignore it.
signal.signal({number}, signal.SIG_DFL)
_run(("true",), os.environ)
os.kill(os.getpid(), {number})
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, env=environment(), cwd=ROOT, check=False)
    assert done.returncode == -number


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="needs a pseudo-terminal")
def test_at_a_terminal_the_command_reads_input_and_gets_ctrl_c_once() -> None:
    ours, theirs = os.openpty()
    code = "print(input(), flush=True)" + WAITING
    with subprocess.Popen(
        command(*python(code)),
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(),
        cwd=ROOT,
        start_new_session=True,
        preexec_fn=lambda: _own_terminal(0),
    ) as process:
        assert process.stdout is not None
        os.write(ours, b"hello\n")
        assert process.stdout.readline() == "hello\n"
        process.stdout.readline()
        os.write(ours, b"\x03")
        rest, errors = process.communicate(timeout=SECONDS)
    os.close(ours)
    os.close(theirs)
    assert (rest, errors, process.returncode) == ("SIGINT\n", "", 9)


def _own_terminal(descriptor: int) -> None:
    import fcntl
    import termios

    fcntl.ioctl(descriptor, termios.TIOCSCTTY, 0)


# What is kept from one `exec` to the next.

IDENTIFY = """
import base64, json, os, sys, urllib.request
key = base64.b64encode(f"{os.environ['SEGMENT_WRITE_KEY']}:".encode()).decode()
for user, email in (("u1", {"email": "ada@example.com"}), ("u2", {})):
    body = json.dumps({"userId": user, "traits": {"first_name": "Ada", "total_spent": 900, **email}}).encode()
    urllib.request.build_opener(urllib.request.ProxyHandler({})).open(
        urllib.request.Request(os.environ["SEGMENT_HOST"] + "/v1/identify", body,
                               {"authorization": f"Basic {key}", "content-type": "application/json"}))
sys.exit(5)
"""
PROFILES = """
import os, urllib.request
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
open("seen", "wb").write(opener.open(os.environ["STACKADAPT_EMULATOR_URL"] + "/_emulator/profiles").read())
"""
MARK = "open('ran', 'w')"


@pytest.fixture
def folder(tmp_path: Path, call: Run, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def emails(folder: Path) -> list[str]:
    return [profile["email"] for profile in json.loads((folder / "seen").read_text())["profiles"]]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (("--export-on-exit", "state.gz"), ("--import", "state.gz", "--export-on-exit", "state.gz")),
        (("--data", "state"), ("--data", "state")),
    ],
    ids=["files", "a folder"],
)
def test_the_next_command_finds_the_state_and_only_its_own_failures(
    call: Run, folder: Path, first: tuple[str, ...], second: tuple[str, ...]
) -> None:
    failed = call("exec", *first, "--", sys.executable, "-c", IDENTIFY)
    assert failed.returncode == 5
    assert "missing the required field 'email'" in failed.stderr
    done = call("exec", *second, "--fail-on-refused", "--", sys.executable, "-c", PROFILES)
    assert (done.returncode, done.stderr) == (0, "")
    assert emails(folder) == ["ada@example.com"]
    another = IDENTIFY.replace("u2", "u3").replace("exit(5)", "exit(0)")
    again = call("exec", *second, "--fail-on-refused", "--", sys.executable, "-c", another)
    assert again.returncode == 1
    assert ("u3" in again.stderr, "u2" in again.stderr) == (True, False)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--import", "none.gz"), "error: cannot read none.gz: no such file."),
        (("--export-on-exit", "none/state.gz"), "error: cannot write none/state.gz: no such folder."),
        (("--import", "damaged.gz"), "error: "),
        (("--data", "damaged.gz"), "Error: "),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_a_file_that_cannot_be_used_is_reported_before_the_command_runs(
    call: Run, folder: Path, options: tuple[str, ...], message: str
) -> None:
    (folder / "damaged.gz").write_text("x")
    refused = call("exec", *options, "--", sys.executable, "-c", MARK)
    assert refused.returncode == 2
    assert message in refused.stderr
    assert not (folder / "ran").exists()
    assert [path.name for path in folder.iterdir()] == ["damaged.gz"]


@pytest.mark.parametrize(("command_code", "code"), [(0, 2), (7, 7)])
def test_a_state_that_cannot_be_written_afterwards_is_an_error(
    call: Run, folder: Path, command_code: int, code: int
) -> None:
    (folder / "gone").mkdir()
    remove = f"import os, sys; os.rmdir('gone'); sys.exit({command_code})"
    done = call("exec", "--export-on-exit", "gone/state.gz", "--", sys.executable, "-c", remove)
    assert done.returncode == code
    assert done.stderr.startswith("error: cannot write gone/state.gz: no such folder.")


def test_data_keeps_its_workspace_until_it_is_to_be_replaced(call: Run, folder: Path) -> None:
    (folder / "workspace.yaml").write_text(
        "advertisers: [{id: '7', name: A}]\ntokens: [{token: t, name: T, scopes: {'7': [READ, WRITE]}}]\n"
    )
    assert call("exec", "--data", "state", "--", "true").returncode == 0
    given = ("exec", "--data", "state", "--workspace", "workspace.yaml")
    refused = call(*given, "--", "true")
    assert (refused.returncode, "add --replace-workspace" in refused.stderr) == (2, True)
    assert call(*given, "--replace-workspace", "--", "true").returncode == 0
    kept = call("exec", "--data", "state", "--", "true")
    assert (kept.returncode, kept.stderr) == (0, "The workspace stored with the data is used.\n")
