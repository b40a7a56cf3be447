"""Text printed as it comes."""

import openai

parts = []
for chunk in openai.ChatCompletion.create(
    model="gpt-3.5-turbo",
    messages=[{"role": "user", "content": "Count to five, please"}],
    stream=True,
):
    delta = chunk["choices"][0]["delta"]
    if "role" in delta:
        print("role:", delta["role"])
    content = delta.get("content", "")
    if content:
        parts.append(content)
    if chunk.choices[0].finish_reason is not None:
        print("finished:", chunk.choices[0].finish_reason)
print(len(parts), "".join(parts))

stream = openai.ChatCompletion.create(
    model="gpt-3.5-turbo", messages=[{"role": "user", "content": "one two three four"}], stream=True
)
print(hasattr(next(stream).choices[0].delta, "role"))
print(next(stream).choices[0].delta.content)
stream.close()
