"""Random mappings and payloads: every directive, nested, valid and invalid."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import Random
from typing import Any

from . import edge_values, liquid_cases
from .edge_values import often

DEPTH = 3

PATHS = (
    "$.a", "$.b", "$.s", "$.n", "$.z", "$.e", "$.f", "$.missing", "$.userId", "$.event", "$.traits", "$.traits.plan",
    "$.traits.vip", "$.traits.email", "$.traits['a']", "$.traits[\"with space\"]", "$.traits.with space",
    "$.traits.a.b",
    "$.traits.0", "$.traits.x.y.z", "$.properties", "$.properties.products", "$.properties.products[0]",
    "$.properties.products[0].name", "$.properties.products.1.price", "$.properties.products[-1]", "$.properties.é",
    "$.properties.products[*].name", "$.properties.products.length", "$.s.length", "$.s[0]", "$.s.0", "$.arr",
    "$.arr[0]",
    "$.arr[0].p", "$.arr[0]p", "$.arr.[0].p", "$.arr[01]", "$.arr[0", "$.arr[ 0 ]", "$.arr[0][\"p\"]", "$.arr[0][p]",
    "$.z.x", "$.e.x", "$.f.x", "$.n.x", "$.context.personas.computation_key", "$.o['d.e']", "$.o.a[b]", "$.o[b]",
    "$.o.a]b",
    "$.o[\"\"]", "$.o", "$", "$.", ".", "", "a", "traits.plan", "$.$.a", "o.$.b", "a$.b", " $.a", "$.a ", "$..",
    "$['o']",
    "[0]", "0", "$.constructor.name", "$.j", "$.k", "$.nest",
)  # fmt: skip

TEMPLATES = (
    "{{a}}", "{{ traits.plan }}", "{{{a}}}", "{{missing}}", "{{n}}", "{{z}} and {{f}}", "{{o}}", "{{arr}}", "{{}}",
    "{{ }}",
    "{{.}}", "{{a}", "{a}", "{{a}}}", "{{{a}}", "{{{{a}}}}", "{{{{{a}}}}}", "{{{nest}}}", "{{nest}}", "{{$.a}}",
    "\\{{a}}",
    "{{['with space']}}", "{{ a | upcase }}", "{{s}}-{{userId}}", "plain", "", "{{traits.email}} <{{userId}}>",
    "{{a\n}}",
    "{{arr[0].p}}", "{{traits}}", "$& {{s}} $1", "{{a}}{{b}}{{s}}", "{{properties.products.0.name}}",
)  # fmt: skip

ODD_PAYLOADS: tuple[Any, ...] = (None, [], [1], "text", 5, True, {})

LIQUID_VALUES = (
    "a", "s", "z", "e", "n", "f", "traits.plan", "traits.email", "missing", "'text'", "5", "userId",
    "properties.products[0].name", "s.size", "true", "nil", "empty", "arr", "o", "1.50", "a > 1", "s == e", "not f",
)  # fmt: skip

LIQUID_FILTERS = (
    "upcase", "downcase", "capitalize", "strip", "lstrip", "rstrip", "size", "append: '!'", "prepend: '-'",
    "default: 'none'",
    "replace: 'a', 'b'", "replace_first: 'l', 'L'", "remove: 'l'", "truncate: 6", "truncate: 8, '~'",
    "truncatewords: 1",
    "split: 'l' | join: '+'", "split: ' ' | first", "split: ',' | last", "slice: 1, 2", "slice: -2, 2", "plus: 1",
    "minus: 2", "times: 3", "divided_by: 2", "modulo: 3", "round", "floor", "ceil", "abs", "at_least: 3", "at_most: 4",
    "escape", "url_encode", "strip_html", "nosuchfilter", "json", "size | plus: 1", "json: 2", "json: '--'", "sum",
    "join", "date: '%Y-%m-%d %H:%M:%S.%L'", "date_to_xmlschema", "date: '%s'", "divided_by: 0", "slugify", "compact",
    "push: 1", "truncate: a", "slice: z", "default: 'x', allow_false: true", "number_of_words", "escape_once",
    "to_integer", "truncatewords: missing", "",
)  # fmt: skip

LIQUID_TEMPLATES = (
    "plain text", "", "{% if a %}yes{% else %}no{% endif %}", "{% if z == 0 %}zero{% endif %}",
    "{% if s contains 'l' %}has{% elsif n %}n{% else %}none{% endif %}", "{% unless f %}not{% endunless %}",
    "{% if traits.plan == 'vip' and a %}both{% endif %}", "{% assign v = a %}{{ v }}{{ v }}",
    "{% capture c %}[{{ s }}]{% endcapture %}{{ c }}", "{% comment %}x{% endcomment %}k",
    "{% raw %}{{ a }}{% endraw %}",
    "{% echo s %}", "{% increment i %}{% increment i %}", "{% decrement d %}", "{%- assign v = 1 -%}  {{- v -}}  end",
    "{% if missing %}x{% endif %}", "{{ s }}{{ z }}{{ f }}{{ n }}", "{% for x in arr %}{{ x }}{% endfor %}",
    "{% case a %}{% when 1 %}one{% endcase %}", "{{ arr | map: 'p' }}", "{{ arr | reverse }}", "{% nosuch %}",
    "{{ a > 1 }}", "{% if a > 1 or z < 1 %}t{% endif %}", "{% if e == blank %}b{% endif %}",
    "{% if s == empty %}e{% endif %}", "{{ a > 1 and s == 'x' }}", "{% assign v = a == 5 %}{{ v }}", "{{ a b }}",
    "{{ a > }}", "{{ not a == 6 }}", "{% if s | size %}y{% endif %}", "{{ s | }}", "{{ }}", "{{ | upcase }}",
    "{% if %}x{% endif %}", "{% if a %}x{% else foo %}y{% endif %}", "{% if f %}x{% else %}y{% elsif a %}z{% endif %}",
    "{% unless a %}x{% else %}y{% elsif a %}z{% else %}w{% endunless %}", "{% echo %}x", "{% decrement a %}{{ a }}",
    "{% increment z %}{{ z }}", "{% increment n %}", "{{ size }}|{{ first }}", "{{ arr | json: 20 }}", "{{ (a) }}",
    "{{ s[0] }}{{ arr[-1] }}", "{{ n == missing }}{{ n == nil }}", "{{ 1 == 1 == true }}", "{{ 5abc }}", "{{ a",
    "{{ a }", "{% capture c %}{% break %}x{% endcapture %}y", "{{ z <= e }}{{ '10' < 9 }}", "{% endif %}",
    "{{ a | date: '%j %U' }}",
)  # fmt: skip

LIQUID_CORNERS: Mapping[str, str] = {
    "{{ nil.constructor }}": "LiquidJS calls the constructor of the word and fails; here it is a missing value.",
    "{% block constructor %}b{% endblock %}": "LiquidJS takes a built-in function for the block, which is shown here.",
    "{% increment __proto__ %}": "LiquidJS counts on the prototype of the event; here it is a name like any other.",
    "{{ (1..1000002) | size }}": "LiquidJS builds ranges of up to 1e8 numbers; here of up to a million.",
    "{{ %s }}" % ("[" * 600): "LiquidJS reads brackets at any depth; here only as deep as Python's stack is.",
}
"""Templates with another result in LiquidJS, and the difference. No random case has any of them."""

PATH_CORNERS: Mapping[str, str] = {
    "$.type.__proto__.length": "The prototype of a string, number or boolean is an object; here it is an empty value.",
    "$.type.constructor.prototype": "A built-in function has more members than name and length; here only these.",
}
"""Paths with another value in JavaScript, and the difference. No random case has any of them."""


def payload(rng: Random) -> dict[str, Any]:
    """An event-like object for the paths above."""
    body: dict[str, Any] = {
        "userId": rng.choice(("u1", 7, None, "ü", "")),
        "type": rng.choice(("track", "identify")),
        "event": edge_values.scalar(rng),
        "traits": edge_values.members(rng, 2) if often(rng, 0.8) else edge_values.scalar(rng),
        "properties": {**edge_values.members(rng), "products": [edge_values.members(rng), edge_values.members(rng)]},
        "context": {"personas": {"computation_key": "vip"}},
        "a": edge_values.value(rng),
        "b": edge_values.value(rng),
        "s": rng.choice(edge_values.TEXTS),
        "z": 0,
        "e": "",
        "f": False,
        "n": None,
        "j": rng.choice(('{"b":"\\u00e9"}', "{bad", "[1,2]", '"q"', "null", "1e3", '{"2":1,"1":2}')),
        "arr": [edge_values.members(rng) for _ in range(rng.randrange(4))]
        + [{"p": 1}, None, 5, "s"][: rng.randrange(5)],
        "o": {"d.e": 5, "a[b]": 12, "a]b": 1, "": 7, "b": edge_values.scalar(rng)},
        "nest": rng.choice(("{{s}}", "{{{a}}}", "x")),
        **edge_values.members(rng),
    }
    return {key: entry for key, entry in body.items() if often(rng, 0.93)}


def path(rng: Random, depth: int) -> Any:
    """A path, sometimes a directive with a path as its value, or a value of the wrong type."""
    if often(rng, 0.06):
        return directive(rng, depth - 1) if depth else {"@literal": "$.a"}
    return edge_values.scalar(rng) if often(rng, 0.03) else rng.choice(PATHS)


def condition(rng: Random, depth: int) -> dict[str, Any]:
    """`@if` options, some incomplete."""
    options: dict[str, Any] = {rng.choice(("exists", "exists", "blank")): {"@path": path(rng, 0)}}
    if often(rng, 0.1):
        options = {rng.choice(("exists", "blank", "other")): expression(rng, depth)}
    for branch in ("then", "else"):
        if often(rng, 0.85):
            options[branch] = expression(rng, depth)
    return options


def casing(rng: Random, depth: int) -> dict[str, Any]:
    """`@case` options."""
    options: dict[str, Any] = {"operator": rng.choices(("lower", "upper", "Upper", ""), (48, 48, 2, 2))[0]}
    if often(rng, 0.95):
        options["value"] = stringish(rng, depth)
    return options


def replacement(rng: Random, depth: int) -> dict[str, Any]:
    """`@replace` options, with JavaScript's replacement codes and lengths around the limit."""
    patterns = ("a", "l", "-", ".", " ", "x", "É", "straße", "[", "\\", "$", "0", "1234567890", "|", "A", "u", "s", "^")
    codes = ("", "_", "!", "$&$&", "$$", "$1", "$`", "$'", "$", "12345678901", "😀😀😀😀😀", "\\n")
    pattern = rng.choice(("", "12345678901", 5)) if often(rng, 0.04) else rng.choice(patterns)
    options: dict[str, Any] = {"pattern": pattern, "value": stringish(rng, depth)}
    if often(rng, 0.7):
        options["replacement"] = rng.choice(codes)
    for flag in ("ignorecase", "global"):
        if often(rng, 0.3):
            options[flag] = rng.choices((True, False, None, "yes"), (47, 47, 3, 3))[0]
    if often(rng, 0.25):
        options["pattern2"] = rng.choice((*patterns, 5, "12345678901"))
        if often(rng, 0.6):
            options["replacement2"] = rng.choice(codes)
    if often(rng, 0.04):
        options.pop(rng.choice(("pattern", "value")))
    return options


