"""The advertisers that a token can see: those of the workspace and those that mutations created.

Assumed: an advertiser that a token created can be read and written by that token and by no other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, select

from emulator.stackadapt.relay import CursorOrder
from emulator.stackadapt.tables import ADVERTISERS
from emulator.stackadapt.upsert import upsert
from emulator.statements import Prepared
from emulator.workspace import READ, WRITE, Token, Workspace

_CHANGEABLE = (
    "name",
    "description",
    "domain_exclusions",
    "is_inventory_packages_strict",
    "user_metadata",
    "is_archived",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownAdvertiser:
    """An advertiser. `made_by` is the name of the token that created it, None for one of the workspace."""

    id: str
    name: str
    description: str | None = None
    domain_exclusions: tuple[str, ...] | None = None
    is_inventory_packages_strict: bool | None = None
    user_metadata: Mapping[str, str] | None = None
    is_archived: bool = False
    made_by: str | None = None


ADVERTISER_LISTING: CursorOrder[KnownAdvertiser] = CursorOrder(
    name="advertisers", position=lambda advertiser: (int(advertiser.id), advertiser.id)
)


_ALL = Prepared(select(ADVERTISERS))


class Advertisers:
    """The advertisers of a sandbox, read once per transaction and updated with what the transaction writes."""

    def __init__(self, connection: Connection, workspace: Workspace) -> None:
        self._connection = connection
        self._known = {
            advertiser.id: KnownAdvertiser(id=advertiser.id, name=advertiser.name, description=advertiser.description)
            for advertiser in workspace.advertisers
        }
        self._known.update({row.id: _advertiser(row) for row in _ALL.rows(connection)})

    def all(self) -> list[KnownAdvertiser]:
        """Every advertiser, archived ones included."""
        return list(self._known.values())

    def get(self, advertiser_id: str) -> KnownAdvertiser | None:
        """The advertiser with this id, or None."""
        return self._known.get(advertiser_id)

    def allowed(self, token: Token, scope: str) -> list[KnownAdvertiser]:
        """The advertisers on which a token has the scope."""
        return [advertiser for advertiser in self.all() if scope in self.scopes(token, advertiser.id)]

    def scopes(self, token: Token, advertiser_id: str) -> frozenset[str]:
        """The scopes of a token for an advertiser; none for an unknown one."""
        advertiser = self._known.get(advertiser_id)
        if advertiser is None:
            return frozenset()
        if advertiser.made_by is not None:
            return frozenset({READ, WRITE}) if advertiser.made_by == token.name else frozenset()
        return token.scopes.get(advertiser_id, frozenset())

    def make(self, made_by: Token, changes: Mapping[str, Any]) -> KnownAdvertiser:
        """Creates an advertiser with the next id."""
        number = max((int(known) for known in self._known), default=0) + 1
        return self._write(KnownAdvertiser(id=str(number), made_by=made_by.name, **changes))

    def change(self, advertiser: KnownAdvertiser, changes: Mapping[str, Any]) -> KnownAdvertiser:
        """Changes fields of an advertiser and returns it."""
        return self._write(replace(advertiser, **changes))

    def _write(self, advertiser: KnownAdvertiser) -> KnownAdvertiser:
        row = {name: getattr(advertiser, name) for name in ("id", "made_by", *_CHANGEABLE)}
        upsert(self._connection, ADVERTISERS, [row], update=_CHANGEABLE)
        self._known[advertiser.id] = advertiser
        return advertiser


def _advertiser(row: Any) -> KnownAdvertiser:
    columns = row._asdict()
    exclusions = columns["domain_exclusions"]
    # Damaged exclusions are as good as none; the advertiser is needed by every request about it.
    readable = isinstance(exclusions, list)
    return KnownAdvertiser(**{**columns, "domain_exclusions": tuple(exclusions) if readable else None})
