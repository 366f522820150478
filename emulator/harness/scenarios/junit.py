"""Results as JUnit XML, in the shape that CI servers read: one suite, a test case for each result."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

from emulator.harness.scenarios.results import FAILED, SKIPPED, Report, Result

# What XML 1.0 cannot hold in any form.
_UNWRITABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit_xml(report: Report) -> str:
    """The whole document."""
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
        suite.append(_case(result))
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _case(result: Result) -> ET.Element:
    element = ET.Element(
        "testcase",
        {
            "classname": _text(result.case.group),
            "name": _text(result.case.title),
            "file": _text(result.case.path.as_posix()),
            "time": f"{result.seconds:.3f}",
        },
    )
    if result.outcome == SKIPPED:
        ET.SubElement(element, "skipped", {"message": _text(result.reason or "")})
    if result.outcome == FAILED:
        lines = list(result.lines())
        ET.SubElement(element, "failure", {"message": _text(lines[0])}).text = _text("\n".join(lines))
    return element


def _text(text: str) -> str:
    return _UNWRITABLE.sub("\ufffd", text)
