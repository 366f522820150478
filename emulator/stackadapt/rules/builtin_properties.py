"""The properties that every advertiser has, which the service calls global.

Keys and personal-data flags are those of the columns that the published client always sends.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from emulator.stackadapt.rules.mapping_columns import MappingColumn

EMAIL = "email"

_TEXTS = (
    (EMAIL, "Email", True),
    ("first_name", "First Name", True),
    ("last_name", "Last Name", True),
    ("phone", "Phone", True),
    ("address", "Address", True),
    ("city", "City", False),
    ("state", "State", False),
    ("country", "Country", False),
    ("postal_code", "Postal Code", False),
    ("timezone", "Timezone", False),
)


def _property(key: str, label: str, data_type: str, is_pii: bool) -> MappingColumn:
    return MappingColumn(incoming_key=key, destination_key=key, label=label, data_type=data_type, is_pii=is_pii)


BUILTIN_PROPERTIES = (
    *(_property(key, label, "STRING", is_pii) for key, label, is_pii in _TEXTS),
    _property("birth_date", "Birth Date", "DATE", True),
)

# A column that fills a built-in property is read as that property's type, whatever it declares.
BUILTIN_TYPES: Final[Mapping[str, str]] = {column.destination_key: column.data_type for column in BUILTIN_PROPERTIES}
