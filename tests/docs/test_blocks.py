"""Every command and every code block of README and documentation runs as it is printed.

Blocks of `sh`, `python` and `yaml` run in order, one emulator per page. A block labelled `output` is what the block
before it printed; the label `exit=1` is an exit code. With UPDATE_DOCS=1 (`make docs`) an output that differs is
written into the page instead.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

# pytester forgets what a run in process imports; httpx imports this one late and remembers its errors.
import httpcore  # noqa: F401 - imported to stay imported
import pytest
import yaml

from tests.docs import shell
from tests.docs.blocks import DOCUMENTS, ROOT, Block, blocks_of
from tests.docs.page import Page

UPDATE = bool(os.environ.get("UPDATE_DOCS"))

# Commands that are not run, by a pattern, and why. Options of this package's own commands are checked all the same.
NOT_RUN = {
    r"^make (fuzz|overload|soak|durability)\b": "runs for minutes; each has a short form among the tests",
    r"^make (check|test|docs|conformance|test-postgresql|bench)\b": "runs for minutes, and this test among others",
    r"^make matrix\b": "installs from the package index; CI runs its short form",
    r"^docker |docker compose up": "needs Docker; tests/e2e/test_container.py replays the instructions",
    r"^pip install ": "changes the environment; tests/e2e/test_example_project.py installs the wheel",
    r"(-- |^)npm test": "needs a Node project",
    r"^claude ": "a client of another vendor; tests/cli/test_mcp.py starts the command as it does",
    r"^npm install |^node --test": "needs a Node project; tests/conformance/test_node_helper.py has one",
    r"^pytest --stackadapt-emulator-command=": "needs another environment; tests/pytest_plugin has one",
    r"^pytest --stackadapt-url ": "needs tests of the reader's; tests/pytest_plugin runs both against a port",
    r"serve --port 8585 &$": "a server in the background; the page's own answers in its place",
    r"^(stackadapt-emulator (start|stop)\b|eval )": "a server in the background; tests/cli/test_background.py runs it",
    r"serve --database ": "needs PostgreSQL; tests/server runs it",
    r"SCHEMATHESIS_HOOKS|\.venv/bin/schemathesis": "takes minutes; tests/contract runs Schemathesis in process",
    r"^parallel |^python shards_with_dask.py ": "needs GNU parallel, or a cluster as in tests/conformance/test_dask.py",
    r"^stackadapt-emulator load |^locust ": "needs Locust; tests/conformance/test_locust.py runs both",
    r"--count 1000000 ": "takes minutes; tests/harness/generation makes smaller files with the same options",
    r"emulator verify +#": "plays every scenario; tests/harness/scenarios/test_built_in.py does",
    r"verify --target http://localhost:4000": "needs another endpoint; tests/harness/scenarios/test_targets.py has one",
    r"verify --exchanges|^stackadapt-emulator record ": "needs credentials; tests/cli/test_record.py uses an emulator",
    r"^stackadapt-emulator upgrade-check .*--package ": "needs Node; tests/conformance/test_upgrade_check.py runs it",
    r"fidelity probe --advertiser 12345": "needs credentials; tests/cli/test_fidelity_probe.py uses an emulator",
    r"^stackadapt-emulator drift ": "needs the network, Node or a changed schema; tests/harness/test_drift_* run it",
}
# Blocks that are not run, by language and words of theirs, and why. YAML is parsed all the same.
ONLY_READ = {
    ("js", "vip.test.js: run with"): "needs Node",
    ("js", "createEmulator"): "tests/conformance/test_node_helper.py runs it",
    ("js", "@segment/analytics-node"): "tests/conformance/test_tracking_sdks.py runs the SDK",
    ("js", "@segment/analytics-next"): "tests/conformance/test_tracking_sdks.py runs the SDK",
    ("js", "GQL_ENDPOINT"): "tests/conformance/node/published.cjs has the same lines",
    ("json", '"mcpServers"'): "the configuration of a client; tests/docs/test_for_assistants.py reads it",
    ("json", '{"servers"'): "the configuration of a client; tests/docs/test_for_assistants.py reads it",
    ("python", "from mcp import Client"): "tests/cli/test_mcp.py has the same lines",
    ("yaml", "# .github/workflows/"): "GitHub runs it",
    ("yaml", "# .pre-commit-config.yaml"): "tests/packaging/test_pre_commit.py runs pre-commit",
    ("yaml", "# compose.override.yaml"): "needs Docker",
    ("toml", "stackadapt_emulator_command"): "pytest's configuration; tests/pytest_plugin has the same",
    ("yaml", "provenance: documented"): "a row of the ledger, not a workspace",
    ("text", "none found after 2 s"): "what the js before it prints; tests/conformance/test_node_helper.py compares",
    ("text", "app or SDK"): "a picture",
    ("text", "::error file="): "for GitHub to read; tests/cli/test_job_annotations.py has each command's",
    ("text", "INFO identify of u1"): "lines of a server's log; tests/server/test_log.py has each kind",
    ("text", "ProfilePropertyData.DATE"): "the output of drift for a schema that does not exist",
    ("text", "No such advertiser: 23."): "the output of verify for a recording of a service that does not exist",
}


@pytest.fixture
def page(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Iterator[Page]:
    for name in [name for name in os.environ if name.startswith(("STACKADAPT_", "SEGMENT_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent), prepend=os.pathsep)
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "100")
    page = Page(pytester, monkeypatch)
    yield page
    page.close()


def exception_of(block: Block) -> tuple[str, str] | None:
    return next((key for key in ONLY_READ if key[0] == block.language and key[1] in block.text), None)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_the_blocks_run_as_printed(document: Path, page: Page) -> None:
    for block in blocks_of(document):
        if exception_of(block) is not None:
            assert block.language != "yaml" or yaml.safe_load(block.text)
        elif "output" not in block.labels:
            page.run(block, NOT_RUN)
        elif not page.printed.shows(block.text):
            assert UPDATE, f"{block.place}\n--- printed\n{page.printed.text}\n--- on the page\n{block.text}"
            show_instead(block, page.printed.text)


def show_instead(block: Block, printed: str) -> None:
    text = block.page.read_text(encoding="utf-8")
    shown = "\n".join(line.rstrip() for line in printed.strip("\n").splitlines())
    head, _, tail = text.partition(f"output\n{block.text}\n```")
    assert tail, block.place
    block.page.write_text(f"{head}output\n{shown}\n```{tail}", encoding="utf-8")


def test_each_exception_is_needed() -> None:
    blocks = [block for document in DOCUMENTS for block in blocks_of(document)]
    commands = [command for block in blocks if block.language == "sh" for command in shell.commands_in(block.text)]
    assert {exception_of(block) for block in blocks} - {None} == set(ONLY_READ)
    assert [pattern for pattern in NOT_RUN if not any(re.search(pattern, command) for command in commands)] == []
