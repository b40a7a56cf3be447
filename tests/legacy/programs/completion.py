"""Text completion by a prompt."""

import openai

response = openai.Completion.create(model="gpt-3.5-turbo", prompt="Once upon a time", max_tokens=20, temperature=0)
print(response["object"], response["choices"][0]["text"].strip(), response.choices[0].finish_reason)
print(response["usage"]["total_tokens"])

text = ""
for chunk in openai.Completion.create(model="gpt-3.5-turbo", prompt="Once more", max_tokens=20, stream=True):
    text += chunk["choices"][0]["text"]
print(text)
