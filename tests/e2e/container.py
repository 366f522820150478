"""Builds and runs the Dockerfile without a container engine: each stage is an overlay of this machine's file system.

python -m tests.e2e.container WORK WHEEL    what the image is built in, and the wheel instead of the one it would build
python -m tests.e2e.container WORK          with the instructions as they are, which needs the package index

It runs as root in a mount namespace of its own, which `unshare --mount` gives it, so that everything is unmounted when
it ends. This machine's file system is in the place of the base image, with the Python of this process. The container
has namespaces of its own for mounts, processes and network, a read-only root, and no more rights than its user. Prints
one JSON object with what was seen; `test_container.py` says what it must be.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import sysconfig
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import takewhile
from pathlib import Path
from string import Template

from tests.e2e.dockerfile import Stage, pairs, stages, words
from tests.e2e.installed import ROOT, borrow_dependencies

_PATH = f"{sys.base_prefix}/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_SECONDS = 600
# Where the packages of this environment are in an image.
_LENT = "/lent"
_OFFLINE = {"PIP_NO_DEPS": "1", "PIP_NO_INDEX": "1"}
_INIT = """
set -e
mount --bind "$VOLUME" "$ROOT$DATA"
mount -t tmpfs -o mode=1777 tmpfs "$ROOT/tmp"
mount -t proc proc "$ROOT/proc"
mount -o remount,bind,ro "$ROOT"
ip link set lo up
exec chroot --userspec="$USER:" "$ROOT" env -i --chdir="$FOLDER" "$@"
"""


@dataclass
class Image:
    """A stage as it is built: the folder of its root, and what the instructions have set so far."""

    root: Path
    environment: dict[str, str] = field(default_factory=lambda: {"PATH": _PATH})
    folder: str = "/"
    user: str = "0"

    def run(self, command: str, extra: Mapping[str, str]) -> None:
        """Runs a command of the shell as root. Raises AssertionError with its output when it fails."""
        done = subprocess.run(
            ["chroot", self.root, "/bin/sh", "-c", f"cd {shlex.quote(self.folder)} && {command}"],
            env={**extra, **self.environment, "HOME": "/root"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}"

    def path(self, inside: str) -> Path:
        """A path of the image, seen from outside."""
        return self.root / os.path.join(self.folder, inside).lstrip("/")


def base_image(work: Path, *, lent: bool) -> Image:
    """This machine's file system, changed without effect on it; with the packages of this environment if `lent`."""
    for each in ("upper", "work", "root"):
        (work / each).mkdir(parents=True)
    layers = f"lowerdir=/,upperdir={work}/upper,workdir={work}/work"
    root = work / "root"
    _mount("-t", "overlay", "overlay", "-o", layers, root)
    _mount("--rbind", "/dev", root / "dev")
    # Its user may not look into the home of root, where this Python may be.
    for folder in Path(sys.base_prefix).parents:
        inside = root / folder.relative_to("/")
        inside.chmod(inside.stat().st_mode | 0o111)
    if lent:
        (root / _LENT.lstrip("/")).mkdir()
        _mount("--bind", sysconfig.get_path("purelib"), root / _LENT.lstrip("/"))
    return Image(root)


def build(stage: Stage, image: Image, built: Mapping[str, Image], wheel: Path | None) -> None:
    """Carries out the instructions of a stage. With `wheel` nothing is fetched."""
    kept = {name: value for name, value in os.environ.items() if name.startswith(("PIP_", "SSL_", "REQUESTS_"))}
    for keyword, text in stage.instructions:
        if keyword == "RUN" and wheel is not None and "pip wheel" in text:
            image.path("/wheels").mkdir()
            shutil.copy(wheel, image.path("/wheels"))
        elif keyword == "RUN":
            image.run(text, _OFFLINE if wheel else kept)
            if wheel is not None and "pip install" in text:
                borrow_dependencies(image.path("/opt/stackadapt-emulator"), packages=_LENT)
        elif keyword == "COPY":
            _copy(text.split(), image, built)
        elif keyword == "ENV":
            image.environment |= {
                name: Template(value).substitute(image.environment) for name, value in pairs(text).items()
            }
        elif keyword == "WORKDIR":
            image.folder = text
            image.path(text).mkdir(parents=True, exist_ok=True)
        elif keyword == "USER":
            image.user = text


def context(target: Path) -> None:
    """Copies what `.dockerignore` lets into the image: the top names after `!`, without the names after `**/`."""
    lines = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if not line.startswith("#")]
    assert lines[0] == "*"
    ignored = shutil.ignore_patterns(*(line.removeprefix("**/") for line in lines if line.startswith("**/")))
    for name in (line.removeprefix("!") for line in lines if line.startswith("!")):
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, target / name, ignore=ignored)
        else:
            shutil.copy(source, target / name)


def _copy(arguments: list[str], image: Image, built: Mapping[str, Image]) -> None:
    if arguments == [".", "."]:
        context(image.path("."))
        return
    origin, source, target = arguments
    found = built[origin.removeprefix("--from=")].path(source)
    shutil.copytree(found, image.path(target), symlinks=True)


