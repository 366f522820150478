"""Tests that must fail, each with its own message."""

import pytest


def test_nobody_is_sent(stackadapt):
    stackadapt.expect_profile(email="ada@example.com")


@pytest.mark.stackadapt(unused="fail")
def test_a_fault_has_no_effect(stackadapt):
    stackadapt.add_fault("status", status=503, email="ada@example.com", times=1)
