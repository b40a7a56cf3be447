"""A body of the Responses API passed on: what another vendor's answer left in the conversation."""

from __future__ import annotations

from typing import Any

import pytest

from edgeagent.providers.responses.native import encode_native
from edgeagent.providers.responses.outbound import item_id
from edgeagent.providers.responses.sealed import sealed_item

USER = {"role": "user", "content": "?"}
THEIRS = "rs_68af4030baa48193b0b43b4c2a176a1a0e6967589f080e78"
EDIT = "reasoning of another vendor left out of input"


def thought(id: Any, **more: Any) -> dict[str, Any]:
    return {"type": "reasoning", "id": id, "summary": [{"type": "summary_text", "text": "hm"}], **more}


@pytest.mark.parametrize(
    ("item", "kept"),
    [
        (thought(item_id("rs", "msg_01", 0)), False),
        (thought(item_id("rs", "chatcmpl-x", 3)), False),
        (thought(item_id("rs", "", 0)), False),
        (sealed_item({"wire": "w", "content": []}, "rs_1"), False),
        (thought(THEIRS), True),
        (thought(THEIRS, encrypted_content="gAAAA"), True),
        (thought(item_id("rs", "msg_01", 0), encrypted_content="gAAAA"), True),
        (thought(None), True),
        ({"type": "message", "id": "rs_msg_1_0", "role": "user", "content": "?"}, True),
        ("odd", True),
    ],
)
def test_reasoning_that_this_vendor_does_not_know(item: Any, *, kept: bool) -> None:
    """Another vendor's, which was told as an item: OpenAI looks for it under its id, and refuses the turn."""
    encoded = encode_native({"model": "m", "input": [USER, item, USER]}, model="m", stream=False)
    assert encoded.body["input"] == ([USER, item, USER] if kept else [USER, USER])
    assert encoded.edits == (() if kept else (EDIT,))
