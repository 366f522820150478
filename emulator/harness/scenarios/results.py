"""Results of scenarios and recorded exchanges, as text, JSON and JUnit XML."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any
from xml.etree import ElementTree as ET

from emulator.harness.scenarios.model import Case, Check

PASSED = "passed"
FAILED = "failed"
SKIPPED = "skipped"
OUTCOMES = (PASSED, FAILED, SKIPPED)
# Characters that XML 1.0 cannot represent.
_UNWRITABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """The result of a case. `checks` end with the step in which one failed; `reason` says why the case was skipped or
    could not be completed, and `place` at which key of the scenario.
    """

    case: Case
    outcome: str
    checks: tuple[Check, ...] = ()
    reason: str | None = None
    place: str | None = None
    seconds: float = 0.0

    @property
    def failures(self) -> list[Check]:
        """The failed checks."""
        return [check for check in self.checks if not check.passed]

    def lines(self) -> Iterator[str]:
        """Why the case did not pass, as text."""
        if self.reason:
            yield self.reason
        for check in self.failures:
            if check.place:
                yield f"at        {check.place}"
            yield f"expected  {check.expected}"
            yield f"found     {check.found}"
        for timeline in dict.fromkeys(each for check in self.failures for each in check.timelines):
            yield from timeline.splitlines()

    def as_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "file": self.case.path.as_posix(),
            "title": self.case.title,
            "shows": list(self.case.shows),
            "outcome": self.outcome,
            "reason": self.reason,
            "seconds": round(self.seconds, 3),
            "checks": [asdict(check) for check in self.checks],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The results of scenarios and recorded exchanges, in order, and the name of the target."""

    target: str
    scenarios: Sequence[Result] = ()
    exchanges: Sequence[Result] = ()

    @property
    def results(self) -> list[Result]:
        """All results."""
        return [*self.scenarios, *self.exchanges]

    def counts(self) -> dict[str, int]:
        """The number of results by outcome."""
        counted = Counter(result.outcome for result in self.results)
        return {outcome: counted[outcome] for outcome in OUTCOMES}

    def matrix(self) -> dict[str, dict[str, str]]:
        """By generation, then by API version: `works`, `refused`, `failed` or `skipped`."""
        cells: dict[str, dict[str, str]] = {}
        for result in self.scenarios:
            cell = result.case.cell
            if cell is not None:
                shown = cell.expected if result.outcome == PASSED else result.outcome
                cells.setdefault(cell.generation, {})[cell.api_version] = shown
        return dict(sorted(cells.items(), reverse=True))

    def as_dict(self) -> Mapping[str, Any]:
        """The JSON form."""
        return {
            "target": self.target,
            "summary": self.counts(),
            "matrix": self.matrix(),
            "scenarios": [result.as_dict() for result in self.scenarios],
            "exchanges": [result.as_dict() for result in self.exchanges],
        }


def junit_xml(report: Report) -> str:
    """A report as JUnit XML: one suite with a test case for each result."""
    counts = report.counts()
    numbers = {
        "tests": str(len(report.results)),
        "failures": str(counts[FAILED]),
        "errors": "0",
        "skipped": str(counts[SKIPPED]),
        "time": f"{sum(result.seconds for result in report.results):.3f}",
    }
    root = ET.Element("testsuites", numbers)
    suite = ET.SubElement(root, "testsuite", {"name": f"stackadapt-emulator verify: {report.target}", **numbers})
    for result in report.results:
        suite.append(_test_case(result))
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _test_case(result: Result) -> ET.Element:
    element = ET.Element(
        "testcase",
        {
            "classname": _xml_text(result.case.group),
            "name": _xml_text(result.case.title),
            "file": _xml_text(result.case.path.as_posix()),
            "time": f"{result.seconds:.3f}",
        },
    )
    if result.outcome == SKIPPED:
        ET.SubElement(element, "skipped", {"message": _xml_text(result.reason or "")})
    if result.outcome == FAILED:
        lines = list(result.lines())
        ET.SubElement(element, "failure", {"message": _xml_text(lines[0])}).text = _xml_text("\n".join(lines))
    return element


def _xml_text(text: str) -> str:
    return _UNWRITABLE.sub("\ufffd", text)
