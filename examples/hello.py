"""The first call, and what the gateway did."""

from __future__ import annotations

from who import model, providers

from edgeagent import EdgeClient

__all__: list[str] = []

client = EdgeClient(providers=providers("Paris."))

for _ in range(2):
    response = client.chat.completions.create(
        model=model(),
        messages=[{"role": "user", "content": "What is the capital of France? One word."}],
    )
    edge = response.edge
    print(response.choices[0].message.content)
    print(f"  by {edge.provider}/{edge.model}, cached: {edge.cached}, {edge.latency_ms:.2f} ms, ${edge.cost_usd}")
