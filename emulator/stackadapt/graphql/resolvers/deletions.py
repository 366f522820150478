"""`deleteProfilesWithExternalIds`, `deleteRawProfile` and `deleteRawProfiles`."""

from __future__ import annotations

from collections.abc import Sequence

from ariadne import MutationType

from emulator.stackadapt import messages
from emulator.stackadapt.graphql.context import RequestContext
from emulator.stackadapt.graphql.resolvers.fields import Input, mutation, valid_emails
from emulator.stackadapt.ingestion.jobs import DELETE_EMAILS_JOB, DELETE_EXTERNAL_IDS_JOB
from emulator.stackadapt.rules.providers import provider_key
from emulator.stackadapt.rules.user_errors import refusal

# Stated in the schema's own text.
MOST_EMAILS = 100

mutations = MutationType()
mutations_2026 = MutationType()
BINDABLES = [mutations]
BINDABLES_2026 = [mutations_2026]


@mutations.field("deleteProfilesWithExternalIds")
@mutation
def delete_profiles_with_external_ids(context: RequestContext, given: Input) -> None:
    """Deletes for the advertisers named, or for every one that the token may write; unknown ids are skipped."""
    context.source(given["externalProvider"], "input", "externalProvider")
    named = given.get("advertiserIds")
    if named is None:
        named = [advertiser.id for advertiser in context.writes_somewhere()]
    advertiser_ids = list(dict.fromkeys(named))
    for advertiser_id in advertiser_ids:
        context.writable(advertiser_id, "input", "advertiserIds")
    instructions = {
        "provider": provider_key(given["externalProvider"]),
        "external_ids": list(dict.fromkeys(given["externalIds"])),
    }
    for advertiser_id in advertiser_ids:
        context.jobs.add(DELETE_EXTERNAL_IDS_JOB, advertiser_id=advertiser_id, instructions=instructions)


@mutations_2026.field("deleteRawProfile")
@mutation
def delete_raw_profile(context: RequestContext, given: Input) -> None:
    """Deletes one profile by plain email."""
    _delete_emails(context, given, [given["email"]], "email")


@mutations_2026.field("deleteRawProfiles")
@mutation
def delete_raw_profiles(context: RequestContext, given: Input) -> None:
    """Deletes up to 100 profiles by plain email."""
    _delete_emails(context, given, given["emails"], "emails")


def _delete_emails(context: RequestContext, given: Input, emails: Sequence[str], argument: str) -> None:
    context.writable(given["advertiserId"], "input", "advertiserId")
    if len(emails) > MOST_EMAILS:
        raise refusal(messages.TOO_MANY_EMAILS, "input", argument)
    instructions = {
        "emails": valid_emails(emails, argument),
        "compliance": bool(given.get("isComplianceRequest")),
    }
    context.jobs.add(DELETE_EMAILS_JOB, advertiser_id=given["advertiserId"], instructions=instructions)
