"""External providers and mappable types are compared without case and `_`.

The service's own text asks for `segmentio`; its published client has sent `SEGMENT_IO`, `segmentio` and `segment_io`.
"""

from __future__ import annotations

from collections.abc import Iterable


def provider_key(provider: str | None) -> str:
    """The key under which all spellings of a provider are equal; empty for None."""
    return (provider or "").strip().lower().replace("_", "")


def source_of(provider: str, sources: Iterable[str]) -> str | None:
    """The value of the schema's enum `Source` that a provider means, or None."""
    key = provider_key(provider)
    return next((source for source in sources if provider_key(source) == key), None)
