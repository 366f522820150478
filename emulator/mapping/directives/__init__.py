"""The directives of the mapping kit by name."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from emulator.mapping.directives.case import CASE
from emulator.mapping.directives.conditional import IF
from emulator.mapping.directives.directive import Directive
from emulator.mapping.directives.flatten import FLATTEN
from emulator.mapping.directives.json_text import JSON
from emulator.mapping.directives.liquid import LIQUID
from emulator.mapping.directives.literal import EXCLUDE_WHEN_NULL, LITERAL
from emulator.mapping.directives.lookup import ARRAY_PATH, PATH
from emulator.mapping.directives.merge import MERGE
from emulator.mapping.directives.replace import REPLACE
from emulator.mapping.directives.template import TEMPLATE
from emulator.mapping.directives.transform import TRANSFORM

_ALL = (
    *(IF, CASE, REPLACE, ARRAY_PATH, PATH, TEMPLATE, LITERAL, FLATTEN, JSON, MERGE, TRANSFORM, EXCLUDE_WHEN_NULL),
    LIQUID,
)
DIRECTIVES: Mapping[str, Directive] = MappingProxyType({directive.name: directive for directive in _ALL})
