"""The environment of the Segment tests, which ingests what is generated."""

from __future__ import annotations

from tests.segment.conftest import document, open_env, segment_env

__all__ = ["document", "open_env", "segment_env"]
