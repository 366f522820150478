"""Contract tests of the shop. The fixtures come with the emulator; nothing has to be started."""

from __future__ import annotations

import httpx
import pytest
from shop import Customer, Settings, Shop

ADA = Customer(id="c1", email="ada@example.com", first_name="Ada", city="Paris", total_spent=900)
GRACE = Customer(id="c2", email="grace@example.com", first_name='Grace "Amazing" Hopper', city="New York")


@pytest.fixture
def waited():
    return []


@pytest.fixture
def shop(stackadapt, segment, waited):
    settings = Settings(
        segment_host=segment.host,
        segment_write_key=segment.write_key,
        stackadapt_url=stackadapt.url,
        import_token=stackadapt.token,
        report_token=stackadapt.tokens["Local read only"],
        advertiser_id=stackadapt.advertiser_id,
    )
    with Shop(settings, wait=waited.append) as shop:
        yield shop


def test_a_customer_who_spends_enough_becomes_a_vip(shop, stackadapt, segment):
    shop.bought(ADA)
    stackadapt.expect_profile(email=ADA.email).in_audience("vip_customers").with_property("city", "Paris")
    assert {delivery["outcome"] for delivery in segment.deliveries(userId=ADA.id)} == {"sent"}


def test_a_customer_who_leaves_the_audience_is_no_longer_a_vip(shop, stackadapt, segment):
    shop.bought(ADA)
    segment.exit_audience("vip_customers", user_id=ADA.id)
    stackadapt.expect_profile(email=ADA.email).not_in_audience("vip_customers")


def test_an_import_works_for_any_name(shop, stackadapt):
    shop.import_customers([ADA, GRACE])
    stackadapt.expect_profile(email=GRACE.email).with_property("first_name", GRACE.first_name)
    stackadapt.expect_segment({"field": "city", "operator": "equals", "value": "Paris"}, members=[ADA.email])


def test_a_customer_without_an_email_is_rejected(shop, stackadapt):
    shop.import_customers([Customer(id="c3", email="", first_name="Alan", city="London")])
    stackadapt.expect_rejection(reason="MISSING_EMAIL")


def test_a_report_reads_the_marketing_status(shop):
    shop.import_customers([ADA])
    assert shop.marketing_status(ADA.email) == "OPTED_IN"
    assert shop.marketing_status(GRACE.email) is None


def test_a_rate_limited_import_waits_for_retry_after(shop, stackadapt, waited):
    stackadapt.add_fault("status", status=429, retryAfter=7, operation="upsertProfiles", times=1)
    shop.import_customers([ADA])
    assert waited == [7]
    stackadapt.expect_request(operation="upsertProfiles", times=2)
    stackadapt.expect_profile(email=ADA.email)


@pytest.mark.stackadapt(latency="4h")
def test_profiles_become_visible_after_four_hours_without_waiting(shop, stackadapt):
    shop.import_customers([ADA])
    stackadapt.expect_no_profile(email=ADA.email)
    stackadapt.clock.advance("4h")
    stackadapt.expect_profile(email=ADA.email)


def test_a_session_server_has_a_sandbox_for_each_test(stackadapt_server, shop, stackadapt):
    assert httpx.get(f"{stackadapt_server.url}/_emulator/health", trust_env=False).is_success
    assert stackadapt.profiles() == []
    shop.import_customers([ADA])
    stackadapt.expect_profile(email=ADA.email)
