"""The Segment service: the Tracking API, Engage's profiles, audiences and journeys, and delivery to destinations."""

from emulator.segment.delivery.subscriptions import definition_of, integrations
from emulator.segment.engage.audience_events import AudienceEvent, AudienceRoute, audience_events
from emulator.segment.engage.journey_events import step_events
from emulator.segment.engage.routes import audience_routes, step_routes
from emulator.segment.lookups import check_destination
from emulator.segment.profiles.profile import EMAIL, USER_ID, Profile, Progress
from emulator.segment.service import Receipt, Segment
from emulator.segment.tables import TABLES
from emulator.segment.tracking.calls import CALLS, EVENTS_IN_A_BATCH
from emulator.segment.tracking.request_body import BATCH_LIMIT_BYTES, NESTING_LIMIT, BadRequest, parse_body

__all__ = [
    "BATCH_LIMIT_BYTES",
    "CALLS",
    "EMAIL",
    "EVENTS_IN_A_BATCH",
    "NESTING_LIMIT",
    "TABLES",
    "USER_ID",
    "AudienceEvent",
    "AudienceRoute",
    "BadRequest",
    "Profile",
    "Progress",
    "Receipt",
    "Segment",
    "audience_events",
    "audience_routes",
    "check_destination",
    "definition_of",
    "integrations",
    "parse_body",
    "step_events",
    "step_routes",
]
