"""A coroutine uses the fixtures and a port of the emulator."""

import httpx
import pytest


@pytest.mark.asyncio
async def test_a_coroutine_identifies_someone(stackadapt, segment):
    async with httpx.AsyncClient(auth=(segment.write_key, "")) as client:
        call = {"userId": "u1", "traits": {"email": "ada@example.com", "total_spent": 900}}
        answer = await client.post(f"{segment.host}/v1/identify", json=call)
    assert answer.json() == {"success": True}
    stackadapt.expect_profile(email="ada@example.com").in_audience("vip_customers")
