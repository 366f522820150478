"""What a change of the workspace does to a population: both run over the same calls, and their ends are compared."""

from emulator.harness.plan.calls import MOST_PEOPLE, CallsOf, emails_of, generated_people, people_in_file, people_known
from emulator.harness.plan.compared_ends import compared
from emulator.harness.plan.end_state import Cause, EndState, Who
from emulator.harness.plan.no_profiles import nothing_came
from emulator.harness.plan.plan_text import as_markdown, lines_of_plan
from emulator.harness.plan.planned import EXAMPLES, Change, Group, Plan
from emulator.harness.plan.playing import Run, opened
from emulator.harness.plan.sent_fields import Sent
from emulator.harness.plan.versions import at_version, is_version
from emulator.harness.plan_checks import ADDED, CHANGED, CHECKS, JOINED, LEFT, REMOVED

__all__ = [
    "ADDED",
    "CHANGED",
    "CHECKS",
    "EXAMPLES",
    "JOINED",
    "LEFT",
    "MOST_PEOPLE",
    "REMOVED",
    "CallsOf",
    "Cause",
    "Change",
    "EndState",
    "Group",
    "Plan",
    "Run",
    "Sent",
    "Who",
    "as_markdown",
    "at_version",
    "compared",
    "emails_of",
    "generated_people",
    "is_version",
    "lines_of_plan",
    "nothing_came",
    "opened",
    "people_in_file",
    "people_known",
]
