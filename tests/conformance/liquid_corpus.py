"""Templates for every tag, filter with every kind of argument, escape, number and conversion of `date`."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

from .liquid_cases import ARGUMENTS, BROKEN_TAGS, CONVERSIONS, DATES, FILTERS, ODD_OPERATORS, OPERATORS, VALUES, ZONES

EVENT = {
    "type": "track", "userId": "u1", "a": 5, "s": "Hello, W\u00f6rld \U0001f600 x", "z": 0, "e": "",
    "n": None, "f": False,
    "arr": [{"p": 1, "name": "x"}, {"p": 2.5}, None, "s", [1, [2]]], "o": {"d.e": 5, "a[b]": 12, "": 7, "b": "x",
    "size": 3},
    "traits": {"plan": "vip", "-plan": 1, "k-1": 2, "with space": "w", "x": True}, "-a": "hyphen",
    "b": 12.5, "j": "plan",
    "-traits": {"plan": "hyphens"}, "5": {"5": {"5": "fives"}, "x": 1}, "\u00e9": "accent", "nest": "{{s}}",
    "a-b": "dash",
    "properties": {"products": [{"name": "<p>A &amp; B</p>", "price": 3}]}, "a?": "asked", "if": "word", "_x": "under",
    "odd": {"toString": 1, "length": 2, "0": "zero", "1": "one"}, "iso": "2024-01-05T17:08:09.456Z",
}  # fmt: skip

INPUTS = ("s", "a", "arr", "o", "n", "missing", "nil", "empty", "''", "1.5", "-7", "true", "odd", "'a b,c d'", "(1..3)")

WHOLE = (
    "{{ 'a\\nb' | replace: '\\n', ' ' }}", "{{ -traits.score }}", "{{ 3 | times: .5 }}", "{{ -traits.plan }}",
    "{% comment %}{% if {% endcomment %}", "{% comment %}{% if %}{{ | }}{% nosuch %}{% endcomment %}k",
    "{% comment %}{{ a {% endcomment %}", "{% comment %}{% raw %}{% endcomment %}{% endraw %}{% endcomment %}k",
    "{% comment %}{% comment %}{% endcomment %}k", "{% raw %}{{ a }{% if {% endraw %}", "{% raw %}x{%- endraw -%}  y",
    "{% raw %} a {%endraw%}", "{%- raw -%} a {%- endraw -%}", "{% raw %}{% endraw", "{{ a }}{{-a-}} {{- s -}} x",
    " {%- if a -%} y {%- endif -%} ", "{{ '}}' }}", "{% echo '%}' %}", "{{ \"'\" }}{{ '\"' }}", "{{ 'a' 'b' }}",
    "{{ 'unclosed }}", "{% echo 'unclosed %}", "{% echo '\\u12%}", "{{ '\\u12", "{%}", "{%%}", "{{}}", "{{}", "{%-%}",
    "{% if a %}x", "{% unless a %}x", "{% capture x %}", "{% block x %}", "{% comment %}", "{% raw %}", "{{ a", "{% a",
    "{% if a %}{% for x in arr %}{% endif %}", "x\n  {% nosuch %}", "x\n  {{ a | date: '%Y', 'No' }}", "\n{{ $.a }}",
    "{% if a %}1{% elsif z %}2{% else %}3{% endif %}", "{% if f %}1{% else %}2{% elsif a %}3{% endif %}",
    "{% if f %}1{% else %}2{% else %}3{% endif %}", "{% if f %}1{% endif x %}", "{% if f %}{% else x %}{% endif %}",
    "{% unless a %}1{% elsif a %}2{% else %}3{% elsif %}4{% else %}5{% endunless x %}",
    "{% if a | size > 1 %}x{% endif %}",
    "{% cycle 'a', 'b' %}{% cycle 'a', 'b' %}{% cycle 'a','b' %}{% cycle a: 'a', 'b' %}",
    "{% cycle 0, 1 %}{% cycle 0, 1 %}",
    "{% cycle 5 | plus: 1, 'x' %}", "{% increment i %}{% increment i %}{{ i }}{% decrement i %}",
    "{% increment a %}{{ a }}",
    "{% assign a = 1 %}{% increment a %}{{ a }}", "{% capture 'x y' %}1{% endcapture %}{{ ['x y'] }}",
    "{% capture x y %}{% endcapture %}",
    "{% assign x = nil %}{{ x | json }}{{ x == nil }}",
    "{% block b %}{{ block }}{{ block.super }}{{ block | json }}{% endblock %}",
    "{% liquid\nassign x = a\necho x\nif x\necho 's'\nendif %}",
    "{% liquid\ncomment\nnosuch\nendcomment\necho 1 %}", "{% liquid %}",
    "{% liquid\n echo a\n# note\n\n echo s | size\n%}", "{% liquid\nif a %}{% endif %}", "{% # x\n# y %}{% # x\ny %}",
    "a{% break %}b", "{% capture c %}1{% continue %}2{% endcapture %}3", "{% if a %}{% break %}{% endif %}x",
    "{{ a, s }}", "{{ a) }}", "{{ a | plus: 1) }}", "{{ a | }}", "{{ a || plus: 1 }}", "{{ a | plus 1 }}",
    "{{ a | plus: 1 2 }}",
    "{{ a | plus: | minus: 1 }}", "{{ a | : 1 }}", "{{ arr[0 }}", "{{ arr[0]p }}", "{{ arr [0] }}", "{{ arr. first }}",
    "{{ o[odd] }}", "{{ odd }}", "{{ odd | plus: 1 }}", "{{ odd == 1 }}{{ odd < 1 }}",
    "{{ arr == arr }}{{ o == o }}", "{{ (1..a) }}",
    "{{ (1..odd) }}", "{{ (1..999999999) }}", "{{ (1...3) }}", "{{ (1.. }}", "{{ (a) }}", "{{ s | where: 'x' }}",
    "{{ arr | where: 'p', 1 | json }}",
    "{{ arr | where: 'p' | json }}", "{{ arr | where: '[x' | json }}", "{{ arr | where: '' | json }}",
    "{{ arr | sum: 'p' }}",
    "{% if n == nil %}1{% endif %}{% if n == empty %}2{% endif %}{% if e == blank %}3{% endif %}",
    "{{ blank == nil }}{{ nil == blank }}{{ empty == blank }}{{ nil == nil }}{{ empty == empty }}",
    "{{ f | default: 1, 2 }}",
    "{{ f | default: 'x', allow_false: true }}", "{{ e | first | json }}",
    "{{ arr | push: nil | json }}{{ arr | push: nil | join }}",
    "{% if a %}{% include 'x' %}{% endif %}", "{% render 'x' %}", "{% layout 'x' %}",
    "{{ a }}{% tablerow x in arr %}", "x" * 1000, "x" * 1001,
    "{% assign s = s | append: s %}" * 30, "{{ 0 | date: '%099999999d' }}", "{{ 0 | date: '%-099999d' }}",
    "{{ s | slice: 0, 100000001 }}",
)  # fmt: skip


def corpus() -> Iterator[str]:
    """Every template of the corpus once."""
    return iter(dict.fromkeys(_templates()))


def _templates() -> Iterator[str]:
    yield from WHOLE
    for value in VALUES:
        yield f"{{{{ {value} }}}}|{{{{ {value} | json }}}}"
        yield f"{{% if {value} %}}y{{% else %}}n{{% endif %}}{{% assign v = {value} %}}{{{{ v }}}}"
    for left, operator, right in product(
        ("a", "s", "n", "arr", "nil", "empty", "'5'"), (*OPERATORS, *ODD_OPERATORS), VALUES[::5]
    ):
        yield f"{{{{ {left} {operator} {right} }}}}"
    for number, name in enumerate(FILTERS):
        yield from (f"{{{{ {value} | {name} | json }}}}" for value in INPUTS[number % 2 :: 2])
        for position, argument in [*enumerate(ARGUMENTS)][number % 3 :: 3]:
            value, other = INPUTS[position % len(INPUTS)], ARGUMENTS[position * 7 % len(ARGUMENTS)]
            yield f"{{{{ {value} | {name}: {argument} }}}}|{{{{ s | {name}: {argument}, {other} | json }}}}"
    for date, conversion in product(DATES[::4], CONVERSIONS):
        pattern = " ".join(f"%{flags}{conversion}" for flags in ("", "-", "_6", "012", "^", "#"))
        yield f"{{{{ {date} | date: '{pattern}' }}}}"
    for date, zone in product(DATES[1::4], ZONES):
        yield f"{{{{ {date} | date: '%c %Z %z %:z %s %j %U'{zone} }}}}"
    yield from (f"a{{% {tag} %}}b" for tag in BROKEN_TAGS)
