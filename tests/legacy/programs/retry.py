"""The decorator that many programs had: wait longer after each refusal, and give up at last."""

import functools
import time

import openai


def with_backoff(function, errors=(openai.error.RateLimitError, openai.error.ServiceUnavailableError), tries=5):
    @functools.wraps(function)
    def call(*args, **kwargs):
        delay = 0.001
        attempt = 0
        while True:
            attempt += 1
            try:
                return function(*args, **kwargs)
            except errors as error:
                print(f"attempt {attempt}: {error}")
                if attempt == tries:
                    raise
                delay *= 2
                time.sleep(delay)

    return call


@with_backoff
def complete(**kwargs):
    return openai.ChatCompletion.create(**kwargs)


MESSAGES = [{"role": "user", "content": "Try and try again"}]
print(complete(model="limited-twice", messages=MESSAGES).choices[0].message["content"])
try:
    complete(model="429", messages=MESSAGES)
except openai.error.RateLimitError as error:
    print("gave up:", error.user_message, error.http_status, error.json_body["error"]["type"])
