"""A FastAPI route asks the served emulator."""

import httpx
from fastapi import FastAPI


def test_a_route_asks_the_served_emulator(stackadapt, segment):
    segment.identify("u1", {"email": "ada@example.com", "total_spent": 900})
    app = FastAPI()

    @app.get("/size")
    async def size() -> dict:
        body, headers = {"query": "{ cdpProfiles(advertiserId: 1001) { size } }"}, {"Authorization": stackadapt_token}
        async with httpx.AsyncClient() as client:
            return (await client.post(stackadapt.url, json=body, headers=headers)).json()

    stackadapt_token = f"Bearer {stackadapt.token}"

    async def ask() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://app") as client:
            return await client.get("/size")

    import asyncio

    assert asyncio.run(ask()).json() == {"data": {"cdpProfiles": {"size": 1}}}
