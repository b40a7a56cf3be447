"""A loop with tools: the model asks, the program answers, until there is text."""

from __future__ import annotations

import json
from typing import Any

from who import model, providers

from edgeagent import EdgeClient

__all__: list[str] = []

TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "temperature",
            "description": "The temperature in a city, in degrees Celsius.",
            "parameters": {
                "type": "object",
                "properties": {"city": {"type": "string"}},
                "required": ["city"],
                "additionalProperties": False,
            },
        },
    }
]


def temperature(city: str) -> int:
    return {"Oslo": 4, "Cairo": 31}.get(city, 18)


def scripted(request: Any) -> Any:
    """What the fake says: a call for each city, then a sentence."""
    results = [message["content"] for message in request.messages if message["role"] == "tool"]
    if results:
        return f"It is {results[0]} degrees in Oslo and {results[1]} in Cairo."
    calls = [{"function": {"name": "temperature", "arguments": {"city": city}}} for city in ("Oslo", "Cairo")]
    return {"tool_calls": [{"id": f"call_{number}", **call} for number, call in enumerate(calls)]}


client = EdgeClient(providers=providers(scripted))
messages: list[Any] = [{"role": "user", "content": "How warm is it in Oslo and in Cairo?"}]
for _ in range(5):
    message = client.chat.completions.create(model=model(), messages=messages, tools=TOOLS).choices[0].message
    messages.append(message)
    if not message.tool_calls:
        break
    for call in message.tool_calls:
        arguments = json.loads(call.function.arguments)
        print(f"  the model calls {call.function.name}({arguments})")
        messages.append({"role": "tool", "tool_call_id": call.id, "content": str(temperature(**arguments))})
print(message.content)
