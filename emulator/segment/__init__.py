"""The Segment service: the Tracking API, Engage's profiles, audiences and journeys, and delivery to destinations."""

from emulator.segment.delivery.queue import BATCH_BYTES
from emulator.segment.delivery.subscriptions import definition_of, integrations
from emulator.segment.engage.audience_events import AudienceEvent, AudienceRoute, audience_events
from emulator.segment.engage.batches import BATCH_PERIOD
from emulator.segment.engage.computations import computation_of
from emulator.segment.engage.journey_events import step_events
from emulator.segment.engage.routes import audience_routes, step_routes
from emulator.segment.lookups import check_destination
from emulator.segment.profiles.profile import EMAIL, USER_ID, Profile, Progress
from emulator.segment.service import Receipt, Segment
from emulator.segment.tables import TABLES
from emulator.segment.tracking.call_check import EVENT_SETTING, FILTERED_AT_SOURCE
from emulator.segment.tracking.calls import CALLS, EVENTS_IN_A_BATCH
from emulator.segment.tracking.request_body import BATCH_LIMIT_BYTES, NESTING_LIMIT, BadRequest, parse_body
from emulator.segment.tracking.suppression import USER_SUPPRESSED

__all__ = [
    "BATCH_BYTES",
    "BATCH_LIMIT_BYTES",
    "BATCH_PERIOD",
    "CALLS",
    "EMAIL",
    "EVENTS_IN_A_BATCH",
    "EVENT_SETTING",
    "FILTERED_AT_SOURCE",
    "NESTING_LIMIT",
    "TABLES",
    "USER_ID",
    "USER_SUPPRESSED",
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
    "computation_of",
    "definition_of",
    "integrations",
    "parse_body",
    "step_events",
    "step_routes",
]
