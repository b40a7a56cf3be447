"""A deployment on Azure, by the module's settings and by one call's own."""

import os

import openai

openai.api_type = "azure"
openai.api_base = os.environ["AZURE_BASE"]
openai.api_version = "2023-05-15"
openai.api_key = "azure-key"

messages = [{"role": "user", "content": "Hello from Azure"}]
for name in ("engine", "deployment_id"):
    response = openai.ChatCompletion.create(**{name: "my-gpt-35"}, messages=messages)
    print(response.choices[0].message.content)

for chunk in openai.ChatCompletion.create(engine="my-gpt-35", messages=messages, stream=True):
    if chunk.choices:
        print(chunk.choices[0].delta.get("content", "-"))

response = openai.ChatCompletion.create(
    api_type="open_ai",
    api_base=os.environ["OPENAI_API_BASE"],
    api_key="sk-other",
    model="gpt-4",
    messages=messages,
)
print(response["model"])