def array_path(rng: Random, depth: int) -> Any:
    """`@arrayPath` options: a path and a shape, or another value."""
    root = rng.choice(("$.arr", "$.properties.products", "$.traits", "$.a", "$.s", "$.missing", "$.n", "$.o"))
    shape: Any = rng.choice((
        {"k": {"@path": "$.p"}, "lit": 1},
        {"@path": "$.p"},
        {"name": {"@path": "$.name"}, "t": {"@template": "{{name}}/{{price}}"}},
        {"@if": {"exists": {"@path": "$.a"}, "then": {"@path": "$.a"}, "else": "none"}},
        {}, None, "x", [],
    ))  # fmt: skip
    if often(rng, 0.05):
        return edge_values.value(rng)
    first = {"@path": root} if often(rng, 0.2) else root
    return [first, expression(rng, depth) if often(rng, 0.15) else shape][: 1 if often(rng, 0.15) else 2]


def merge(rng: Random, depth: int) -> dict[str, Any]:
    """`@merge` options."""
    options: dict[str, Any] = {
        "objects": [objectish(rng, depth) for _ in range(rng.randrange(4))],
        "direction": rng.choices(("left", "right", "LEFT", "up", 5), (45, 45, 6, 2, 2))[0],
    }
    if often(rng, 0.08):
        options.pop(rng.choice(("objects", "direction")))
    return options


