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
    return f'Unexpected parameter "{key}" in the request body.'


# Wording of the gateway family that the service uses.
INVALID_JSON = "POST body sent invalid JSON."
NO_QUERY = "Must provide query string."
NO_OPERATION = "Must provide an operation."
AMBIGUOUS_OPERATION = "Must provide operation name if query contains multiple operations."
UNEXPECTED_FAILURE = "Unexpected error."


def params_not_an_object(found: str) -> str:
    return f"Expected params to be an object but given {found}."


def wrong_param_type(name: str, expected: str, found: str) -> str:
    return f'Expected "{name}" param to be {expected}, but given {found}.'


def unknown_operation(name: str) -> str:
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
    return f"Method {method} is not allowed: send a POST request."


def body_too_large(limit: int) -> str:
    return f"The request body is larger than {limit} bytes."


def too_deep(found: int, limit: int) -> str:
    return f"The document is nested {found} fields deep; at most {limit} are allowed."


def too_many(what: str, found: int, limit: int) -> str:
    return f"The document has {found} {what}; at most {limit} are allowed."


def advertiser_unknown(advertiser_id: str) -> str:
    return f"Advertiser {advertiser_id} could not be found."


def write_scope_missing(advertiser_id: str) -> str:
    return f"The token has no WRITE scope for advertiser {advertiser_id}."


def read_scope_missing(advertiser_id: str) -> str:
    return f"The token has no READ scope for advertiser {advertiser_id}."


def too_many_profiles(found: int, limit: int) -> str:
    return f"At most {limit} profiles can be sent at once; found {found}."


def malformed_mapping(detail: str) -> str:
    return f"mappingSchema cannot be read: {detail}"


def email_rejected(reason: str) -> str:
    return {"MISSING_EMAIL": "The profile has no email.", "INVALID_EMAIL": "The profile's email is not valid."}[reason]


def invalid_email(email: str) -> str:
    return f"{email!r} is not a valid email."


def list_unknown(list_id: str) -> str:
    return f"Profile list {list_id} could not be found."


def file_unknown(url: str) -> str:
    return f"{url!r}: no file in the folder of uploads has this name."


def file_too_large(limit: int) -> str:
    return f"The file is larger than {limit} bytes."


def integration_unknown(integration: str) -> str:
    return f"{integration!r} is not an integration."


def integration_id_unknown(integration_id: int, integration: str) -> str:
    return f"The advertiser has no integration {integration_id} of {integration}."


def segment_unknown(segment_id: str) -> str:
    return f"Segment {segment_id} could not be found."


def bad_page_size(argument: str, found: int) -> str:
    return f"{argument} must not be negative; found {found}."


def bad_cursor(cursor: str) -> str:
    return f"{cursor!r} is not a cursor of this list."


def emulator_error(message: str, **extensions: Any) -> GraphQLError:
    """An error whose text the real service would not send."""
    # The texts alone need no GraphQL library.
    from graphql import GraphQLError

    return GraphQLError(message, extensions={"emulator": True, **extensions})
