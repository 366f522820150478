"""Regular expressions that users write.

One such as `(a|a)+$` may take hours for a short text, which a caller chooses, so each search has a time
limit. Segment's own engine needs none: it always takes linear time.
"""

from __future__ import annotations

import logging
from typing import Final

LIMIT_SECONDS: Final = 0.1

_LOG = logging.getLogger(__name__)


def check(pattern: str) -> str | None:
    """What is wrong with a regular expression; None if it is one."""
    import regex  # few workspaces have any

    try:
        regex.compile(pattern)
    except (regex.error, RecursionError, OverflowError) as error:
        return str(error)
    return None


def found(pattern: str, text: str) -> bool:
    """Whether a regular expression matches anywhere; not if that takes longer than the limit, which is logged."""
    import regex

    try:
        return regex.search(pattern, text, timeout=LIMIT_SECONDS) is not None
    except TimeoutError:
        _LOG.warning("no match after %g s: the regular expression %s takes too long", LIMIT_SECONDS, pattern)
        return False
