"""Recorded answers read by the real SDKs, with the transport and without it: what they parse is the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any
from urllib.parse import urlsplit

import anthropic
import openai
import pytest
from google import genai
from pydantic import ValidationError

from edgeagent import EdgeClient
from edgeagent.testing import FakeProvider
from edgeagent.transports import transport
from tests.support.corpus import Record, records
from tests.support.loopback import Loopback
from tests.transports.recorded import Upstream

Ask = Callable[[Any, Record], Any]


def _streams(record: Record) -> bool:
    return "body_text" in record["response"] and record["status"] == 200


def _chat(made: Any, record: Record) -> Any:
    body = dict(record["request"]["body"])
    options = {"stream_options": {"include_usage": True}} if _streams(record) else {}
    asked = {name: body.pop(name) for name in ("model", "messages")}
    body.pop("stream_options", None)
    return made.chat.completions.create(**asked, stream=_streams(record), extra_body=body, **options)


def _responses(made: Any, record: Record) -> Any:
    body = dict(record["request"]["body"])
    return made.responses.create(model=body.pop("model", "gpt-4o"), extra_body=body, stream=_streams(record))


def _messages(made: Any, record: Record) -> Any:
    body = dict(record["request"]["body"])
    asked = {name: body.pop(name) for name in ("model", "messages", "max_tokens")}
    return made.messages.create(**asked, extra_body=body, stream=_streams(record), timeout=30)


def _generate(made: Any, record: Record) -> Any:
    model = urlsplit(record["request"]["url"]).path.rpartition("/")[2].partition(":")[0]
    method = made.models.generate_content_stream if _streams(record) else made.models.generate_content
    return method(model=model, contents="What is asked does not matter here: the recorded answer comes.")


def _openai_client(url: str, http: Any) -> Any:
    client = openai.DefaultHttpxClient(transport=http) if http is not None else None
    return openai.OpenAI(api_key="k", base_url=f"{url}/v1", http_client=client, max_retries=0)


def _anthropic_client(url: str, http: Any) -> Any:
    client = anthropic.DefaultHttpxClient(transport=http) if http is not None else None
    return anthropic.Anthropic(api_key="k", base_url=url, http_client=client, max_retries=0)


def _google_client(url: str, http: Any) -> Any:
    more: Any = {} if http is None else {"client_args": {"transport": http}}
    return genai.Client(api_key="k", http_options=genai.types.HttpOptions(base_url=url, **more))


APIS: dict[str, tuple[Callable[[str, Any], Any], Ask]] = {
    "openai.chat": (_openai_client, _chat),
    "openai.responses": (_openai_client, _responses),
    "anthropic.messages": (_anthropic_client, _messages),
    "gemini.generate": (_google_client, _generate),
}


def _told(value: Any) -> Any:
    """What an SDK's object holds, but for how it came."""
    dump: dict[str, Any] = value.model_dump(mode="json", warnings=False)
    dump.pop("sdk_http_response", None)  # Google's keeps the header fields
    return dump


def parsed(ask: Ask, made: Any, record: Record) -> Any:
    """Everything that the SDK makes of the answer; its error, if it raises one."""
    try:
        answer = ask(made, record)
        return [_told(part) for part in answer] if _streams(record) else _told(answer)
    except (openai.APIStatusError, anthropic.APIStatusError) as error:
        return type(error), error.status_code, error.body
    except (openai.APIError, anthropic.APIError) as error:  # told in a stream
        return type(error), str(error)
    except genai.errors.APIError as error:
        return type(error), error.code, error.details
    except ValidationError as error:  # older than this version of the SDK
        return type(error), error.error_count()
    except AttributeError as error:  # Google's, of an enumeration told by its numbers
        return type(error), str(error)


def _askable(record: Record) -> bool:
    body = record["request"].get("body")
    if record["request"]["method"] != "POST" or not isinstance(body, dict):
        return False
    if record["api"].startswith("gemini"):
        return "streamGenerateContent" not in record["request"]["url"] or "alt=sse" in record["request"]["url"]
    needed = {"openai.chat": ("model", "messages"), "anthropic.messages": ("model", "messages", "max_tokens")}
    return all(name in body for name in needed.get(record["api"], ()))


@pytest.fixture(scope="module")
def upstream() -> Iterator[tuple[Upstream, Loopback, Any]]:
    """A server, and a transport whose gateway has no provider of its own for it."""
    answers = Upstream()
    with (
        Loopback(answers) as server,
        EdgeClient(providers=[FakeProvider("never")], cache=False, retry=0) as edge,
    ):
        yield answers, server, transport(edge)


@pytest.mark.bulk
@pytest.mark.filterwarnings("ignore:The model:DeprecationWarning")  # of a recorded one, by the SDK
@pytest.mark.parametrize("api", APIS)
def test_an_sdk_parses_the_same(api: str, upstream: tuple[Upstream, Loopback, Any]) -> None:
    """Whole answers, streams at random cuts, and errors: object for object, chunk for chunk."""
    answers, server, http = upstream
    make, ask = APIS[api]
    different, kinds = [], set()
    with closing(make(server.url, None)) as bare:
        over = make(server.url, http)
        for record in filter(_askable, records(api)):
            answers.record = record
            alone = parsed(ask, bare, record)
            kinds.add((_streams(record), isinstance(alone, tuple)))
            if parsed(ask, over, record) != alone:
                different.append(record["id"])
    assert not different
    assert {(False, False), (True, False)} <= kinds, "answers and streams were among them"
