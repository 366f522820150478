"""External providers and mappable types are compared without regard to case and `_`.

The service's own text asks for `segmentio`; its published client has sent `SEGMENT_IO`, `segmentio` and `segment_io`.
"""

from __future__ import annotations

from collections.abc import Iterable


def provider_key(provider: str | None) -> str:
    """The form in which two spellings of one provider are equal; empty for none."""
    return (provider or "").strip().lower().replace("_", "")


def source_of(provider: str, sources: Iterable[str]) -> str | None:
    """The member of the schema's `Source` that a provider means, or None."""
    key = provider_key(provider)
    return next((source for source in sources if provider_key(source) == key), None)
