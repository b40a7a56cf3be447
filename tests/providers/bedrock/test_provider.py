"""The provider: signatures equal to botocore's own, URLs, endpoints, credentials, and that no secret is shown."""

from __future__ import annotations

import builtins
import datetime
import pickle
from collections.abc import Iterator
from typing import Any

import pytest

from edgeagent.errors import AuthenticationError, ConfigurationError
from edgeagent.providers.base import Encoded, HTTPProvider
from edgeagent.providers.bedrock import Bedrock, BedrockConverseCodec, BedrockInvokeCodec
from edgeagent.providers.bedrock.aws import StaticKeys, endpoint_url, sign
from edgeagent.wire.http import HTTPRequest

ACCESS, SECRET, TOKEN = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "session/token+=="
NOW = datetime.datetime(2026, 3, 4, 5, 6, 7)  # noqa: DTZ001  # as botocore has it
KEYS: dict[str, Any] = {"aws_access_key_id": ACCESS, "aws_secret_access_key": SECRET, "region_name": "us-east-1"}


@pytest.fixture(autouse=True)
def _bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    """No AWS configuration but that of the test."""
    import os

    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.fixture
def frozen(monkeypatch: pytest.MonkeyPatch) -> None:
    """botocore's clock stands still, in whichever way this version asks it."""
    import botocore.auth

    if hasattr(botocore.auth, "get_current_datetime"):
        monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda *_, **__: NOW)
    else:

        class Frozen(datetime.datetime):
            @classmethod
            def utcnow(cls) -> Any:
                return NOW

        monkeypatch.setattr(botocore.auth.datetime, "datetime", Frozen)


def sent_by_botocore(model: str, operation: str, token: str | None, region: str, **parameters: Any) -> Any:
    """The request that botocore's own client would send, signed; it is stopped before it is sent."""
    import botocore.session
    from botocore.awsrequest import AWSResponse
    from botocore.config import Config

    session = botocore.session.Session()
    client = session.create_client(
        "bedrock-runtime",
        region_name=region,
        aws_access_key_id=ACCESS,
        aws_secret_access_key=SECRET,
        aws_session_token=token,
        config=Config(retries={"total_max_attempts": 1}),
    )
    seen: list[Any] = []

    def stop(request: Any, **_: Any) -> AWSResponse:
        seen.append(request)

        class Raw:
            def stream(self, **_: Any) -> Iterator[bytes]:
                yield b"{}"

        return AWSResponse(request.url, 200, {"content-type": "application/json"}, Raw())

    client.meta.events.register("before-send.bedrock-runtime", stop)
    getattr(client, operation)(modelId=model, **parameters)
    return seen[0]


MODELS = [
    "amazon.nova-lite-v1:0",
    "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
    "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/1arbu5hu2sjr",
    "arn:aws:bedrock:us-east-1::foundation-model/amazon.titan-tg1-large",
]


@pytest.mark.usefixtures("frozen")
@pytest.mark.parametrize("token", [None, TOKEN])
@pytest.mark.parametrize("model", MODELS)
def test_signatures_are_botocores(model: str, token: str | None) -> None:
    """The same URL, and over the same bytes the same authorization."""
    theirs = sent_by_botocore(
        model, "converse", token, "us-east-1", messages=[{"role": "user", "content": [{"text": "Grüße"}]}]
    )
    provider = Bedrock(**KEYS, aws_session_token=token)
    ours = provider.http_request(Encoded({"messages": []}), provider.api_key, model=model, stream=False)
    assert ours.url == theirs.url
    headers = {"content-type": "application/json", "user-agent": "x", "accept": "y"}
    signed = sign(HTTPRequest("POST", theirs.url, headers, theirs.body), StaticKeys(ACCESS, SECRET, token), "us-east-1")
    expected = {name.lower(): value for name, value in theirs.headers.items()}
    assert signed.headers["authorization"] == as_text(expected["authorization"])
    assert signed.headers["x-amz-date"] == as_text(expected["x-amz-date"]) == "20260304T050607Z"
    if token:
        assert signed.headers["x-amz-security-token"] == as_text(expected["x-amz-security-token"]) == TOKEN


def as_text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value


