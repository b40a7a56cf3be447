"""Texts ordered by how near they are to a question."""

import math

import openai

TEXTS = ["A train to Rome", "Tea and toast", "No rain on the plain", "Zzz"]


def cosine(a, b):
    size = math.sqrt(sum(x * x for x in a)) * math.sqrt(sum(y * y for y in b))
    return sum(x * y for x, y in zip(a, b)) / size if size else 0.0


response = openai.Embedding.create(input=TEXTS, model="text-embedding-ada-002")
print(response["model"], response["usage"]["total_tokens"], len(response["data"]))
vectors = [row["embedding"] for row in sorted(response["data"], key=lambda row: row["index"])]
question = openai.Embedding.create(input="Rain in the train", engine="text-embedding-ada-002").data[0].embedding
print(type(question).__name__, type(question[0]).__name__, len(question))

for text, score in sorted(zip(TEXTS, (cosine(question, one) for one in vectors)), key=lambda pair: -pair[1]):
    print(f"{score:.6f} {text}")
