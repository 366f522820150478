"""Commands that fill empty screens."""

from __future__ import annotations

from emulator.console.view import View


def example_call(view: View) -> str:
    """An identify call."""
    return (
        f"curl -s -u WRITE_KEY: {view.root}/v1/identify -H 'Content-Type: application/json' "
        """-d '{"userId": "ada", "traits": {"email": "ada@example.com"}}'"""
    )
