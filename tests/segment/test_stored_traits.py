"""A profile is read from the store as it was saved, whatever was set, removed and merged before.

STACKADAPT_EMULATOR_TEST_SEED repeats the steps of a failure.
"""

from __future__ import annotations

import os
from random import Random, SystemRandom

import pytest

from emulator.segment.profiles.profile import EMAIL, USER_ID
from emulator.segment.profiles.store import ProfileSession
from emulator.segment.profiles.trait_settings import settings_of, stored_settings
from emulator.segment.tables import PROFILES, TABLES
from emulator.store import Store

SEED = int(os.environ.get("STACKADAPT_EMULATOR_TEST_SEED") or SystemRandom().randrange(2**32))
IDENTIFIERS = [(USER_ID, "a"), (USER_ID, "b"), (EMAIL, "a@x.com"), (EMAIL, "b@x.com")]


def test_profiles_are_read_as_they_were_saved() -> None:
    random, store, merged = Random(SEED), Store(), 0
    store.create(TABLES)
    for round_ in range(15):
        store.clear(TABLES)
        for step in range(8):
            with store.begin() as transaction:
                session = ProfileSession(transaction, IDENTIFIERS)
                for _ in range(random.randrange(1, 4)):
                    profile, _new = session.resolve(random.sample(IDENTIFIERS, random.randrange(1, 3)), step)
                    traits = {
                        name: random.choice((1, "x", None)) for name in random.sample("abcdef", random.randrange(4))
                    }
                    session.set_traits(profile, traits, at=random.choice((1, 2, step)))
                session.save()
                saved = [(p.key, [*p.traits.items()], [*p.updated.items()]) for p in session.profiles()]
                merged += any(p.merged_into for p in session._profiles)
            with store.begin() as transaction:
                profiles = ProfileSession(transaction, IDENTIFIERS).profiles()
                read = [(p.key, [*p.traits.items()], [*p.updated.items()]) for p in profiles]
            assert sorted(saved) == sorted(read), f"seed {SEED}, round {round_}, step {step}"
    assert merged
    store.close()


@pytest.mark.parametrize("count", [0, 1, 50])
def test_traits_of_one_call_are_stored_with_one_timestamp(count: int) -> None:
    traits = [f"t{number}" for number in range(count)]
    updated = dict.fromkeys(traits, (5, 9))
    stored = stored_settings(traits, updated)
    assert stored["updated"] == "{}"
    assert settings_of(traits, **stored) == updated
    assert set(stored) <= {column.name for column in PROFILES.columns}
