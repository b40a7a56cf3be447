"""An answer that fits a pydantic model, from any vendor."""

from __future__ import annotations

from pydantic import BaseModel
from who import model, providers

from edgeagent import EdgeClient

__all__: list[str] = []


class City(BaseModel):
    name: str
    country: str
    is_capital: bool


client = EdgeClient(providers=providers('{"name": "Lyon", "country": "France", "is_capital": false}'))
completion = client.chat.completions.parse(
    model=model(),
    messages=[{"role": "user", "content": "Describe Lyon."}],
    response_format=City,
)
print(repr(completion.choices[0].message.parsed))
