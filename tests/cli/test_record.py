"""`record` and `verify --exchanges` as a user runs them, against an endpoint that differs from the emulator."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import httpx
import pytest

from emulator import Emulator
from emulator.server.listener import Listener
from tests.conftest import READY_SECONDS, ROOT, command, environment

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

Run = Callable[..., subprocess.CompletedProcess[str]]
Emulate = Callable[..., str]
TOKEN = "sa-local-write"
UPSERT = """mutation($id: ID!, $profiles: JSON!) { upsertProfiles(input: {advertiserId: $id,
  externalProvider: "segmentio", syncId: "s", profiles: $profiles}) { userErrors { message path } } }"""
PROFILES = "{ cdpProfiles(advertiserId: 1001) { size profiles { totalCount nodes { email marketingStatus } } } }"
PEOPLE = json.dumps([{"email": "Ada@Lovelace.org", "first_name": "Augusta", "phone": "+1 555 0100"}])


class Upstream:
    """An emulator whose responses are changed: each text by another."""

    def __init__(self) -> None:
        self.changes: dict[bytes, bytes] = {}
        self.emulator = Emulator()
        self._listener = Listener(self._app)
        self._listener.start()
        self.url = self._listener.url

    def _app(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        head: list[Any] = []
        app: Any = self.emulator.app
        body = b"".join(app(environ, lambda *given: head.extend(given)))
        for old, new in self.changes.items():
            body = body.replace(old, new)
        headers = [(name, value) for name, value in head[1] if name.lower() != "content-length"]
        start_response(head[0], [*headers, ("Content-Length", str(len(body)))])
        return [body]

    def close(self) -> None:
        self._listener.stop()
        self.emulator.close()


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    upstream = Upstream()
    yield upstream
    upstream.close()


@pytest.fixture
def recorded(upstream: Upstream, tmp_path: Path) -> Callable[[], Path]:
    """Starts `record`, sends three requests through it, stops it and returns the file."""

    def record() -> Path:
        path = tmp_path / "exchanges.jsonl"
        process = subprocess.Popen(
            command("record", "--upstream", upstream.url, "--port", "0", "-o", str(path), "--json"),
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment(), cwd=ROOT,
        )  # fmt: skip
        try:
            assert process.stdout is not None
            printed = json.loads(process.stdout.readline())
            assert printed["upstream"] == f"{upstream.url}/graphql"
            for advertiser in ("1001", "23"):
                body = {"query": UPSERT, "variables": {"id": advertiser, "profiles": PEOPLE}}
                post(printed["graphql"], body)
            post(printed["graphql"], {"query": PROFILES})
            process.send_signal(signal.SIGINT)
            assert process.wait(timeout=READY_SECONDS) == 0
            assert process.communicate() == ("", "")
        finally:
            process.kill()
            process.communicate()
        return path

    return record


def post(url: str, request: dict[str, Any]) -> dict[str, Any]:
    response = httpx.post(url, json=request, headers={"authorization": f"Bearer {TOKEN}"}, trust_env=False)
    body: dict[str, Any] = response.json()
    return body


def test_a_recording_of_an_emulator_has_no_differences(call: Run, recorded: Callable[[], Path]) -> None:
    path = recorded()
    shown = call("verify", "--exchanges", str(path))
    assert shown.returncode == 0, shown.stdout
    assert "line 1: mutation upsertProfiles" in shown.stdout
    assert shown.stdout.splitlines()[-1] == "3 passed, 0 failed, 0 skipped, against emulators in this process"


def test_the_file_has_neither_tokens_nor_personal_data(recorded: Callable[[], Path]) -> None:
    written = recorded().read_bytes().lower()
    assert written.count(b"\n") == 3
    for secret in (TOKEN.encode(), b"lovelace", b"augusta", b"ada@", b"555 0100", b"bearer", b"authorization"):
        assert secret not in written
    assert b"person-" in written


def test_a_changed_string_and_a_missing_field_are_reported(
    call: Run, upstream: Upstream, recorded: Callable[[], Path], tmp_path: Path
) -> None:
    upstream.changes = {b"Advertiser 23 could not be found": b"No such advertiser: 23", b'"totalCount":1,': b""}
    path = recorded()
    shown = call("verify", "--exchanges", str(path), "--junit-xml", str(tmp_path / "verify.xml"))
    assert shown.returncode == 1
    lines = [line.strip() for line in shown.stdout.splitlines()]
    place = lines.index("failed  line 2: mutation upsertProfiles")
    assert lines[place + 1 : place + 4] == [
        str(path),
        'expected  data.upsertProfiles.userErrors[0].message: "No such advertiser: 23."',
        'found     "Advertiser 23 could not be found."',
    ]
    place = lines.index("failed  line 3: query cdpProfiles")
    assert lines[place + 2 : place + 4] == ["expected  data.cdpProfiles.profiles.totalCount: missing", "found     1"]
    assert lines[-1] == "1 passed, 2 failed, 0 skipped, against emulators in this process"
    [suite] = ET.parse(tmp_path / "verify.xml").getroot()
    assert [[child.tag for child in case] for case in suite] == [[], ["failure"], ["failure"]]
    assert suite[1].get("name") == "line 2: mutation upsertProfiles"


def test_scenarios_and_exchanges_are_separate_in_json(
    call: Run, upstream: Upstream, recorded: Callable[[], Path]
) -> None:
    upstream.changes = {b"INDETERMINATE": b"PROSPECT"}
    path = recorded()
    shown = call("verify", "contracts/scenarios/profiles/appears.yaml", "--exchanges", str(path), "--json")
    assert shown.returncode == 1
    printed = json.loads(shown.stdout)
    assert printed["summary"] == {"passed": 3, "failed": 1, "skipped": 0}
    assert [each["outcome"] for each in printed["scenarios"]] == ["passed"]
    assert [each["outcome"] for each in printed["exchanges"]] == ["passed", "passed", "failed"]
    [check] = printed["exchanges"][2]["checks"]
    assert check["expected"].endswith('marketingStatus: "PROSPECT"')


def test_a_running_emulator_is_compared_in_a_sandbox(call: Run, recorded: Callable[[], Path], emulate: Emulate) -> None:
    path = recorded()
    shown = call("verify", "--exchanges", str(path), "--target", emulate())
    assert shown.returncode == 0, shown.stdout
    assert "3 passed, 0 failed, 0 skipped, against sandboxes of the emulator" in shown.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--upstream", "https://api.stackadapt.com/graphql"), "Add --allow-remote"),
        (("--upstream", "http://me:secret@127.0.0.1:9"), "must not contain a user or password"),
        (("--upstream", "stackadapt"), "invalid URL"),
        ((), "Missing option '--upstream'"),
        (("--upstream", "http://127.0.0.1:9", "-o", "README.md"), "this file exists already"),
    ],
)
def test_bad_usage_exits_2_and_writes_nothing(call: Run, tmp_path: Path, arguments: tuple[str, ...], said: str) -> None:
    path = tmp_path / "exchanges.jsonl"
    shown = call("record", "--port", "0", *(() if "-o" in arguments else ("-o", str(path))), *arguments)
    assert shown.returncode == 2
    assert said in shown.stderr
    assert "Traceback" not in shown.stderr
    assert not path.exists()


@pytest.mark.parametrize(
    ("content", "said"), [("", "no exchange in this recording"), ("{}\n", "invalid format of a recorded exchange")]
)
def test_an_invalid_recording_exits_2(call: Run, tmp_path: Path, content: str, said: str) -> None:
    path = tmp_path / "exchanges.jsonl"
    path.write_text(content)
    shown = call("verify", "--exchanges", str(path))
    assert (shown.returncode, shown.stdout) == (2, "")
    assert said in shown.stderr
