"""`make bench`: prints the figures as they are measured."""

from __future__ import annotations

from tests.bench import engage, mapping, million, people, start_up

for figures in (start_up, mapping, engage, people, million):
    for line in figures.lines():
        print(line, flush=True)
