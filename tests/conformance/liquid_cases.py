"""Random templates of `@liquid`: every tag and filter, broken ones too, put together from parts and cut up again."""

from __future__ import annotations

from random import Random

from . import edge_values
from .edge_values import often

VALUES = (
    "a", "s", "z", "e", "n", "f", "arr", "o", "traits.plan", "traits", "missing", "userId", "j", "b", "nest",
    "properties.products[0].name", "s.size", "arr.first", "arr[-1]", "arr[0].p", "o['d.e']", 'o["a[b]"]', "arr.size",
    "s[0]", "s['0']", "s.length", "o[b]", "['a']", "[s]", "[0]", "traits[j]", "traits['with space']", "first", "size",
    "traits.k-1", "-traits.plan", "-a", "a-b", "a?", "_x", "5abc", "é", "a.b.c.d", "arr[01]", "arr['0']", "arr[1.5]",
    "true", "false", "nil", "null", "empty", "blank", "nil.size", "empty.equals", "blank.equals", "nil.gt", "true.x",
    "0", "5", "-1", "+5", "1.", "1.50", ".5", "-.5", "1e3", "5.5.5", "1..2", "0x10", "-0", "007",
    "99999999999999999999",
    "'text'", '"text"', "''", "'it\\'s'", '"say \\"hi\\""', "'\\n'", "'\\t\\\\'", "'\\u0041'", "'\\ud83d\\ude00'",
    "'\\u41'", "'\\101'", "'\\8'", "'\\x41'", "'}}'", "'%}'", "'{{ a }}'", "'a|b: c, d'", "'a\nb'", "'😀'", "'\"'",
    "(1..3)", "(1..n)", "(a..b)", "(1.5..3)", "('1'..'3')", "(3..1)", "(1..3).size", "(1..3)[1]", "'abc'.size",
    "'abc'[1]", "if", "for", "in", "as", "else", "not", "and", "contains", "block", "forloop", "now", "constructor",
)  # fmt: skip

OPERATORS = ("==", "!=", "<", ">", "<=", ">=", "contains", "and", "or")
ODD_OPERATORS = ("<>", "=", "&&", "", "not", ",", "..")

ARGUMENTS = (
    "'a'", "'l'", "' '", "''", "','", "'\\n'", "1", "2", "-2", "0", ".5", "1.5", "1e3", "'1'", "'-2'", "'x'", "3.7",
    "nil", "empty", "blank", "true", "false", "missing", "n", "a", "s", "arr", "o", "(1..2)", "'US'", "'ordinal'",
    "'cjk'", "'auto'", "'latin'", "'raw'", "'pretty'", "'ascii'", "'none'", "'toString'", "'p'", "'name'", "'a.b'",
    "allow_false: true", "b: 1", "'b': 1", "x: nil", "a:", "",
)  # fmt: skip

FILTERS = (
    "abs", "append", "at_least", "at_most", "base64_decode", "base64_encode", "capitalize", "ceil", "cgi_escape",
    "compact", "date", "date_to_long_string", "date_to_rfc822", "date_to_string", "date_to_xmlschema", "default",
    "divided_by", "downcase", "escape", "escape_once", "first", "floor", "hmac_sha256", "inspect", "join", "json",
    "jsonify", "last", "lstrip", "minus", "modulo", "normalize_whitespace", "number_of_words", "plus", "pop", "prepend",
    "push", "raw", "remove", "remove_first", "remove_last", "replace", "replace_first", "replace_last", "round",
    "rstrip", "sha256", "shift", "size", "slice", "slugify", "split", "squish", "strip", "strip_html", "strip_newlines",
    "sum", "times", "to_integer", "truncate", "truncatewords", "unshift", "upcase", "uri_escape", "url_decode",
    "url_encode", "where", "xml_escape",
    "reverse", "map", "sort", "uniq", "concat", "find", "nosuch", "constructor",
)  # fmt: skip

