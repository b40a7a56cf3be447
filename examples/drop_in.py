"""Code written for `openai` with only its import changed, first without and then with what the gateway adds."""

from __future__ import annotations

from who import have_keys

from edgeagent import OpenAI, OpenAIError
from edgeagent.testing import FakeProvider

__all__: list[str] = []

fake = FakeProvider("Madrid.", name="fake")
messages = [{"role": "user", "content": "What is the capital of Spain? One word."}]

if have_keys():
    try:
        print(OpenAI().chat.completions.create(model="gpt-4o-mini", messages=messages).choices[0].message.content)
    except OpenAIError as error:
        print(f"OpenAI did not answer: {error}")

# A fallback for when OpenAI cannot be reached; here nobody listens at its address.
client = OpenAI(
    api_key="not-used",
    base_url="http://127.0.0.1:9/v1",
    max_retries=0,
    edge={"providers": [fake], "models": {"chat": ["gpt-4o-mini", "fake/any"]}},
)
response = client.chat.completions.create(model="chat", messages=messages)
print(response.choices[0].message.content, [f"{a.target}: {a.outcome}" for a in response.edge.attempts])