def flatten(rng: Random, depth: int) -> dict[str, Any]:
    """`@flatten` options."""
    options: dict[str, Any] = {
        "separator": rng.choices((".", "_", "/", "--", ""), (30, 30, 18, 19, 3))[0],
        "value": objectish(rng, depth),
    }
    if often(rng, 0.4):
        options["omitArrays"] = rng.choice((True, False, 1, ""))
    return options


def json_text(rng: Random, depth: int) -> dict[str, Any]:
    """`@json` options."""
    options: dict[str, Any] = {"mode": rng.choices(("encode", "decode", "ENCODE", "x"), (47, 47, 4, 2))[0]}
    if often(rng, 0.95):
        source = {"@path": rng.choice(("$.j", "$.a", "$.traits", "$.s", "$"))}
        options["value"] = source if often(rng, 0.6) else expression(rng, depth)
    return options


def transformation(rng: Random, depth: int) -> dict[str, Any]:
    """`@transform` options: `mapping` is resolved against the value of `apply`."""
    inner = {rng.choice(("a", "s", "traits")): expression(rng, depth), "x": {"@path": path(rng, 0)}}
    return {"apply": inner if often(rng, 0.9) else expression(rng, depth), "mapping": objectish(rng, depth)}


def liquid(rng: Random, _depth: int) -> Any:
    """A Liquid template with enabled and some disabled tags and filters."""
    if often(rng, 0.03):
        return edge_values.value(rng)
    if often(rng, 0.4):
        return liquid_cases.template(rng)
    if often(rng, 0.3):
        return rng.choice(LIQUID_TEMPLATES)
    piped = " | ".join((rng.choice(LIQUID_VALUES), *rng.sample(LIQUID_FILTERS, rng.randrange(3))))
    return rng.choice(("{{ %s }}", "<{{ %s }}>", "{%% assign q = %s %%}{{ q }}")) % piped