DATES = (
    "0", "1700000000000", "253402300800", "8640000000000", "8640000000001", "-99999999999", "-62135596801",
    "-62167219201", "-8640000000000", "1.9999", "'1700000000'", "'1700000000000'", "'99999999999999'", "'2024-02-29'",
    "'+056467-03-01T10:11:12Z'", "'-000044-03-15'", "'0000-12-31'", "'0001-01-01'", "'0099-05-06'",
    "'2023-11-14T22:13:20.5Z'",
    "'January 5, 99999'", "'gold 1'", "'1-2-2024 10:00 PM EST'", "true", "arr", "o", "s", "a", "traits.plan", "nil",
    "empty", "'12345-01-01'", "'no date'",
)  # fmt: skip

CONVERSIONS = "aAbBcCdeHIjklLmMNnpPqsSuUwWxXyYzZt%hGQv"
FLAGS = ("", "", "", "-", "_", "0", "^", "#", ":", "-_", "0^", "^#", "5", "05", "_7", "12", "3", "-3", "10E", "O")
ZONES = (
    "", "", "", ", 'America/New_York'", ", 'asia/kolkata'", ", 'UTC'", ", 'No/Where'", ", 330", ", -90.5", ", nil",
    ", '330'", ", true", ", 'Europe/Paris'", ", 1e3", ", missing", ", 'JST'", ", ''", ", 99999999999", ", 'localtime'",
)  # fmt: skip

BROKEN_TAGS = (
    "break", "continue", "assign", "assign v", "assign v a", "cycle", "# note\nmore", "for x in arr", "case a",
    "include 'x'", "render 'x'", "layout 'x'", "tablerow x in arr", "nosuch", "endif", "else", "", "-", "liquid\nbreak",
    "liquid\nnosuch", "liquid\nif a", "liquid\nraw", "liquid\ncomment", "liquid\n- echo a", "liquid\n$", "echo |",
    "if", "unless a", "capture 5", "comment", "raw", "block",
)  # fmt: skip

TEXTS = ("", " ", "x", "\n ", " text ", "}", "%", "{ {", "}}", "%}", "-", "é", "😀", "\t")


def quoted_format(rng: Random) -> str:
    """A pattern of `date` with flags and widths."""
    parts = (f"%{rng.choice(FLAGS)}{rng.choice(CONVERSIONS)}" for _ in range(rng.randrange(1, 5)))
    return f"'{rng.choice(('', ' ', '-', '/')).join(parts)}'"


def date(rng: Random) -> str:
    """A date of any year in any pattern and zone."""
    name = rng.choice(("date", "date", "date", "date_to_xmlschema", "date_to_rfc822", "date_to_string"))
    if name == "date":
        return f"{rng.choice(DATES)} | date: {quoted_format(rng)}{rng.choice(ZONES)}"
    return f"{rng.choice(DATES)} | {name}{rng.choice(('', ': ' + chr(39) + 'ordinal' + chr(39)))}"


def filter_call(rng: Random) -> str:
    """A filter with up to three arguments."""
    arguments = rng.choice((", ", ", ", ",", " , ")).join(
        rng.choice(ARGUMENTS) for _ in range(rng.choice((0, 0, 1, 1, 2, 3)))
    )
    return f"{rng.choice(FILTERS)}{rng.choice((': ', ':', ': ', ' : ')) + arguments if arguments else ''}"


def expression(rng: Random) -> str:
    """Operands and operators, sometimes in an order that makes no sense, and filters."""
    if often(rng, 0.15):
        return date(rng)
    parts = [rng.choice(VALUES)]
    while often(rng, 0.25):
        parts += (rng.choice(OPERATORS if often(rng, 0.93) else ODD_OPERATORS), rng.choice(VALUES))
    if often(rng, 0.05):
        parts.insert(0, "not")
    return " | ".join((" ".join(parts), *(filter_call(rng) for _ in range(rng.choice((0, 0, 1, 1, 2))))))


