"""Every class that programs of that time told apart."""

import asyncio
import os
import pickle

import openai
import openai.error
from openai.error import InvalidRequestError, OpenAIError

MESSAGES = [{"role": "user", "content": "Hello"}]


def outcome(**kwargs):
    try:
        openai.ChatCompletion.create(messages=MESSAGES, **kwargs)
        return "an answer"
    except openai.error.Timeout:
        return "Timeout"
    except openai.error.APIConnectionError as e:
        return f"APIConnectionError, should_retry={e.should_retry}"
    except openai.error.InvalidRequestError as e:
        return f"InvalidRequestError: {e} | {e.param} | {e.code} | {e.http_status}"
    except openai.error.AuthenticationError as e:
        return f"AuthenticationError: {e}"
    except openai.error.PermissionError as e:
        return f"PermissionError: {e}"
    except openai.error.RateLimitError as e:
        return f"RateLimitError: {e}"
    except openai.error.ServiceUnavailableError as e:
        return f"ServiceUnavailableError: {e}"
    except openai.error.TryAgain as e:
        return f"TryAgain: {e}"
    except openai.error.APIError as e:
        return f"APIError: {e.http_status}"
    except OpenAIError as e:
        return f"another: {type(e).__name__}"


for model in ["plain", "400", "401", "403", "404", "415", "429", "500", "502-html", "503"]:
    print(model, "->", outcome(model=model))
print(outcome(model="409", timeout=0))
print(outcome(model="silent", request_timeout=0.1))
print(outcome(model="plain", api_base="http://127.0.0.1:9/v1"))
print(outcome(model="plain", api_type="mainframe"))
print(outcome().split(":")[0])

try:
    asyncio.run(openai.ChatCompletion.acreate(model="404", messages=MESSAGES))
except InvalidRequestError as e:
    print(e.error.message, e.error["code"], e.headers.get("content-type"), repr(e))

try:
    openai.ChatCompletion.create(model="400-context", messages=MESSAGES)
except InvalidRequestError as e:
    again = pickle.loads(pickle.dumps(e))
    print(type(again).__name__, again.param, again.http_status, str(again) == str(e))

try:
    raise openai.error.RateLimitError("made by hand", http_status=429, headers={"request-id": "r-1"})
except openai.OpenAIError as e:
    print(str(e), "|", e.user_message, "|", e.request_id, "|", e.http_body)

del os.environ["OPENAI_API_KEY"]
openai.api_key = None
print(outcome(model="plain").split(":")[0])
