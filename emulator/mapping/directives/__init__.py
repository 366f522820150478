"""The directives of the mapping kit by name."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from emulator.mapping.directives.directive import Directive
from emulator.mapping.directives.lookup import ARRAY_PATH, EXCLUDE_WHEN_NULL, IF, LITERAL, PATH
from emulator.mapping.directives.shape import FLATTEN, MERGE, TRANSFORM
from emulator.mapping.directives.text import CASE, JSON, LIQUID, REPLACE, TEMPLATE

_ALL = (
    *(IF, CASE, REPLACE, ARRAY_PATH, PATH, TEMPLATE, LITERAL, FLATTEN, JSON, MERGE, TRANSFORM, EXCLUDE_WHEN_NULL),
    LIQUID,
)
DIRECTIVES: Mapping[str, Directive] = MappingProxyType({directive.name: directive for directive in _ALL})
