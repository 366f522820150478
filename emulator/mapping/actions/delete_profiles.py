"""Deletion of a user: the user id is written unescaped, and the `userErrors` of the response are checked."""

from __future__ import annotations

from collections.abc import Mapping

from emulator.mapping.actions.document import mutation, root_field, sync_id
from emulator.mapping.definition import Definition
from emulator.mapping.engine_errors import EngineTypeError, IntegrationError, member, text_of
from emulator.mapping.javascript.values import UNDEFINED, is_nullish, number_to_string, parse_int, truthy

_FIELD = "deleteProfilesWithExternalIds"


def deletion_document(event: object, settings: Mapping[str, str], definition: Definition) -> str:
    """The document that deletes the event's `userId`. A missing one deletes `undefined`, null deletes `null`."""
    if event is None:
        raise EngineTypeError("Cannot destructure property 'userId' of 'event' as it is null.")
    user_id = text_of(event.get("userId", UNDEFINED) if isinstance(event, dict) else UNDEFINED)
    arguments = [
        f'externalIds: ["{user_id}"]',
        f'externalProvider: "{definition.external_provider}"',
        f'syncId: "{sync_id(user_id)}"',
    ]
    in_settings = definition.advertiser_from == "settings"
    if in_settings:
        advertiser = parse_int(settings["advertiser_id"])
        arguments.append(f"advertiserIds: [{'NaN' if advertiser is None else number_to_string(advertiser)}]")
    field = root_field(_FIELD, arguments, in_input=in_settings, selection=("message", "path"))
    return mutation([field], closing_indent=4)


def check_deletion(body: object) -> None:
    """Raises IntegrationError for user errors in the response, EngineTypeError for a body of another shape."""
    errors = member(member(member(body, "data"), _FIELD), "userErrors")
    if isinstance(errors, list) and errors:
        messages = [member(error, "message") for error in errors]
        shown = ", ".join("" if is_nullish(message) else text_of(message) for message in messages)
        raise IntegrationError(f"Profile deletion was not successful: {shown}", "DELETE_FAILED")
    length = len(errors) if isinstance(errors, str | list) else member(errors, "length")
    if not isinstance(errors, list) and truthy(length):
        raise EngineTypeError(f"result.data.{_FIELD}.userErrors.map is not a function")
