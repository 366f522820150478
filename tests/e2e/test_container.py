"""The Dockerfile, linted and replayed without a container engine, and the Compose file, checked by its schema."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from sqlalchemy import make_url

from tests.e2e.dockerfile import Stage, pairs, stages, words
from tests.e2e.installed import REQUIRED, ROOT, once

pytestmark = pytest.mark.one_store

BIN = Path(sys.executable).parent
BUILD, FINAL = stages(ROOT / "Dockerfile")
COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
ADA = '{"data": {"cdpProfiles": {"profiles": {"nodes": [{"email": "ada@example.com"}]}}}}'


def run(*command: object) -> subprocess.CompletedProcess[str]:
    words = [str(each) for each in command]
    return subprocess.run(words, capture_output=True, text=True, cwd=ROOT, check=False)


def test_the_dockerfile_passes_the_linter() -> None:
    done = run(BIN / "hadolint", "Dockerfile")
    assert done.returncode == 0, done.stdout


def test_the_compose_file_fits_its_schema() -> None:
    done = run(BIN / "check-jsonschema", "--builtin-schema", "vendor.compose-spec", "compose.yaml")
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("stage", [BUILD, FINAL], ids=["build", "final"])
def test_the_base_is_pinned_to_a_release_of_python(stage: Stage) -> None:
    assert re.fullmatch(r"python:3\.\d+-slim", stage.base)
    versions = re.findall(r"Python :: (3\.\d+)", (ROOT / "pyproject.toml").read_text())
    assert stage.base.removeprefix("python:").removesuffix("-slim") in versions


def test_the_server_is_the_first_process_and_opened_on_purpose() -> None:
    # In the exec form no shell is between it and a signal.
    assert words(FINAL.last("ENTRYPOINT")) == ["stackadapt-emulator"]
    command = words(FINAL.last("CMD"))
    assert command == ["serve", "--host", "0.0.0.0", "--data", FINAL.last("VOLUME")]
    assert FINAL.last("EXPOSE") == "8585"
    assert FINAL.health_command[0] == "stackadapt-emulator"


def test_it_is_labelled() -> None:
    labels = pairs(FINAL.last("LABEL"))
    text = (ROOT / "pyproject.toml").read_text()
    assert labels["org.opencontainers.image.title"] == "stackadapt-emulator"
    assert f'license = "{labels["org.opencontainers.image.licenses"]}"' in text


def test_compose_waits_for_the_database_and_asks_for_the_secrets() -> None:
    emulator, postgres = COMPOSE["services"]["emulator"], COMPOSE["services"]["postgres"]
    assert emulator["depends_on"] == {"postgres": {"condition": "service_healthy"}}
    assert "pg_isready" in postgres["healthcheck"]["test"]
    assert emulator["read_only"] is postgres["read_only"] is True
    assert emulator["cap_drop"] == ["ALL"]
    assert all(port.startswith("127.0.0.1:") for port in emulator["ports"])
    secrets = [
        emulator["environment"]["PGPASSWORD"],
        emulator["environment"]["STACKADAPT_EMULATOR_SERVE_CONTROL_TOKEN"],
        postgres["environment"]["POSTGRES_PASSWORD"],
    ]
    url = make_url(emulator["command"][emulator["command"].index("--database") + 1])
    own = postgres["environment"]
    assert (url.host, url.username, url.database) == ("postgres", own["POSTGRES_USER"], own["POSTGRES_DB"])
    # Without a value, Compose refuses to start.
    assert all(re.fullmatch(r"\$\{\w+:\?[^}]+}", each) for each in secrets)


def test_the_command_of_compose_is_one_that_the_emulator_takes(call: Any) -> None:
    [options] = re.findall(r"Options:(.*)", call("serve", "--help").stdout, flags=re.DOTALL)
    command = COMPOSE["services"]["emulator"]["command"]
    assert command[0] == "serve"
    assert [each for each in command if each.startswith("--") and each not in options] == []


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> dict[str, Any]:
    """What the replay prints; with --long it installs from the package index, as the instructions say."""
    given = [] if request.config.getoption("--long") else [request.getfixturevalue("wheel")]
    if missing := _missing(tmp_path_factory.mktemp("probe")):
        reason = f"the Dockerfile cannot be replayed here: {missing}"
        if os.environ.get(REQUIRED):
            pytest.fail(reason)
        pytest.skip(reason)

    def replay(file: Path) -> str | None:
        work = file.with_name("work")
        work.mkdir()
        done = run("unshare", "--mount", sys.executable, "-m", "tests.e2e.container", work, *given)
        if done.returncode == 0:
            file.write_text(done.stdout)
        return None if done.returncode == 0 else done.stdout + done.stderr

    seen: dict[str, Any] = json.loads(once(tmp_path_factory, "container", replay).read_text())
    return seen


def _missing(folder: Path) -> str | None:
    """What this machine does not allow, or None."""
    overlay = "mkdir a b c && mount -t overlay -o lowerdir=/,upperdir=$PWD/a,workdir=$PWD/b overlay c"
    probe = f"mount -t tmpfs tmpfs {folder} && cd {folder} && {overlay} && ip link set lo up"
    try:
        done = run("unshare", "--mount", "--pid", "--net", "--fork", "sh", "-c", probe)
    except FileNotFoundError as error:
        return str(error)
    return None if done.returncode == 0 else done.stderr


def test_the_image_starts_and_answers_its_health_check(seen: dict[str, Any]) -> None:
    assert "ready at http://127.0.0.1:8585" in seen["printed"]
    assert "listening on a non-loopback address" in seen["printed"]
    code, text = seen["healthy"]
    assert (code, "running at http://127.0.0.1:8585" in text) == (0, True)
    assert seen["unhealthy"] == 1
    assert json.loads(seen["profiles"]) == json.loads(ADA)


def test_its_user_can_write_the_volume_and_temporary_files_only(seen: dict[str, Any]) -> None:
    assert seen["user"] == FINAL.last("USER")
    assert seen["user"] != "0"
    assert seen["writable"] == [FINAL.last("VOLUME"), "/tmp"]


def test_the_control_api_needs_the_token(seen: dict[str, Any]) -> None:
    assert (seen["without token"], seen["with token"]) == ("401", "200")
    # Another one is generated and printed where none is given.
    assert seen["generated"] == "401"
    assert re.search(r"control-[0-9a-f]{8,}", seen["printed again"])
    assert not re.search(r"control-[0-9a-f]{8,}", seen["printed"])


def test_it_ends_with_the_signal_and_keeps_its_data(seen: dict[str, Any]) -> None:
    assert (seen["stopped"], seen["stopped again"]) == (0, 0)
    assert "default.sqlite" in seen["files"]
    assert json.loads(seen["kept"]) == json.loads(ADA)
