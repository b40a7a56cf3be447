"""Requests of several accounts from several threads; the key in a file."""

import os
import tempfile
from concurrent.futures import ThreadPoolExecutor

import openai

KEYS = [f"sk-{n}" for n in range(4)]


def ask(n):
    response = openai.ChatCompletion.create(
        model="whose-key",
        messages=[{"role": "user", "content": str(n)}],
        api_key=KEYS[n % 4],
        organization=f"org-{n % 2}",
    )
    return response.choices[0].message.content


with ThreadPoolExecutor(8) as pool:
    print(list(pool.map(ask, range(16))))

with tempfile.TemporaryDirectory() as folder:
    openai.api_key_path = os.path.join(folder, "key")
    with open(openai.api_key_path, "w") as file:
        file.write("sk-from-a-file\n")
    messages = [{"role": "user", "content": "?"}]
    print(openai.ChatCompletion.create(model="whose-key", messages=messages).choices[0].message.content)
