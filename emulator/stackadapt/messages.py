"""The texts of the StackAdapt service: first those of the vendor and its gateway, letter for letter, then those of
the emulator, because the real ones are not public.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from graphql import GraphQLError

# Observed on the live service.
INTROSPECTION_NEEDS_AUTHENTICATION = "Schema introspection requires authentication."


def unexpected_parameter(key: str) -> str:
    """A body key outside the GraphQL request shape."""
    return f'Unexpected parameter "{key}" in the request body.'


# Wording of the gateway family that the service uses.
INVALID_JSON = "POST body sent invalid JSON."
NO_QUERY = "Must provide query string."
NO_OPERATION = "Must provide an operation."
AMBIGUOUS_OPERATION = "Must provide operation name if query contains multiple operations."
UNEXPECTED_FAILURE = "Unexpected error."


def params_not_an_object(found: str) -> str:
    """A body that is a JSON array or scalar."""
    return f"Expected params to be an object but given {found}."


def query_not_a_string(found: str) -> str:
    """A `query` of another type."""
    return f'Expected "query" param to be a string, but given {found}.'


def variables_not_an_object(found: str) -> str:
    """`variables` of another type."""
    return f'Expected "variables" param to be empty or an object, but given {found}.'


def operation_name_not_a_string(found: str) -> str:
    """An `operationName` of another type."""
    return f'Expected "operationName" param to be a string, but given {found}.'


def unknown_operation(name: str) -> str:
    """`operationName` that the document does not define."""
    return f'Unknown operation named "{name}".'


# The emulator's own.
HALF_SURROGATE = "The variables contain half of a surrogate pair, which is not a character."
NEEDS_AUTHENTICATION = "Authentication is required: send a valid token as 'Authorization: Bearer <token>'."
MALFORMED_PROFILES = "profiles must be a JSON array of objects."
ADVERTISER_REQUIRED = "An advertiser is required."
PROVIDER_UNKNOWN = "externalProvider is not a known source."
NO_WRITE_SCOPE = "The token has no WRITE scope for any advertiser."
TOO_MANY_EMAILS = "At most 100 emails can be deleted at once."
MAPPING_UNKNOWN = "The mapping could not be found."
NAME_REQUIRED = "A name is required."
LISTS_REQUIRED = "At least one profile list is required."
ADDED_AND_REMOVED = "The same email is both added and removed."
ID_NOT_ACCEPTED = "A new advertiser is given its id: omit it, or use updateAdvertiser."
ADVERTISER_ID_REQUIRED = "The id of an advertiser is required."
TOO_MANY_ADVERTISERS = "At most 100 advertisers can be archived at once."
URL_REQUIRED = "The url of a file is required."
NO_NETWORK = (
    "The emulator fetches nothing from the network: send the resourceUrl of an upload target, or the name of a file in "
    "the folder given by --uploads."
)
NO_UPLOAD_FOLDER = (
    "The emulator was started without an uploads folder: start it with --uploads, or send the file to an upload target."
)
NOTHING_UPLOADED = "No file was sent to this upload target yet."
ONLY_CDP_PROFILES = "The emulator accepts files of the resource CDP_PROFILES only."
INPUT_REQUIRED = "input is required."
DATA_NOT_OBJECTS = "data must be an array of objects."


def method_not_allowed(method: str) -> str:
    """Anything but POST."""
    return f"Method {method} is not allowed: send a POST request."


def body_too_large(limit: int) -> str:
    """More bytes than `Limits.body_bytes`."""
    return f"The request body is larger than {limit} bytes."


def too_deep(found: int, limit: int) -> str:
    """More nested fields than `Limits.depth`."""
    return f"The document is nested {found} fields deep; at most {limit} are allowed."


def too_many(what: str, found: int, limit: int) -> str:
    """More aliases or selections than allowed."""
    return f"The document has {found} {what}; at most {limit} are allowed."


def advertiser_unknown(advertiser_id: str) -> str:
    """A mutation for an advertiser that does not exist."""
    return f"Advertiser {advertiser_id} could not be found."


def write_scope_missing(advertiser_id: str) -> str:
    """A mutation by a token that may not write there."""
    return f"The token has no WRITE scope for advertiser {advertiser_id}."


def read_scope_missing(advertiser_id: str) -> str:
    """A read of profiles by a token that may not read there, or of an advertiser that does not exist."""
    return f"The token has no READ scope for advertiser {advertiser_id}."


def too_many_profiles(found: int, limit: int) -> str:
    """More profiles than `Limits.profiles`."""
    return f"At most {limit} profiles can be sent at once; found {found}."


def malformed_mapping(detail: str) -> str:
    """A mapping schema sent as an invalid JSON string."""
    return f"mappingSchema cannot be read: {detail}"


def email_rejected(reason: str) -> str:
    """A record without a valid email, when `ingestion.report_rejections` is `user_errors`."""
    return {"MISSING_EMAIL": "The profile has no email.", "INVALID_EMAIL": "The profile's email is not valid."}[reason]


def invalid_email(email: str) -> str:
    """A deletion by an invalid email."""
    return f"{email!r} is not a valid email."


def list_unknown(list_id: str) -> str:
    """A profile list that does not exist, or belongs to another advertiser."""
    return f"Profile list {list_id} could not be found."


def file_unknown(url: str) -> str:
    """A file that is not in the uploads folder."""
    return f"{url!r}: no file in the folder of uploads has this name."


def file_too_large(limit: int) -> str:
    """A file of more bytes than `Limits.body_bytes`."""
    return f"The file is larger than {limit} bytes."


def integration_unknown(integration: str) -> str:
    """A connector of `dataHubWebhookApi` that is not a `Source`."""
    return f"{integration!r} is not an integration."


def integration_id_unknown(integration_id: int, integration: str) -> str:
    """An integration of `dataHubWebhookApi` that the advertiser does not have."""
    return f"The advertiser has no integration {integration_id} of {integration}."


def segment_unknown(segment_id: str) -> str:
    """A filter by a segment that the advertiser does not have."""
    return f"Segment {segment_id} could not be found."


def bad_page_size(argument: str, found: int) -> str:
    """A negative page size."""
    return f"{argument} must not be negative; found {found}."


def bad_cursor(cursor: str) -> str:
    """A cursor or pagination token that this list has never returned."""
    return f"{cursor!r} is not a cursor of this list."


def emulator_error(message: str, **extensions: Any) -> GraphQLError:
    """An error whose text the real service would not send."""
    # The texts alone need no GraphQL library.
    from graphql import GraphQLError

    return GraphQLError(message, extensions={"emulator": True, **extensions})
