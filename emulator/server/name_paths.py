"""Names of the workspace in the paths of the control API: any text, slashes included."""

from __future__ import annotations

from typing import Final

from werkzeug.routing import BaseConverter

# In rules: `/destinations/<name:destination>/test`.
CONVERTER: Final = "name"


class NameConverter(BaseConverter):
    """A name as it is sent percent-encoded: a server decodes `%2F` before the path is matched."""

    regex = "(?s:.+?)"
    part_isolating = False
