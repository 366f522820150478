"""What a run has so far, in a file that is only appended to: an interruption can truncate the last line, nothing else.

The first line says what is probed and with what; each further line is an answer, or that a probe begins again. Neither
the token nor anything of a person is in it: the probes ask for no person's data, and the addresses are made.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Self

from emulator.clock import to_iso
from emulator.errors import InputError, NotFound, unwritable
from emulator.harness.probe.probe_parts import ProbeResponse
from emulator.text_files import lines_of

FORMAT: Final = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """What a run probes: the endpoint without secrets, the advertiser, the probes, and what they may use.

    `run` makes addresses and ids unique. `scopes` are those of the token for the advertiser; `advertisers` is how many
    it sees, `profiles` how many the advertiser had. `hours` is how long to look for what was sent.
    """

    url: str
    advertiser_id: str
    run: str
    scopes: tuple[str, ...]
    advertisers: int
    profiles: int
    probes: tuple[str, ...]
    started: datetime
    writes: bool = False
    burst: int = 0
    segment: str | None = None
    hours: float = 4.0

    def as_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {**asdict(self), "started": to_iso(self.started)}


class State:
    """The answers of a run. `rounds` of a request are its answers, oldest first; `attempt` counts a probe's beginnings.

    `path` is None for a run that is not resumed.
    """

    def __init__(self, setup: Setup, path: Path | None = None) -> None:
        self.setup = setup
        self._answers: dict[str, dict[str, list[ProbeResponse]]] = {}
        self._attempts: dict[str, int] = {}
        self._path = path

    @classmethod
    def create(cls, path: Path, setup: Setup) -> Self:
        """A new file. Raises InputError when it cannot be written."""
        state = cls(setup, path)
        try:
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        except OSError as error:
            raise unwritable(path, error) from None
        state._append({"format": FORMAT, "setup": setup.as_dict()})
        return state

    @classmethod
    def load(cls, path: Path) -> Self:
        """The state in a file. Raises NotFound without one, InputError for a line that cannot be read."""
        if not path.exists():
            hint = "Begin without --resume, or name the folder by --output."
            raise NotFound("no probe to resume", where=str(path), hint=hint)
        lines = _lines(path)
        _, head = next(lines, (1, {}))
        if head.get("format") != FORMAT:
            where = f"{path}:1"
            raise InputError("not the state of a probe", where=where, found=head.get("format"), allowed=str(FORMAT))
        try:
            state = cls(_setup(head["setup"]), path)
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(f"the setup of a probe cannot be read: {error!r}", where=f"{path}:1") from None
        for number, line in lines:
            try:
                state._take(line)
            except (KeyError, TypeError, ValueError) as error:
                raise InputError(f"an answer cannot be read: {error!r}", where=f"{path}:{number}") from None
        return state

    def rounds(self, probe: str, request: str) -> list[ProbeResponse]:
        """The answers to a request, oldest first."""
        return self._answers.get(probe, {}).get(request, [])

    def newest(self, probe: str) -> Mapping[str, ProbeResponse]:
        """The newest answer to each request of a probe."""
        return {name: rounds[-1] for name, rounds in self._answers.get(probe, {}).items()}

    def attempt(self, probe: str) -> int:
        """How often a probe has begun again."""
        return self._attempts.get(probe, 0)

    def add(self, probe: str, request: str, answer: ProbeResponse) -> None:
        """Keeps an answer."""
        line = {"probe": probe, "request": request, **asdict(answer), "at": to_iso(answer.at)}
        self._append(line)
        self._take(line)

    def begin_again(self, probe: str) -> None:
        """Forgets the answers of a probe: it was cut off where it is not known what was accepted."""
        self._append({"again": probe})
        self._take({"again": probe})

    def _take(self, line: Mapping[str, Any]) -> None:
        if "again" in line:
            self._answers.pop(line["again"], None)
            self._attempts[line["again"]] = self.attempt(line["again"]) + 1
            return
        answer = ProbeResponse(
            status=int(line["status"]),
            headers=dict(line["headers"]),
            text=str(line["text"]),
            at=datetime.fromisoformat(line["at"]).astimezone(UTC),
        )
        self._answers.setdefault(line["probe"], {}).setdefault(line["request"], []).append(answer)

    def _append(self, line: Mapping[str, Any]) -> None:
        if self._path is None:
            return
        try:
            with self._path.open("ab") as file:
                file.write(json.dumps(line).encode() + b"\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise unwritable(self._path, error) from None


def _lines(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """The lines with their numbers, without a last one that was cut off after a readable first one."""
    for number, line in enumerate([*lines_of(path)], start=1):
        whole = line.endswith("\n")
        try:
            found = json.loads(line)
        except ValueError as error:
            if number > 1 and not whole:
                _end_at(path, path.stat().st_size - len(line.encode()))
                return
            raise InputError(f"not JSON: {error}", where=f"{path}:{number}") from None
        if not isinstance(found, dict):
            raise InputError("not a JSON object", where=f"{path}:{number}", found=found)
        yield number, found
        if not whole:
            _end_at(path, path.stat().st_size, b"\n")


def _end_at(path: Path, size: int, end: bytes = b"") -> None:
    """Ends a file there, since what is appended must not continue its last line. Raises InputError."""
    try:
        os.truncate(path, size)
        with path.open("ab") as file:
            file.write(end)
    except OSError as error:
        raise unwritable(path, error) from None


def _setup(found: Mapping[str, Any]) -> Setup:
    setup = Setup(**found)
    return replace(
        setup,
        scopes=tuple(setup.scopes),
        probes=tuple(setup.probes),
        started=datetime.fromisoformat(found["started"]).astimezone(UTC),
    )
