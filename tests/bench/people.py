"""People a second, beside a plain Faker loop in the same run."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter

from faker import Faker

from emulator.segment.generator import identify, people

OURS = 50_000
PLAIN = 2_000


def lines() -> list[str]:
    """The figures as lines."""
    list(people(1, 1))
    mine = _rate(OURS, lambda count: [identify(person) for person in people(1, count)])
    fake = Faker("en_US")
    plain = _rate(PLAIN, lambda count: [_plain(fake) for _ in range(count)])
    return [
        f"people identified: {mine:,.0f} a second",
        f"people, a plain Faker loop over the same traits: {plain:,.0f} a second",
        f"people, ratio: {mine / plain:.1f}",
    ]


def _rate(count: int, make: Callable[[int], object]) -> float:
    started = perf_counter()
    make(count)
    return count / (perf_counter() - started)


def _plain(fake: Faker) -> dict[str, str]:
    return {
        "email": fake.email(),
        "first_name": fake.first_name(),
        "last_name": fake.last_name(),
        "phone": fake.phone_number(),
        "street": fake.street_address(),
        "city": fake.city(),
        "state": fake.state_abbr(),
        "postal_code": fake.postcode(),
        "timezone": fake.timezone(),
        "birthday": fake.date_of_birth().isoformat(),
    }
