"""An answer that fits a pydantic model, from any vendor."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict
from who import model, providers

from edgeagent import EdgeClient

__all__: list[str] = []


class City(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str
    country: str
    is_capital: bool


client = EdgeClient(providers=providers('{"name": "Lyon", "country": "France", "is_capital": false}'))
response = client.chat.completions.create(
    model=model(),
    messages=[{"role": "user", "content": "Describe Lyon."}],
    response_format={
        "type": "json_schema",
        "json_schema": {"name": "city", "schema": City.model_json_schema(), "strict": True},
    },
)
print(repr(City.model_validate_json(response.choices[0].message.content or "")))
