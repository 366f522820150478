"""Checks of workspaces, mappings, documents and scenarios: what is wrong, why it matters and how to fix it.

Importing the package registers every check; `registry.CHECKS` is the table of them.
"""

from emulator.harness.checks import (  # noqa: F401 - each module registers its checks
    audience_events,
    calls,
    documents,
    emails,
    mappings,
    scenarios,
    settings,
    triggers,
    workspaces,
)