def _mount(*arguments: object) -> None:
    subprocess.run(["mount", *map(str, arguments)], check=True)


class Container:
    """A running container; `printed` is what it printed until it was ready."""

    def __init__(self, stage: Stage, image: Image, volume: Path, command: list[str], extra: Mapping[str, str]) -> None:
        self._image = image
        self._environment = [f"{name}={value}" for name, value in {**image.environment, **extra}.items()]
        settings = {
            "ROOT": str(image.root),
            "VOLUME": str(volume),
            "DATA": stage.last("VOLUME"),
            "USER": image.user,
            "FOLDER": image.folder,
        }
        started = [*self._environment, *words(stage.last("ENTRYPOINT")), *command]
        self._process = subprocess.Popen(
            ["unshare", "--mount", "--pid", "--net", "--fork", "--kill-child", "sh", "-c", _INIT, "init", *started],
            env={**os.environ, **settings},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert self._process.stdout is not None
        lines = takewhile(lambda line: not line.startswith("Stop with"), self._process.stdout)
        self.printed = "".join(lines)
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text().split()
        self._pid = int(children[0])

    def execute(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Runs a command in the container as its user, as an engine does for health checks."""
        entered = ["nsenter", f"--target={self._pid}", "--pid", "--net"]
        as_user = ["chroot", f"--userspec={self._image.user}:", f"/proc/{self._pid}/root"]
        in_folder = ["env", "-i", f"--chdir={self._image.folder}", *self._environment]
        return subprocess.run(
            [*entered, *as_user, *in_folder, *command],
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )

    def stop(self) -> int:
        """Sends SIGTERM to its first process, as an engine does; returns the exit code."""
        os.kill(self._pid, signal.SIGTERM)
        self._process.communicate(timeout=_SECONDS)
        return self._process.returncode


def seen(work: Path, wheel: Path | None = None) -> dict[str, object]:
    """Builds the image and runs it twice with one volume."""
    parts = stages(ROOT / "Dockerfile")
    built: dict[str, Image] = {}
    for number, stage in enumerate(parts):
        image = base_image(work / str(number), lent=wheel is not None)
        build(stage, image, built, wheel)
        built[stage.name or "final"] = image
    volume = work / "volume"
    shutil.copytree(image.path(stage.last("VOLUME")), volume)
    owner = image.path(stage.last("VOLUME")).stat()
    os.chown(volume, owner.st_uid, owner.st_gid)
    volume.chmod(owner.st_mode)
    token = {"STACKADAPT_EMULATOR_SERVE_CONTROL_TOKEN": "given"}
    first = Container(stage, image, volume, words(stage.last("CMD")), token)
    facts: dict[str, object] = {"printed": first.printed, **_used(first, stage)}
    facts["stopped"] = first.stop()
    facts["files"] = sorted(each.name for each in volume.iterdir())
    second = Container(stage, image, volume, words(stage.last("CMD")), {})
    facts["kept"] = second.execute(*_PROFILES).stdout
    facts["generated"] = second.execute(*_SANDBOXES).stdout
    facts["printed again"] = second.printed
    facts["stopped again"] = second.stop()
    return facts


_URL = "http://127.0.0.1:8585"
_JSON = ("-H", "content-type: application/json")
_SANDBOXES = ("curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", f"{_URL}/_emulator/sandboxes")
_QUERY = json.dumps({"query": "{ cdpProfiles(advertiserId: 1001) { profiles { nodes { email } } } }"})
_PROFILES = ("curl", "-s", f"{_URL}/graphql", "-H", "authorization: Bearer sa-local-write", *_JSON, "-d", _QUERY)


def _used(container: Container, stage: Stage) -> dict[str, object]:
    person = json.dumps({"userId": "u1", "traits": {"email": "ada@example.com", "total_spent": 900}})
    healthy = container.execute(*stage.health_command)
    sent = container.execute("curl", "-s", f"{_URL}/v1/identify", "-u", "segment-local:", *_JSON, "-d", person)
    unhealthy = [each.replace("8585", "8586") for each in stage.health_command]
    return {
        "healthy": [healthy.returncode, healthy.stdout],
        "unhealthy": container.execute(*unhealthy).returncode,
        "sent": sent.stdout,
        "profiles": container.execute(*_PROFILES).stdout,
        "without token": container.execute(*_SANDBOXES).stdout,
        "with token": container.execute(*_SANDBOXES, "-H", "X-Emulator-Control-Token: given").stdout,
        "user": container.execute("id", "--user").stdout.strip(),
        "writable": [
            each
            for each in ("/", "/etc", "/opt/stackadapt-emulator", "/usr", "/var/tmp", "/data", "/tmp")
            if container.execute("touch", f"{each}/written").returncode == 0
        ],
    }


if __name__ == "__main__":
    folder, *given = map(Path, sys.argv[1:])
    _mount("-t", "tmpfs", "tmpfs", folder)
    print(json.dumps(seen(folder, *given)))
