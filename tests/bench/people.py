"""Generated people beside a loop over Faker's providers for the same traits, at Faker's fast setting."""

from __future__ import annotations

from time import perf_counter

from faker import Faker

from emulator.generator.people import identify, people
from tests.bench.progress import steps
from tests.bench.rows import Measured, Results
from tests.bench.scale import Scale

_OF_FAKER = 10  # it makes fewer in the same time


def generator(scale: Scale) -> Results:
    """People a second, in turn. None is kept, as `generate` keeps none: the memory would be measured, too."""
    fake = Faker("en_US", use_weighting=False)
    list(people(1, 1))
    _traits(fake)
    mine, peers = [], []
    for turn in steps("generator, round", range(scale.rounds)):
        started = perf_counter()
        for person in people(turn, scale.generated):
            identify(person)
        mine.append(scale.generated / (perf_counter() - started))
        started = perf_counter()
        for _ in range(scale.generated // _OF_FAKER):
            _traits(fake)
        peers.append(scale.generated // _OF_FAKER / (perf_counter() - started))
    return {"generator": Measured(figures=mine, peers=peers)}


def _traits(fake: Faker) -> dict[str, str]:
    return {
        "email": fake.email(),
        "first_name": fake.first_name(),
        "last_name": fake.last_name(),
        "phone": fake.phone_number(),
        "street": fake.street_address(),
        "city": fake.city(),
        "state": fake.state(),
        "postal_code": fake.postcode(),
        "timezone": fake.timezone(),
        "birthday": fake.date_of_birth().isoformat(),
    }