DIRECTIVES: dict[str, Callable[[Random, int], Any]] = {
    "@path": path,
    "@template": lambda rng, depth: stringish(rng, depth) if often(rng, 0.06) else rng.choice(TEMPLATES),
    "@literal": lambda rng, depth: expression(rng, depth) if often(rng, 0.5) else edge_values.value(rng),
    "@if": condition,
    "@case": casing,
    "@replace": replacement,
    "@arrayPath": array_path,
    "@merge": merge,
    "@flatten": flatten,
    "@json": json_text,
    "@transform": transformation,
    "@excludeWhenNull": lambda rng, depth: objectish(rng, depth) if often(rng, 0.7) else expression(rng, depth),
    "@liquid": liquid,
}


def directive(rng: Random, depth: int) -> dict[str, Any]:
    """A directive; one in fifty is invalid."""
    name = rng.choice(tuple(DIRECTIVES))
    one = {name: DIRECTIVES[name](rng, max(depth - 1, 0))}
    if often(rng, 0.02):
        extra = rng.choice(({"@foo": 1}, {"@path": "$.a", "@template": "x"}, {"@path": "$.a", "extra": 1}, {"@": "x"}))
        return {**one, **extra} if often(rng, 0.5) else extra
    if often(rng, 0.03):
        return {**one, "_metadata": {"label": "x"}}
    return {name: rng.choice((edge_values.value(rng), {"@path": "$.a"}))} if often(rng, 0.02) else one


def expression(rng: Random, depth: int) -> Any:
    """A value or a directive; at depth 0 only simple ones."""
    if depth <= 0:
        return {"@path": rng.choice(PATHS)} if often(rng, 0.5) else edge_values.scalar(rng)
    return directive(rng, depth) if often(rng, 0.75) else edge_values.value(rng)


def stringish(rng: Random, depth: int) -> Any:
    """Mostly a string or a directive."""
    if often(rng, 0.04):
        return edge_values.value(rng)
    return (
        rng.choice(edge_values.TEXTS)
        if often(rng, 0.2)
        else (directive(rng, depth) if depth else {"@path": path(rng, 0)})
    )


def objectish(rng: Random, depth: int) -> Any:
    """Mostly an object of expressions, or a directive with an object as its value."""
    kind = rng.random()
    if kind < 0.5:
        return {"@path": rng.choice(("$.traits", "$.properties", "$.o", "$.context", "$", "$.arr", "$.missing", "$.s"))}
    if kind < 0.9:
        return {rng.choice(edge_values.KEYS): expression(rng, depth - 1) for _ in range(rng.randrange(1, 4))}
    return directive(rng, depth) if depth else edge_values.value(rng)


def mapping(rng: Random) -> Any:
    """A complete mapping: mostly an object of fields, sometimes a root directive."""
    fields = {f"k{index}": expression(rng, DEPTH) for index in range(rng.randrange(1, 5))}
    kind = rng.random()
    if kind < 0.06:
        return directive(rng, DEPTH)
    if kind < 0.12:
        apply = {"a": {"@path": "$.traits"}, "s": {"@path": "$.s"}}
        roots: tuple[Any, ...] = (
            {"@transform": {"apply": apply}},
            {"@merge": {"objects": [{"b": 1}], "direction": "left"}},
            {"@transform": {"apply": apply}, "@literal": {}},
            {"@path": "$.a"},
            {},
        )
        return {"__segment_internal_directive": rng.choices(roots, (70, 18, 5, 4, 3))[0], **fields}
    if kind < 0.18:
        fields["list"] = [expression(rng, DEPTH - 1) for _ in range(rng.randrange(3))]
        fields["deep"] = {"x": {"y": expression(rng, DEPTH - 1)}}
    return fields


def transform_case(rng: Random) -> dict[str, Any]:
    """A case of kind `transform`; one in a hundred has an event that is not an object."""
    event: Any = rng.choice(ODD_PAYLOADS) if often(rng, 0.01) else payload(rng)
    return {"kind": "transform", "mapping": mapping(rng), "payload": event}
