"""Many async calls. Identical ones that are under way at the same moment make one request."""

from __future__ import annotations

import asyncio

from who import model, providers

from edgeagent import AsyncEdgeClient
from edgeagent.telemetry import Ledger

__all__: list[str] = []

COUNTRIES = ["France", "Italy", "Japan"] * 4


async def capital(client: AsyncEdgeClient, country: str) -> str:
    question = f"What is the capital of {country}? One word."
    response = await client.chat.completions.create(model=model(), messages=[{"role": "user", "content": question}])
    return f"{country}: {response.choices[0].message.content}"


async def main() -> None:
    ledger = Ledger()
    answer = {"France": "Paris.", "Italy": "Rome.", "Japan": "Tokyo."}

    def said(request):
        return next(city for country, city in answer.items() if country in request.messages[0]["content"])

    async with AsyncEdgeClient(providers=providers(said, latency=0.05), observers=[ledger]) as client:
        answers = await asyncio.gather(*(capital(client, country) for country in COUNTRIES))
    print(sorted(set(answers)))
    print(ledger)
    total = ledger.total
    print(f"{total.calls} calls, {total.coalesced} of them answered by another one under way")


asyncio.run(main())
