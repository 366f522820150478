"""External providers and mappable types are compared without case and `_`.

The service's own text asks for `segmentio`; its published client has sent `SEGMENT_IO`, `segmentio` and `segment_io`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from functools import lru_cache

from emulator.stackadapt.rules.closest import closest


def provider_key(provider: str | None) -> str:
    """The key under which all spellings of a provider are equal; empty for None."""
    return (provider or "").strip().lower().replace("_", "")


def source_of(provider: str, sources: Iterable[str]) -> str | None:
    """The value of the schema's enum `Source` that a provider means, or None."""
    return _by_key(frozenset(sources)).get(provider_key(provider))


@lru_cache(maxsize=10)
def _by_key(sources: frozenset[str]) -> Mapping[str, str]:
    return {provider_key(source): source for source in sources}


def known_sources(provider: str, sources: Collection[str]) -> str:
    """For an error about an unknown provider: the closest source, and which are known. They are too many to list."""
    by_key = {provider_key(source): source for source in sources}
    nearest = closest(provider_key(provider), by_key)
    meant = f"Did you mean {by_key[nearest]}? " if nearest else ""
    return (
        f"{meant}The {len(by_key)} known sources are the values of the enum Source, such as SEGMENT_IO, SHOPIFY and "
        "USER_UPLOADED; letter case and underscores do not matter."
    )
