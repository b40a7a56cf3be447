"""A function that the model calls, and the second turn with its result."""

import json

import openai


def get_weather(city, unit="celsius"):
    return json.dumps({"city": city, "temperature": 18, "unit": unit})


FUNCTIONS = [
    {
        "name": "get_weather",
        "description": "The weather of a city",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}, "unit": {"type": "string", "enum": ["celsius", "fahrenheit"]}},
            "required": ["city"],
        },
    }
]

messages = [{"role": "user", "content": "How is the weather in Paris?"}]
first = openai.ChatCompletion.create(
    model="gpt-3.5-turbo-0613", messages=messages, functions=FUNCTIONS, function_call="auto"
)
message = first["choices"][0]["message"]
print(first.choices[0].finish_reason, message.get("content"))
if message.get("function_call"):
    name = message["function_call"]["name"]
    arguments = json.loads(message["function_call"]["arguments"])
    result = {"get_weather": get_weather}[name](city=arguments.get("city"), unit=arguments.get("unit", "celsius"))
    print(name, arguments, result)
    messages.append(message)
    messages.append({"role": "function", "name": name, "content": result})
    second = openai.ChatCompletion.create(model="gpt-3.5-turbo-0613", messages=messages, functions=FUNCTIONS)
    print(second.choices[0].message.content)

arguments = ""
for chunk in openai.ChatCompletion.create(
    model="gpt-3.5-turbo-0613", messages=messages[:1], functions=FUNCTIONS, stream=True
):
    arguments += chunk.choices[0].delta.get("function_call", {}).get("arguments", "")
print(json.loads(arguments))
