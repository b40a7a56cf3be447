"""A conversation that keeps its history, and everything that programs read from an answer."""

import json
import os

import openai

openai.api_key = os.getenv("OPENAI_API_KEY")

history = [{"role": "system", "content": "You are terse."}]
for question in ["Hello there", "And what now?"]:
    history.append({"role": "user", "content": question})
    response = openai.ChatCompletion.create(model="gpt-3.5-turbo", messages=history, temperature=0.2, max_tokens=50)
    message = response["choices"][0]["message"]
    history.append(message)
    print(message["role"], "|", message["content"], "|", response.choices[0].finish_reason)
    print(response["usage"]["total_tokens"], response.usage.prompt_tokens, response.get("usage", {}).get("nothing", 0))

print(json.dumps(history))
print(json.loads(json.dumps(response)) == response.to_dict_recursive() == json.loads(str(response)))
print(isinstance(response, dict), "choices" in response, sorted(response.keys()))
print({**response.choices[0].message})
