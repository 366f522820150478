"""Shapes of resolvers: fields read from the parent mapping, Relay connections, mutations."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import wraps
from typing import Any

from ariadne import ObjectType

from emulator.stackadapt import messages
from emulator.stackadapt.graphql.context import Info, RequestContext
from emulator.stackadapt.rules.emails import is_valid, normalise
from emulator.stackadapt.rules.user_errors import Refusal, UserError, payload, refusal

Resolver = Callable[..., Any]
Mutation = Callable[[RequestContext, Mapping[str, Any]], dict[str, Any]]


def plain(type_name: str, *fields: str) -> ObjectType:
    """A type whose fields are keys of the parent mapping; a missing key is null."""
    bindable = ObjectType(type_name)
    for field in fields:
        bindable.set_field(field, _key(field))
    return bindable


def connection_types(name: str) -> list[ObjectType]:
    """`<name>Connection` and `<name>Edge`."""
    return [
        plain(f"{name}Connection", "edges", "nodes", "pageInfo", "totalCount"),
        plain(f"{name}Edge", "cursor", "node"),
    ]


def payload_type(name: str, *fields: str) -> ObjectType:
    """A mutation's payload: `clientMutationId`, `userErrors`, and more fields."""
    return plain(name, "clientMutationId", "userErrors", *fields)


def mutation(rule: Mutation) -> Resolver:
    """A root field of Mutation. It returns a fault's user error, the rule's payload, or the user errors of its Refusal.

    `rule` gets the context and the arguments: the fields of `input` where the mutation has that argument.
    """

    @wraps(rule)
    def resolve(_parent: Any, info: Info, **arguments: Any) -> dict[str, Any]:
        context = info.context
        given: Mapping[str, Any] = arguments.get("input", arguments)
        echo = given.get("clientMutationId")
        injected = context.faults.user_error(info.field_name)
        if injected is not None:
            return payload([UserError(injected.message, injected.path)], client_mutation_id=echo)
        try:
            return {**rule(context, given), "clientMutationId": echo}
        except Refusal as refused:
            return payload(refused.user_errors, client_mutation_id=echo)

    return resolve


def valid_emails(emails: Iterable[str], argument: str) -> list[str]:
    """The emails of an input, normalised. Raises Refusal for an invalid one."""
    normalised = [normalise(email) for email in emails]
    for email in normalised:
        if not is_valid(email):
            raise refusal(messages.invalid_email(email), "input", argument)
    return normalised


def _key(field: str) -> Resolver:
    def resolve(parent: Mapping[str, Any], _info: Info) -> Any:
        return parent.get(field)

    return resolve
