"""What a changed workspace means for the profiles of its space.

A removed audience loses its members and a removed journey its progress without an event: Segment documents none for
them. No profile is computed here, but with its next call, with the passing of time, or on demand.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection as Transaction
from sqlalchemy import delete

from emulator.segment.engage.engine import Engage
from emulator.segment.engage.queries import keys_after
from emulator.segment.tables import DUE, JOURNEYS, MEMBERSHIPS
from emulator.workspace import Workspace


def forget_removed(transaction: Transaction, workspace: Workspace) -> None:
    """Deletes memberships of audiences and progress in journeys that the workspace does not have."""
    keys = [audience.key for audience in workspace.audiences]
    transaction.execute(delete(MEMBERSHIPS).where(MEMBERSHIPS.c.audience_key.not_in(keys)))
    ids = [journey.id for journey in workspace.journeys]
    transaction.execute(delete(JOURNEYS).where(JOURNEYS.c.journey_id.not_in(ids)))


def reschedule(transaction: Transaction, engage: Engage, at: datetime) -> None:
    """Sets anew when time may next change the audiences or journeys of each stored profile."""
    if not engage.depends_on_time:
        transaction.execute(delete(DUE))
        return
    last = 0
    while profiles := keys_after(transaction, last):
        engage.reschedule(transaction, profiles, at=at)
        last = profiles[-1]