@pytest.mark.usefixtures("frozen")
def test_invoke_signatures_are_botocores() -> None:
    """InvokeModel's header fields are signed too."""
    theirs = sent_by_botocore(
        "amazon.nova-lite-v1:0", "invoke_model", TOKEN, "eu-west-1", body=b'{"a":1}', trace="ENABLED"
    )
    names = ("content-type", "x-amzn-bedrock-trace", "accept")
    headers = {k.lower(): as_text(v) for k, v in theirs.headers.items() if k.lower() in names}
    signed = sign(HTTPRequest("POST", theirs.url, headers, b'{"a":1}'), StaticKeys(ACCESS, SECRET, TOKEN), "eu-west-1")
    expected = {name.lower(): as_text(value) for name, value in theirs.headers.items()}
    mine, yours = signed.headers["authorization"], expected["authorization"]
    if "accept" in yours:  # botocore signs it where it sends it
        assert (
            mine.split("Signature=")[0].replace("content-type", "accept;content-type") == yours.split("Signature=")[0]
        )
    else:
        assert mine == yours


@pytest.mark.usefixtures("frozen")
@pytest.mark.parametrize("query", ["?a=b", "?b=2&a=1&a=0", "?x=a%20b&y=%C3%A9&z=", "?a=%2F~-_."])
def test_query_strings_are_signed(query: str) -> None:
    """As botocore signs a request with this URL, and as AWS's rules say."""
    from botocore.auth import SigV4Auth
    from botocore.awsrequest import AWSRequest

    url = f"https://bedrock-runtime.us-east-1.amazonaws.com/model/amazon.nova-lite-v1%3A0/converse{query}"
    keys = StaticKeys(ACCESS, SECRET)
    theirs = AWSRequest("POST", url, data=b"{}", headers={"content-type": "application/json"})
    SigV4Auth(keys, "bedrock", "us-east-1").add_auth(theirs)
    ours = sign(HTTPRequest("POST", url, {"content-type": "application/json"}, b"{}"), keys, "us-east-1")
    assert ours.headers["authorization"] == theirs.headers["Authorization"]
    assert ours.headers["authorization"].endswith(own_signature(url, b"{}", query))


def own_signature(url: str, body: bytes, query: str) -> str:
    """Signature version 4, written down from AWS's documentation."""
    import hashlib
    import hmac
    from urllib.parse import quote, urlsplit

    path = quote(urlsplit(url).path, safe="/~")
    pairs = sorted(tuple(item.split("=")) for item in query[1:].split("&"))
    canonical = "\n".join(
        [
            "POST",
            path,
            "&".join("=".join(pair) for pair in pairs),
            "content-type:application/json",
            f"host:{urlsplit(url).netloc}",
            "x-amz-date:20260304T050607Z",
            "",
            "content-type;host;x-amz-date",
            hashlib.sha256(body).hexdigest(),
        ]
    )
    scope = "20260304/us-east-1/bedrock/aws4_request"
    text = f"AWS4-HMAC-SHA256\n20260304T050607Z\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    key = b"AWS4" + SECRET.encode()
    for step in scope.split("/"):
        key = hmac.new(key, step.encode(), hashlib.sha256).digest()
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


def test_the_whole_request() -> None:
    """Operation, accepted type, spaces of a query, and each header once."""
    provider = Bedrock(**KEYS, default_headers={"x-own": "1"}, default_query={"q": "a b"})
    codec = provider.codec_for("amazon.nova-lite-v1:0")
    assert isinstance(provider, HTTPProvider)
    assert isinstance(codec, BedrockConverseCodec)
    encoded = Encoded({"messages": []}, {"accept": "application/vnd.amazon.eventstream"})
    request = provider.http_request(encoded, provider.api_key, model="amazon.nova-lite-v1:0", stream=True)
    host = "https://bedrock-runtime.us-east-1.amazonaws.com"
    assert request.url == f"{host}/model/amazon.nova-lite-v1%3A0/converse-stream?q=a%20b"
    assert request.headers["accept"] == "application/vnd.amazon.eventstream"
    assert request.headers["x-own"] == "1"
    assert "SignedHeaders=content-type;host;x-amz-date," in request.headers["authorization"]
    names = [name.lower() for name, _ in request.headers.fields]
    assert len(names) == len(set(names))
    assert request.content == b'{"messages":[]}'
    assert provider.endpoint("m").endswith("/model/m/converse")


def test_invoke_is_opted_in() -> None:
    """By an argument, or by the model's name."""
    provider = Bedrock(**KEYS, invoke=["anthropic.claude-v3"])
    for model in ("anthropic.claude-v3", "invoke/amazon.nova-lite-v1:0"):
        assert isinstance(provider.codec_for(model), BedrockInvokeCodec)
    request = provider.http_request(Encoded({}), provider.api_key, model="invoke/m:0", stream=False)
    assert request.url.endswith("/model/m%3A0/invoke")
    request = provider.http_request(Encoded({}), provider.api_key, model="invoke/m:0", stream=True)
    assert request.url.endswith("/model/m%3A0/invoke-with-response-stream")


