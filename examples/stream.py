"""A stream: the words as they come, then usage and cost; and one that is closed early."""

from __future__ import annotations

from who import model, providers

from edgeagent import EdgeClient

__all__: list[str] = []

client = EdgeClient(providers=providers("Once upon a time there was a library that wanted to be a gateway."))
messages = [{"role": "user", "content": "Tell a story in one sentence."}]

stream = client.chat.completions.create(model=model(), messages=messages, stream=True)
for chunk in stream:
    if chunk.choices:
        print(chunk.choices[0].delta.content or "", end="", flush=True)
print(f"\n  {stream.usage.completion_tokens} tokens, ${stream.edge.cost_usd}")

with client.chat.completions.create(model=model(), messages=messages, stream=True, edge={"cache": "off"}) as stream:
    for _, chunk in zip(range(4), stream, strict=False):
        if chunk.choices:
            print(chunk.choices[0].delta.content or "", end="", flush=True)
print(" … that is enough.")
