"""The arguments of control requests, validated against their operation in `contracts/openapi.yaml`.

A schema marked `x-checked-by` in the document is not checked here: the module it names parses that part of a body and
gives more precise errors than a schema can.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeAlias

from flask import request
from jsonschema import Draft202012Validator
from jsonschema.validators import extend

from emulator import strict_json
from emulator.artefacts import contract_text
from emulator.errors import InputError, unknown
from emulator.schemas import NESTING_LIMIT, first_mistake_of, is_deeper_than, place
from emulator.yaml_files import load_yaml

Validator: TypeAlias = Any

_MOST_DIGITS = 16
_BOOLEANS = {"true": True, "false": False}

# JSON Schema takes 7.0 for an integer; Python code that follows does not.
_Validator = extend(  # type: ignore[no-untyped-call]  # stub without types
    Draft202012Validator,
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine(
        "integer", lambda _checker, value: isinstance(value, int) and not isinstance(value, bool)
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Parameter:
    """A parameter of the query string."""

    types: frozenset[str]
    default: Any
    required: bool
    allowed: str | None
    validator: Validator

    def read(self, name: str, text: str | None) -> Any:
        """The value in `text`, the default when there is none. Raises InputError."""
        if text is None:
            if self.required:
                raise InputError("this parameter is required", where=name, allowed=self.allowed)
            return self.default
        value: Any = text
        if "integer" in self.types and re.fullmatch(rf"-?[0-9]{{1,{_MOST_DIGITS}}}", text):
            value = int(text)
        elif "boolean" in self.types:
            value = _BOOLEANS.get(text, text)
        mistake = first_mistake_of(self.validator, value)
        if mistake is not None:
            raise InputError(
                mistake.message, where=name, found=mistake.found, allowed=mistake.allowed, hint=mistake.hint
            )
        return value


@dataclass(frozen=True, slots=True, kw_only=True)
class _Operation:
    parameters: Mapping[str, _Parameter]
    body: Validator | None
    body_required: bool


def query_args() -> dict[str, Any]:
    """`query_parameters` by their names in snake case, as keyword arguments."""
    return {re.sub("[A-Z]", lambda upper: f"_{upper[0].lower()}", name): value for name, value in query_parameters()}


def query_parameters() -> Iterator[tuple[str, Any]]:
    """The name and value of each parameter of the query string; None for one without a value or default.

    Raises InputError for an unknown parameter: a misspelled filter would otherwise find everything.
    """
    known = _operation().parameters
    for name in request.args:
        if name not in known:
            raise unknown("parameter", name, known, where=name)
    for name, parameter in known.items():
        yield name, parameter.read(name, request.args.get(name))


def json_body() -> dict[str, Any]:
    """The request's body, a JSON object; an empty one where a body is optional and absent. Raises InputError."""
    operation = _operation()
    content = request.get_data()
    if not content and not operation.body_required:
        return {}
    if not request.is_json:
        raise InputError(
            "the body must be a JSON object",
            where=request.path,
            found=request.mimetype or "no content type",
            hint="Send it with Content-Type: application/json.",
        )
    body = _parsed(content)
    if not isinstance(body, dict):
        raise InputError("the body must be a JSON object", where=request.path, found=body)
    mistake = first_mistake_of(operation.body, body)
    if mistake is not None:
        unknown_key = (mistake.key,) if mistake.key is not None and mistake.found == mistake.key else ()
        path = (*mistake.path, *unknown_key)
        raise InputError(
            mistake.message,
            where=place(path) if path else request.path,
            found=mistake.found,
            allowed=mistake.allowed,
            hint=mistake.hint,
        )
    return body


@cache
def document() -> Any:
    """The OpenAPI document of the Tracking API and the control API, parsed once per process."""
    # Parsed on first use: YAML is slow, and not every process needs it.
    return load_yaml(contract_text("openapi.yaml"))


def _operation() -> _Operation:
    assert request.url_rule is not None  # noqa: S101 - a view function runs only for a route
    return _compiled(_shape(request.url_rule.rule), "get" if request.method == "HEAD" else request.method.lower())


@cache
def _compiled(shape: str, method: str) -> _Operation:
    item = next(item for path, item in document()["paths"].items() if _shape(path) == shape)
    operation = item[method]
    body = operation.get("requestBody", {})
    media = body.get("content", {}).get("application/json")
    parameters = [_resolved(each) for each in (*item.get("parameters", ()), *operation.get("parameters", ()))]
    return _Operation(
        parameters={each["name"]: _parameter(each) for each in parameters if each["in"] == "query"},
        body=_validator(media["schema"]) if media else None,
        body_required=body.get("required", False),
    )


def _parameter(declared: Mapping[str, Any]) -> _Parameter:
    schema = declared["schema"]
    resolved = _resolved(schema)
    types = resolved.get("type", ())
    return _Parameter(
        types=frozenset([types] if isinstance(types, str) else types),
        default=schema.get("default", resolved.get("default")),
        required=declared.get("required", False),
        allowed=", ".join(resolved["enum"]) if "enum" in resolved else None,
        validator=_validator(schema),
    )


def _validator(schema: Mapping[str, Any]) -> Validator:
    return _Validator({**_checked_here(schema), "components": {"schemas": _schemas()}})


@cache
def _schemas() -> Any:
    return _checked_here(document()["components"]["schemas"])


def _checked_here(schema: Any) -> Any:
    """A schema in which the parts that other modules check are objects of any form."""
    if isinstance(schema, dict):
        inner = {"type": "object"} if "x-checked-by" in schema else schema
        return {key: _checked_here(value) for key, value in inner.items()}
    return [_checked_here(item) for item in schema] if isinstance(schema, list) else schema


def _resolved(item: Mapping[str, Any]) -> Mapping[str, Any]:
    """The item itself, or the component that its `$ref` names."""
    if "$ref" not in item:
        return item
    _, _, kind, name = item["$ref"].split("/")
    component: Mapping[str, Any] = document()["components"][kind][name]
    return component


def _shape(path: str) -> str:
    """A path without the names of its parameters, which Flask and OpenAPI write differently."""
    return re.sub(r"<[^>]+>|\{[^}]+\}", "{}", path)


def _parsed(body: bytes) -> Any:
    """The JSON in a body. Raises InputError for malformed JSON, and for values that could not be stored or sent on."""
    try:
        parsed = strict_json.parse(body)
    except RecursionError:
        raise _too_deep() from None
    except ValueError as error:
        raise InputError(f"the body is not JSON: {error}", where=request.path) from None
    if is_deeper_than(NESTING_LIMIT, parsed):
        raise _too_deep()
    try:
        json.dumps(parsed, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise InputError("the body has an unpaired surrogate", where=request.path) from None
    return parsed


def _too_deep() -> InputError:
    return InputError("the body is nested too deeply", where=request.path, allowed=f"{NESTING_LIMIT} levels")
