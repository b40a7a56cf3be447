"""A provider of your own: any object with a name and one method."""

from __future__ import annotations

from collections.abc import Iterator

from edgeagent import EdgeClient
from edgeagent.types import ChatRequest

__all__: list[str] = []


class Pirate:
    """Answers in process; streams word by word."""

    name = "pirate"

    def stream(self, request: ChatRequest) -> Iterator[str]:
        for word in f"Arr, ye said: {request.messages[-1]['content']}".split(" "):
            yield f"{word} "


client = EdgeClient(providers=[Pirate()])
hello = [{"role": "user", "content": "Hello there"}]
for chunk in client.chat.completions.create(model="pirate/any", messages=hello, stream=True):
    print(chunk.choices[0].delta.content or "", end="|")
print()
print(client.chat.completions.create(model="pirate/any", messages=hello).choices[0].message.content)