def markup(rng: Random, opening: str, content: str, closing: str) -> str:
    """An output or a tag, with or without hyphens and blanks."""
    left, right = (rng.choice(("", "", "", "-")) for _ in range(2))
    blank = rng.choice((" ", " ", " ", "", "\n", "  "))
    return f"{opening}{left}{blank}{content}{blank}{right}{closing}"


def tag(rng: Random, content: str) -> str:
    """A tag."""
    return markup(rng, "{%", content, "%}")


def branches(rng: Random, depth: int) -> str:
    """`if` or `unless` with branches, mostly in a valid order."""
    name = rng.choice(("if", "if", "unless"))
    parts = [tag(rng, f"{name} {expression(rng)}"), content(rng, depth)]
    for _ in range(rng.choice((0, 0, 1, 2))):
        part = rng.choices((f"elsif {expression(rng)}", "else", "else x"), (5, 5, 1))[0]
        parts += (tag(rng, part), content(rng, depth))
    return "".join((*parts, tag(rng, f"end{name}{' x' if often(rng, 0.03) else ''}")))


def enclosing(rng: Random, depth: int) -> str:
    """A tag with an end tag."""
    name, arguments = rng.choices(
        (("capture", "v"), ("capture", "'v w'"), ("comment", ""), ("raw", ""), ("block", "b"), ("capture", "")),
        (6, 2, 4, 4, 2, 1),
    )[0]
    return tag(rng, f"{name} {arguments}".strip()) + content(rng, depth) + tag(rng, f"end{name}")


def single(rng: Random, _depth: int = 0) -> str:
    """A tag without an end tag; one in ten is invalid."""
    return tag(rng, rng.choice(BROKEN_TAGS) if often(rng, 0.1) else valid_tag(rng))


def valid_tag(rng: Random) -> str:
    """The content of a tag without an end tag."""
    value = expression(rng)
    return rng.choice((
        f"assign v = {value}", f"assign v={value}", f"echo {value}", "echo", f"cycle {value}, {rng.choice(VALUES)}",
        f"cycle {rng.choice(VALUES)}: 'x', 'y'", "cycle 'x','y'", "cycle 'x', 'y'", "cycle 0, 1", "increment i",
        "increment a", "decrement i", "increment z", "increment", "decrement n", "# note", "#note\n# more",
        f"liquid\n assign v = {value}\n echo v\n # c\n if v\n echo 1\n endif", f"liquid echo {value}",
    ))  # fmt: skip


def output(rng: Random, _depth: int = 0) -> str:
    """`{{ … }}`."""
    return markup(
        rng,
        "{{",
        expression(rng) if often(rng, 0.93) else rng.choices(("v", "v | json", "a |", "|", ""), (6, 6, 1, 1, 1))[0],
        "}}",
    )


def content(rng: Random, depth: int) -> str:
    """Some texts, outputs and tags."""
    parts = []
    for _ in range(rng.randrange(1, 4)):
        kinds = (output, output, single) if depth <= 0 else (output, output, single, branches, enclosing)
        parts += (rng.choice(TEXTS) if often(rng, 0.6) else "", rng.choice(kinds)(rng, depth - 1))
    return "".join(parts)


def broken(rng: Random, source: str) -> str:
    """The template with a piece cut out, doubled or inserted."""
    at = rng.randrange(len(source) + 1)
    end = min(at + rng.randrange(1, 9), len(source))
    piece = rng.choice(
        ("{{", "}}", "{%", "%}", "'", '"', "\\", "|", ":", ",", "[", "]", "(", ")", ".", "-", "raw", "\n", "$")
    )
    return rng.choice((
        source[:at] + source[end:],
        source[:at] + piece + source[at:],
        source[:end] + source[at:end] + source[end:],
        source[:at],
    ))  # fmt: skip


def template(rng: Random) -> str:
    """A template; one in eight is broken."""
    drawn = content(rng, 2)
    if often(rng, 0.05):
        drawn += rng.choice(edge_values.TEXTS)
    return broken(rng, drawn) if often(rng, 0.13) else drawn
