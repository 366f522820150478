"""Shapes of resolvers: fields read from the parent, and mutations."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import wraps
from typing import Any

from ariadne import ObjectType, convert_camel_case_to_snake

from emulator.stackadapt import messages
from emulator.stackadapt.graphql.context import Info, RequestContext
from emulator.stackadapt.rules.emails import is_valid, normalise
from emulator.stackadapt.rules.user_errors import Refusal, UserError, refusal

# The arguments of a field or the fields of an `input`, and what a resolver returns.
Input = Mapping[str, Any]
Output = dict[str, Any]
Resolver = Callable[..., Any]


def plain(type_name: str, *fields: str) -> ObjectType:
    """A type whose fields are members of the parent, as `member` reads them."""
    bindable = ObjectType(type_name)
    for field in fields:
        bindable.set_field(field, member(field))
    return bindable


def member(field: str) -> Resolver:
    """Resolves a field by the parent's key, or by its attribute in snake case; null when the parent has neither."""
    attribute = convert_camel_case_to_snake(field)

    def resolve(parent: Any, _info: Info) -> Any:
        return parent.get(field) if isinstance(parent, dict) else getattr(parent, attribute, None)

    return resolve


def mutation(rule: Callable[[RequestContext, Input], Output | None]) -> Resolver:
    """A root field of Mutation. It returns a fault's user error, the rule's payload, or the user errors of its Refusal.

    `rule` gets the context and the arguments: the fields of `input` where the mutation has that argument. It returns
    the payload's fields other than `clientMutationId`; `userErrors` is empty unless it is among them.
    """

    @wraps(rule)
    def resolve(_parent: Any, info: Info, **arguments: Any) -> Output:
        context = info.context
        given: Input = arguments.get("input", arguments)
        payload: Output = {"clientMutationId": given.get("clientMutationId"), "userErrors": []}
        injected = context.faults.user_error(info.field_name)
        if injected is not None:
            return {**payload, "userErrors": [UserError(injected.message, injected.path)]}
        try:
            return {**payload, **(rule(context, given) or {})}
        except Refusal as refused:
            return {**payload, "userErrors": refused.user_errors}

    return resolve


def valid_emails(emails: Iterable[str], argument: str) -> list[str]:
    """The emails of an input, normalised. Raises Refusal for an invalid one."""
    normalised = [normalise(email) for email in emails]
    for email in normalised:
        if not is_valid(email):
            raise refusal(messages.invalid_email(email), "input", argument)
    return normalised