@pytest.mark.parametrize(
    ("region", "fips", "dualstack"),
    [
        ("us-east-1", False, False),
        ("us-east-1", True, False),
        ("us-west-2", False, True),
        ("us-gov-west-1", True, True),
        ("cn-north-1", False, False),
        ("eu-central-1", False, False),
    ],
)
def test_endpoints_are_botocores(region: str, fips: bool, dualstack: bool) -> None:
    """As botocore's own client resolves them."""
    import botocore.session
    from botocore.config import Config

    client = botocore.session.Session().create_client(
        "bedrock-runtime",
        region_name=region,
        aws_access_key_id=ACCESS,
        aws_secret_access_key=SECRET,
        config=Config(use_fips_endpoint=fips, use_dualstack_endpoint=dualstack),
    )
    seen: list[str] = []

    def stop(request: Any, **_: Any) -> None:
        seen.append(request.url)
        raise KeyError("seen")

    client.meta.events.register("before-send.bedrock-runtime", stop)
    with pytest.raises(Exception, match="seen"):
        client.converse(modelId="m", messages=[])
    assert f"{endpoint_url(region, fips=fips, dualstack=dualstack)}/model/m/converse" == seen[0]


def test_endpoints_by_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """A URL of the caller's, of the environment; FIPS by the environment."""
    assert Bedrock(**KEYS, base_url="https://proxy.example/x/").base_url == "https://proxy.example/x"
    monkeypatch.setenv("AWS_USE_FIPS_ENDPOINT", "true")
    assert Bedrock(**KEYS).base_url == "https://bedrock-runtime-fips.us-east-1.amazonaws.com"
    monkeypatch.setenv("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", "https://vpce.example")
    assert Bedrock(**KEYS).base_url == "https://vpce.example"


