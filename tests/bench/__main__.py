"""`make bench`: prints figures as they come. Nothing here passes or fails."""

from __future__ import annotations

from tests.bench import mapping, million, people, start_up

for figures in (start_up, mapping, people, million):
    for line in figures.lines():
        print(line, flush=True)
