"""Mutations of a workspace, as mistakes would make them: which of them would scenarios and tests notice?"""

from emulator.harness.mutate.accepted_survivors import Explained, read_explained
from emulator.harness.mutate.judged import Judged, Mutants, judged, outdated
from emulator.harness.mutate.mutant_runs import Judge, Killed, ScenarioJudge
from emulator.harness.mutate.mutants_text import as_markdown, lines_of_mutants, lines_of_mutations
from emulator.harness.mutate.mutation import KINDS, Mutation
from emulator.harness.mutate.mutations import chosen, mutations_of
from emulator.harness.mutate.revealing import EVENTS, Revealing, revealing

__all__ = [
    "EVENTS",
    "KINDS",
    "Explained",
    "Judge",
    "Judged",
    "Killed",
    "Mutants",
    "Mutation",
    "Revealing",
    "ScenarioJudge",
    "as_markdown",
    "chosen",
    "judged",
    "lines_of_mutants",
    "lines_of_mutations",
    "mutations_of",
    "outdated",
    "read_explained",
    "revealing",
]
