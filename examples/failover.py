"""A group of models answers as long as one of them can. Here the first is broken on purpose."""

from __future__ import annotations

from who import model, providers

import edgeagent
from edgeagent import EdgeClient, RetryPolicy
from edgeagent.config import environment_providers
from edgeagent.testing import FakeProvider

__all__: list[str] = []

broken = FakeProvider(edgeagent.OverloadedError("No capacity."), name="broken")
healthy = providers("Rome.") or environment_providers()
client = EdgeClient(
    providers=[broken, *healthy],
    models={"chat": ["broken/some-model", model()]},
    retry=RetryPolicy(attempts=1, wait=lambda _: 0.05),
)

response = client.chat.completions.create(
    model="chat", messages=[{"role": "user", "content": "What is the capital of Italy? One word."}]
)
print(response.choices[0].message.content)
for attempt in response.edge.attempts:
    print(f"  {attempt.target}: {attempt.outcome} ({attempt.status}) in {attempt.duration_ms:.1f} ms")

try:
    client.chat.completions.create(model="broken/some-model", messages=[{"role": "user", "content": "Hello?"}])
except edgeagent.OverloadedError as error:
    print(f"Without a fallback: {type(error).__name__} after {len(error.attempts)} attempts: {error}")
