"""Parts of lists of models: each SDK reads the whole list, part by part."""

from __future__ import annotations

from typing import Any

import anthropic
import pytest
from google import genai
from hypothesis import given
from hypothesis import strategies as st

from edgeagent import EdgeClient, RequestValidationError
from edgeagent.testing import FakeProvider
from edgeagent.transports import transport
from edgeagent.transports.pages import page
from tests.support.loopback import Loopback
from tests.transports.test_listing import providers, vendors

__all__: list[str] = []


def items(count: int, key: str) -> list[dict[str, Any]]:
    return [{key: f"m{number}"} for number in range(count)]


@given(st.integers(0, 30), st.integers(1, 40))
def test_part_by_part_it_is_the_whole(count: int, size: int) -> None:
    """Forwards and backwards, for any size; only the last part says that nothing follows."""
    whole = items(count, "id")
    told: list[Any] = []
    query = {"limit": str(size)}
    while True:
        part = page("anthropic", whole, query)
        assert len(part["data"]) <= size
        told += part["data"]
        if not part["has_more"]:
            break
        query["after_id"] = part["last_id"]
    assert told == whole
    if whole:
        back = page("anthropic", whole, {"limit": str(size), "before_id": whole[-1]["id"]})
        assert back["data"] == whole[:-1][-size:]
        assert back["has_more"] == (count - 1 > size)
    named = items(count, "name")
    told, token = [], ""
    while True:
        part = page("google", named, {"pageSize": str(size), "pageToken": token})
        told += part["models"]
        token = part.get("nextPageToken", "")
        if not token:
            break
    assert told == named


@pytest.mark.parametrize("family", ["openai", "azure", "anthropic", "google"])
def test_without_a_size_it_is_the_whole(family: Any) -> None:
    """However long it is; OpenAI's has no parts, whatever is asked for."""
    whole = [{"id": f"m{n}", "name": f"m{n}"} for n in range(2000)]
    asked = {"limit": "1"} if family in ("openai", "azure") else {}
    part = page(family, whole, asked)
    assert part.get("data", part.get("models")) == whole
    assert not part.get("has_more")
    assert "nextPageToken" not in part


def test_sizes_that_google_takes() -> None:
    """Its documentation: at most a thousand, whatever is asked for; 0 is as if it were not there."""
    whole = items(1500, "name")
    assert len(page("google", whole, {"pageSize": "5000"})["models"]) == 1000
    assert len(page("google", whole, {"pageSize": "0"})["models"]) == 1500


@pytest.mark.parametrize(
    ("family", "query"),
    [
        *(("anthropic", {"limit": size}) for size in ("0", "-1", "1001", "x", "", "1.0", "²")),
        *(("google", {"pageSize": size}) for size in ("-1", "ten", "")),
        ("anthropic", {"after_id": "other"}),
        ("anthropic", {"before_id": ""}),
        ("google", {"pageToken": "other"}),
    ],
)
def test_what_cannot_be_told(family: Any, query: dict[str, str]) -> None:
    """A number that is none, and a place that is not in the list."""
    (name,) = query
    with pytest.raises(RequestValidationError) as caught:
        page(family, items(3, "id" if family == "anthropic" else "name"), query)
    assert caught.value.param == name


def test_the_sdks_read_on() -> None:
    """Their iterators ask for one part after the other; a wrong size is the SDK's own error."""
    with (
        Loopback(vendors) as server,
        EdgeClient(providers=[*providers(server.url), FakeProvider("x", name="more", models=["a", "b"])]) as edge,
    ):
        http = anthropic.DefaultHttpxClient(transport=transport(edge))
        claude = anthropic.Anthropic(api_key="s", http_client=http, max_retries=0)
        names = [model.id for model in claude.models.list()]
        assert len(names) == 6
        first = claude.models.list(limit=4)
        assert [model.id for model in first.data] == names[:4]
        assert first.has_next_page()
        assert [model.id for model in first] == names
        assert [model.id for model in claude.models.list(limit=1, after_id=names[1]).data] == names[2:3]
        with pytest.raises(anthropic.BadRequestError, match="limit"):
            claude.models.list(limit=5000)
        options = genai.types.HttpOptions(client_args={"transport": transport(edge)})
        google = genai.Client(api_key="s", http_options=options)
        pager = google.models.list(config={"page_size": 2})
        assert len(pager.page) == 2
        assert len(list(pager)) == 6
