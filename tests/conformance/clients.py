"""Runs the published Node clients against a URL: the destination and the tracking SDKs."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .packages import ANALYTICS_NEXT, ANALYTICS_NODE, NODE_FOLDER, package_directory

SECONDS_ALLOWED = 120

# A method of the SDK and its argument.
Call = tuple[str, dict[str, Any]]


def send(generation: str, url: str, mode: str, events: list[dict[str, Any]], **call: Any) -> dict[str, Any]:
    """Runs the generation's destination against `url`; `call` adds `settings`, `mapping` or `subscriptions`.

    Returns `{"results"}` or `{"error": {"name", "message", "code", "status"}}`.
    """
    return _run("send.cjs", package_directory(generation), {"url": url, "mode": mode, "events": events, **call})


def track(host: str, write_key: str, calls: Sequence[Call]) -> list[str]:
    """Makes calls with `@segment/analytics-node`; returns the errors that the SDK emitted or logged."""
    job = {"host": host, "writeKey": write_key, "calls": calls}
    errors: list[str] = _run("track.cjs", package_directory(ANALYTICS_NODE), job)["errors"]
    return errors


def track_in_a_page(host: str, write_key: str, calls: Sequence[Call]) -> list[str]:
    """The same with `@segment/analytics-next`, in a page of another origin."""
    job = {"host": host, "writeKey": write_key, "calls": calls}
    errors: list[str] = _run("page.cjs", package_directory(ANALYTICS_NEXT), job)["errors"]
    return errors


def _run(script: str, directory: Path, call: dict[str, Any]) -> dict[str, Any]:
    done = subprocess.run(
        ["node", str(NODE_FOLDER / script), str(directory)],
        input=json.dumps(call),
        capture_output=True,
        encoding="utf-8",
        timeout=SECONDS_ALLOWED,
        check=False,
    )
    assert done.returncode == 0, f"{script} failed: {done.stderr}"
    output: dict[str, Any] = json.loads(done.stdout)
    return output
