"""Tests that every environment of the matrix passes."""

import pytest


def test_a_vip_reaches_stackadapt(stackadapt, segment):
    segment.identify("u1", {"email": "ada@example.com", "total_spent": 900})
    stackadapt.expect_profile(email="ada@example.com").in_audience("vip_customers")


@pytest.mark.stackadapt(latency="4h")
def test_profiles_take_their_time(stackadapt, segment):
    segment.enter_audience("vip_customers", email="ada@example.com")
    stackadapt.expect_no_profile(email="ada@example.com")
    stackadapt.clock.advance("4h")
    stackadapt.expect_profile(email="ada@example.com")
