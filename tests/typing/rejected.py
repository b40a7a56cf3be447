"""What type checkers must refuse. Never run; each line that ends with `# error: …` has exactly that error of mypy's."""

from __future__ import annotations

from edgeagent import AsyncEdgeClient, ChatCompletion, EdgeClient
from edgeagent.providers import OpenAI

__all__: list[str] = []

MESSAGES = [{"role": "user", "content": "Hello"}]


def refused(client: EdgeClient, aclient: AsyncEdgeClient) -> None:
    create = client.chat.completions.create
    create(model="m", messages=MESSAGES, edge={"cash": "off"})  # error: call-overload
    create(model="m", messages=MESSAGES, edge={"cache": "sometimes"})  # error: call-overload
    create(model="m", messages=MESSAGES, edge={"cache": {"tll": 5}})  # error: call-overload
    create(model="m", messages=MESSAGES, edge={"deadline": "soon"})  # error: call-overload
    create(model="m", messages=MESSAGES, temprature=0.5)  # error: call-overload
    create(model="m", messages="Hello", temperature="warm")  # error: call-overload
    create(model="m")  # error: call-overload
    create(messages=MESSAGES)  # error: call-overload
    create("m", MESSAGES)  # error: call-overload

    whole: ChatCompletion = create(model="m", messages=MESSAGES, stream=True)  # error: assignment
    for _ in create(model="m", messages=MESSAGES, stream=False).choices[0].message.nothing:  # error: attr-defined
        whole.edge.provider = 5  # error: assignment

    for _ in aclient.chat.completions.create(model="m", messages=MESSAGES, stream=True):  # error: attr-defined
        pass
    EdgeClient(providers=OpenAI())  # error: arg-type
    EdgeClient(provider=[OpenAI()])  # error: call-arg
    EdgeClient(retry="often")  # error: arg-type
    EdgeClient(router=5)  # error: arg-type
    EdgeClient(errors="anthropic")  # error: arg-type
    EdgeClient(cache=3)  # error: arg-type
    EdgeClient(shield=["EMAIL_ADDRESS"])  # error: arg-type
    EdgeClient(state=5)  # error: arg-type
    client.chat.completions.parse(model="m", messages=MESSAGES, response_format=5)  # error: call-overload
    client.chat.completions.parse(model="m", messages=MESSAGES, stream=True)  # error: call-overload
    client.chat.completions.stream(model="m", messages=MESSAGES, temprature=1)  # error: call-overload
    client.with_options(max_retrys=5)  # error: call-arg
    aclient.to_async()  # error: attr-defined
    with EdgeClient() as same, aclient as other:  # error: attr-defined
        print(same, other)

    client.responses.create(model="m", inputs="hi")  # error: call-overload
    print(client.responses.create(model="m", input="hi").output_texts)  # error: attr-defined
    client.responses.retrieve(5)  # error: call-overload
