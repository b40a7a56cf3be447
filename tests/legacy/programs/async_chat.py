"""Several questions at once, and a stream, from a coroutine."""

import asyncio

import openai

CITIES = ["Paris", "Rome", "Tokyo"]


async def ask(city):
    response = await openai.ChatCompletion.acreate(
        model="gpt-3.5-turbo", messages=[{"role": "user", "content": f"Where is {city}?"}], request_timeout=20
    )
    return response["choices"][0]["message"]["content"]


async def main():
    for answer in await asyncio.gather(*(ask(city) for city in CITIES)):
        print(answer)
    text = ""
    async for chunk in await openai.ChatCompletion.acreate(
        model="gpt-3.5-turbo", messages=[{"role": "user", "content": "Say it slowly"}], stream=True
    ):
        text += chunk["choices"][0].get("delta", {}).get("content", "")
    print(text)


asyncio.run(main())
asyncio.run(main())
