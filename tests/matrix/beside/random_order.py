"""pytest-randomly sets the seed of `random` and Faker before each test: two emulators stay apart all the same."""

import random

import pytest


@pytest.mark.parametrize("person", range(4))
def test_each_test_has_its_own_emulator(stackadapt, segment, person):
    segment.identify(f"u{person}", {"email": f"{person}@example.com", "total_spent": 900})
    assert stackadapt.graphql("{ cdpProfiles(advertiserId: 1001) { size } }")["cdpProfiles"]["size"] == 1


def test_the_seed_of_the_test_is_left_alone(stackadapt, segment):
    before = random.getstate()
    segment.identify("u1", {"email": "ada@example.com", "total_spent": 900})
    assert random.getstate() == before
