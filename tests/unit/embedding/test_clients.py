"""How the HTTP clients of the two faces are made: of which settings, and by which thread."""

import sys
import threading
from collections import UserDict

import httpx
import pytest

from codeintel_ls.embedding import EndpointDownError, EndpointMisconfiguredError
from tests.unit.embedding.conftest import MakeClient
from tests.unit.embedding.fake_vllm import FakeVllm

TEXTS = ["def add(a, b)", "class Cart"]


async def test_a_loop_reads_no_files(
    vllm: FakeVllm, client_of: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    readers: list[threading.Thread] = []
    authorities = httpx.create_ssl_context

    class NotedEnvironment(UserDict[str, str]):
        def __getitem__(self, key: str) -> str:
            readers.append(threading.current_thread())
            return super().__getitem__(key)

    def noted_authorities():
        readers.append(threading.current_thread())
        return authorities()

    monkeypatch.setattr(httpx, "create_ssl_context", noted_authorities)
    environ = NotedEnvironment(OWN_KEY="sk-1")
    url = f"https://127.0.0.1:{vllm.port}"
    client = client_of(vllm, url=url, api_key_environment="OWN_KEY", environ=environ)
    with pytest.raises(EndpointDownError):
        await client.embed_batch_async(TEXTS, seconds=0.5)
    assert len(readers) == 2
    assert threading.current_thread() not in readers
    await client.aclose()


async def test_both_faces_read_the_authorities_once(
    vllm: FakeVllm, client_of: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[bool] = []
    authorities = httpx.create_ssl_context
    monkeypatch.setattr(httpx, "create_ssl_context", lambda: (read.append(True), authorities())[1])
    client = client_of(vllm, url=f"https://127.0.0.1:{vllm.port}")
    for _ in range(2):
        with pytest.raises(EndpointDownError):
            await client.embed_batch_async(TEXTS, seconds=0.5)
        with pytest.raises(EndpointDownError):
            client.embed_batch(TEXTS, seconds=0.5)
    assert read == [True]
    await client.aclose()


@pytest.mark.parametrize(
    "proxy", ["socks5://user:s3cret@127.0.0.1:1", "ftp://s3cret", "http://proxy:port"]
)
@pytest.mark.parametrize("named_by", ["embedding.proxy", "ALL_PROXY"])
async def test_a_proxy_that_cannot_be_used_is_a_wrong_setting(
    vllm: FakeVllm,
    client_of: MakeClient,
    monkeypatch: pytest.MonkeyPatch,
    proxy: str,
    named_by: str,
) -> None:
    monkeypatch.setitem(sys.modules, "socksio", None)
    settings = {"url": "http://embeddings.invalid"}
    if named_by == "ALL_PROXY":
        monkeypatch.setenv(named_by, proxy)
    else:
        settings["proxy"] = proxy
    client = client_of(vllm, **settings)
    with pytest.raises(EndpointMisconfiguredError, match=named_by) as caught:
        client.embed_batch(TEXTS)
    with pytest.raises(EndpointMisconfiguredError, match=named_by):
        await client.embed_batch_async(TEXTS)
    assert "s3cret" not in str(caught.value)
