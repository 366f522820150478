"""The texts of the StackAdapt service: first those of the vendor and its gateway, letter for letter, then those of
the emulator, because the real ones are not public. Texts with `{}` are formats.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from graphql import GraphQLError

# Observed on the live service.
INTROSPECTION_NEEDS_AUTHENTICATION = "Schema introspection requires authentication."
UNEXPECTED_PARAMETER = 'Unexpected parameter "{}" in the request body.'

# Wording of the gateway family that the service uses.
MUTATION_NEEDS_POST = "Can only perform a mutation operation from a POST request."
INVALID_JSON = "POST body sent invalid JSON."
NO_QUERY = "Must provide query string."
NO_SUCH_OPERATION = "Could not determine what operation to execute."
NO_SUBSCRIPTIONS = "Schema is not configured to execute subscription operation."
UNEXPECTED_FAILURE = "Unexpected error."
NO_BATCHING = "Batching is not supported."
BODY_NOT_AN_OBJECT = "POST body is expected to be object but received {}"
WRONG_PARAM_TYPE = 'Expected "{}" param to be {}, but given {}.'

# The emulator's own.
HALF_SURROGATE = "The variables contain half of a surrogate pair, which is not a character."
NEEDS_AUTHENTICATION = "Authentication is required: send a valid token as 'Authorization: Bearer <token>'."
MALFORMED_PROFILES = "profiles must be a JSON array of objects."
ADVERTISER_REQUIRED = "An advertiser is required."
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
URL_UNREADABLE = "{!r} cannot be read as a URL. Its scheme must be file, or it must be the name of a file."
NO_UPLOAD_FOLDER = (
    "The emulator was started without an uploads folder: start it with --uploads, or send the file to an upload target."
)
NOTHING_UPLOADED = "No file was sent to this upload target yet."
ONLY_CDP_PROFILES = "The emulator accepts files of the resource CDP_PROFILES only."
INPUT_REQUIRED = "input is required."
DATA_NOT_OBJECTS = "data must be an array of objects."
METHOD_NOT_ALLOWED = "Method {} is not allowed: send a POST request."
NOT_JSON = "The Content-Type is {}: send application/json, the only one that the emulator reads."
NOT_ACCEPTABLE = "The Accept header is {!r}: accept application/json or application/graphql-response+json."
BODY_TOO_LARGE = "The request body is larger than {} bytes."
TOO_DEEP = "The document is nested {} fields deep; at most {} are allowed."
TOO_MANY = "The document has {} {}; at most {} are allowed."
PROVIDER_UNKNOWN = "externalProvider {!r} is not a known source. {}"
ADVERTISER_UNKNOWN = "Advertiser {} could not be found."
WRITE_SCOPE_MISSING = "The token has no WRITE scope for advertiser {}."
READ_SCOPE_MISSING = "The token has no READ scope for advertiser {}."
TOO_MANY_PROFILES = "At most {1} profiles can be sent at once; found {0}."
MALFORMED_MAPPING = "mappingSchema cannot be read: {}"
# By the reason code of the rejection.
EMAIL_REJECTED = {"MISSING_EMAIL": "The profile has no email.", "INVALID_EMAIL": "The profile's email is not valid."}
INVALID_EMAIL = "{!r} is not a valid email."
LIST_UNKNOWN = "Profile list {} could not be found."
FILE_UNKNOWN = "{!r}: no file in the folder of uploads has this name."
FILE_TOO_LARGE = "The file is larger than {} bytes."
INTEGRATION_UNKNOWN = "{!r} is not an integration. {}"
INTEGRATION_ID_UNKNOWN = "The advertiser has no integration {} of {}."
SEGMENT_UNKNOWN = "Segment {} could not be found."
BAD_PAGE_SIZE = "{} must not be negative; found {}."
ITEM_DAMAGED = "This item is damaged in the store and cannot be shown: {}"
BAD_CURSOR = "{!r} is not a cursor of this list."


def emulator_error(message: str) -> GraphQLError:
    """An error whose text the real service would not send."""
    # The texts alone need no GraphQL library.
    from graphql import GraphQLError

    return GraphQLError(message, extensions={"emulator": True})
