"""What a run exercised of triggers, mappings and both services, and what it did not.

`observed` reads it off a sandbox, and `collected` adds up several. They are modules of their own: everything else needs
no service.
"""

from emulator.harness.coverage.coverage_at import coverage_at, coverage_from
from emulator.harness.coverage.coverage_files import json_text, read_coverage, written
from emulator.harness.coverage.coverage_text import as_markdown, headline, lines_of_coverage
from emulator.harness.coverage.covered import GROUPS, Coverage, Section, combined, coverage_in, least_of

__all__ = [
    "GROUPS",
    "Coverage",
    "Section",
    "as_markdown",
    "combined",
    "coverage_at",
    "coverage_from",
    "coverage_in",
    "headline",
    "json_text",
    "least_of",
    "lines_of_coverage",
    "read_coverage",
    "written",
]
