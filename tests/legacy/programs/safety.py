"""What models there are, and whether a text may be sent to one."""

import asyncio

import openai

models = openai.Model.list()
print([model.id for model in models.data], models["object"])
print(openai.Model.retrieve("gpt-4")["owned_by"])
try:
    openai.Model.retrieve("gpt-7")
except openai.error.InvalidRequestError as error:
    print(error)

for text in ["a cup of tea", "a fight"]:
    result = openai.Moderation.create(input=text)["results"][0]
    if result["flagged"]:
        print("not sent:", [name for name, found in result["categories"].items() if found])
    else:
        print("sent:", text, f"{result.category_scores['violence']:.1f}")


async def main():
    return await asyncio.gather(openai.Moderation.acreate(input=["a fight"]), openai.Model.alist())


moderation, models = asyncio.run(main())
print(moderation.results[0].flagged, len(models.data))
