"""The filters of LiquidJS by name; as at Segment, most of those for arrays are disabled."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from emulator.mapping.liquid.date_filters import DATE_FILTERS
from emulator.mapping.liquid.encoding_filters import ENCODING_FILTERS
from emulator.mapping.liquid.list_filters import LIST_FILTERS
from emulator.mapping.liquid.number_filters import NUMBER_FILTERS
from emulator.mapping.liquid.rendering import Filter, fitting
from emulator.mapping.liquid.template_errors import LiquidFailure
from emulator.mapping.liquid.text_filters import TEXT_FILTERS

DISABLED_FILTERS = (
    *("array_to_sentence_string", "concat", "find", "find_exp", "find_index", "find_index_exp", "group_by"),
    *("group_by_exp", "has", "has_exp", "map", "newline_to_br", "reject", "reject_exp", "reverse", "sort"),
    *("sort_natural", "uniq", "where_exp", "type"),
)


def _disabled(name: str) -> Filter:
    def refuse(*_arguments: object) -> object:
        raise LiquidFailure(f'filter "{name}" is disabled')

    return refuse


_ENABLED = {**TEXT_FILTERS, **NUMBER_FILTERS, **LIST_FILTERS, **ENCODING_FILTERS, **DATE_FILTERS}
FILTERS: Mapping[str, Filter] = MappingProxyType(
    {
        **{name: fitting(function) for name, function in _ENABLED.items()},
        **{name: _disabled(name) for name in DISABLED_FILTERS},
    }
)