def test_regions(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    """The argument, AWS_REGION, AWS_DEFAULT_REGION, the profile; else an error that says what to do."""
    keys = {name: value for name, value in KEYS.items() if name != "region_name"}
    with pytest.raises(ConfigurationError, match="AWS_REGION"):
        Bedrock(**keys)
    with pytest.raises(ConfigurationError, match="no AWS region"):
        Bedrock(**keys, region_name="evil.example/")
    (tmp_path / "config").write_text("[profile p]\nregion = eu-west-3\n")
    assert Bedrock(profile_name="p").region == "eu-west-3"
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-2")
    assert Bedrock(**keys).region == "eu-west-2"
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    assert Bedrock(**keys).region == "eu-west-1"
    assert Bedrock(**KEYS).region == "us-east-1"


def test_credentials_of_a_session(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    """A profile's keys, the environment's, a session's; none is an authentication error, an odd profile too."""
    (tmp_path / "credentials").write_text(f"[p]\naws_access_key_id = {ACCESS}\naws_secret_access_key = {SECRET}\n")
    by_profile = Bedrock(profile_name="p", region_name="us-east-1")
    assert callable(by_profile.api_key)
    assert by_profile.api_key().secret_key == SECRET
    assert by_profile.cache_identity is not None
    for provider in (Bedrock(region_name="us-east-1"), Bedrock(profile_name="absent", region_name="us-east-1")):
        assert callable(provider.api_key)
        assert provider.cache_identity is None
        with pytest.raises(AuthenticationError, match="AWS credentials"):
            provider.api_key()
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCESS)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    ours = Bedrock(region_name="us-east-1")
    assert callable(ours.api_key)
    assert ours.api_key().access_key == ACCESS
    assert ours.cache_identity == by_profile.cache_identity == Bedrock(**KEYS).cache_identity
    again = pickle.loads(pickle.dumps(ours))
    assert again.api_key().access_key == ACCESS
    import botocore.session

    given = Bedrock(session=botocore.session.Session(), region_name="us-east-1")
    assert callable(given.api_key)
    assert given.api_key().access_key == ACCESS
    with pytest.raises(ConfigurationError, match="session"):
        pickle.dumps(given)
    monkeypatch.setenv("AWS_SESSION_TOKEN", TOKEN)
    assert Bedrock(region_name="us-east-1").cache_identity is None
    assert Bedrock(region_name="us-east-1", cache_identity="me").cache_identity == "me"


def test_a_role_is_an_identity(tmp_path: Any) -> None:
    """A role's ARN stands for what it gives; no call is made to know it."""
    (tmp_path / "config").write_text("[profile r]\nrole_arn = arn:aws:iam::1:role/x\nsource_profile = p\n")
    first = Bedrock(profile_name="r", region_name="us-east-1").cache_identity
    (tmp_path / "config").write_text("[profile r]\nrole_arn = arn:aws:iam::1:role/y\nsource_profile = p\n")
    second = Bedrock(profile_name="r", region_name="us-east-1").cache_identity
    assert first is not None
    assert first != second


def test_a_bearer_token_needs_no_botocore(monkeypatch: pytest.MonkeyPatch) -> None:
    """A Bedrock API key is sent as it is; a key pair without botocore names what to install."""
    real = builtins.__import__
    import importlib
    import sys

    def hidden(name: str, *args: Any) -> Any:
        if name.startswith("botocore"):
            raise ImportError(name)
        return real(name, *args)

    for name in [name for name in sys.modules if name.startswith("botocore")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(builtins, "__import__", hidden)
    load = importlib.import_module
    monkeypatch.setattr(
        importlib, "import_module", lambda name, *a: hidden(name) if "botocore" in name else load(name, *a)
    )
    monkeypatch.setenv("AWS_BEARER_TOKEN_BEDROCK", " bearer-key \n")
    provider = Bedrock(region_name="ap-south-1")
    request = provider.http_request(Encoded({}), provider.api_key, model="m", stream=False)
    assert request.headers["authorization"] == "Bearer bearer-key"
    assert request.url == "https://bedrock-runtime.ap-south-1.amazonaws.com/model/m/converse"
    assert provider.cache_identity is not None
    assert pickle.loads(pickle.dumps(provider)).api_key == "bearer-key"
    with pytest.raises(ConfigurationError, match=r"edgeagent\[bedrock\]"):
        Bedrock(region_name="cn-north-1")
    monkeypatch.delenv("AWS_BEARER_TOKEN_BEDROCK")
    with pytest.raises(ConfigurationError, match=r"edgeagent\[bedrock\]"):
        Bedrock(region_name="us-east-1")


def test_arguments_that_contradict() -> None:
    """One source of credentials; a pair has two halves."""
    with pytest.raises(ConfigurationError, match="one of"):
        Bedrock(api_key="k", **KEYS)
    with pytest.raises(ConfigurationError, match="one of"):
        Bedrock(profile_name="p", **KEYS)
    with pytest.raises(ConfigurationError, match="pair"):
        Bedrock(aws_access_key_id=ACCESS, region_name="us-east-1")


def test_no_secret_is_shown() -> None:
    """Not in a repr, a pickle, a redacted request, or an error's text."""
    provider = Bedrock(**KEYS, aws_session_token=TOKEN)
    request = provider.http_request(Encoded({}), provider.api_key, model="m", stream=False)
    shown = [repr(provider), repr(provider.api_key), repr(request), repr(request.redacted().headers)]
    with pytest.raises(ConfigurationError) as caught:
        pickle.dumps(provider)
    with pytest.raises(ConfigurationError):
        pickle.dumps(provider.api_key)
    odd = StaticKeys("AKID\nX", SECRET, "tok\nen")
    with pytest.raises(ConfigurationError) as refused:
        provider.http_request(Encoded({}), odd, model="m", stream=False)
    with pytest.raises(AuthenticationError) as absent:
        provider.http_request(Encoded({}), None, model="m", stream=False)
    shown += [str(caught.value), str(refused.value), str(absent.value)]
    for text in shown:
        for secret in (SECRET, TOKEN, ACCESS, "AKID\nX"):
            assert secret not in text


def test_names_and_abilities() -> None:
    """Bedrock's names are known by their makers; abilities are those of the model."""
    provider = Bedrock(**KEYS, models=["mine"])
    for name in (
        "amazon.nova-lite-v1:0",
        "us.anthropic.claude-sonnet-4-6",
        "arn:aws:bedrock:us-east-1:1:x/y",
        "invoke/meta.llama3",
    ):
        assert provider.family(name)
    for name in ("gpt-4o", "claude-sonnet-4-6", "anthropic/claude", "us.unknown.model"):
        assert not provider.family(name)
    assert provider.knows("mine")
    claude = provider.capabilities("us.anthropic.claude-sonnet-4-5-20250929-v1:0")
    assert claude.context_window == 200_000
    assert "audio" not in claude.features
    assert "reasoning" not in provider.capabilities("anthropic.claude-3-haiku-20240307-v1:0").features
    assert "documents" not in provider.capabilities("anthropic.claude-3-haiku-20240307-v1:0").features
    nova = provider.capabilities("amazon.nova-lite-v1:0")
    assert {"audio", "vision", "documents", "video"} <= nova.features
    assert "video" not in claude.features
    assert "n" not in nova.features
