"""HTTP for Prometheus: who is slow or hostile costs a connection of a few, and is dropped."""

from __future__ import annotations

import asyncio

import pytest

from rblntopd.exposition.daemon_collector import DaemonCounts
from rblntopd.exposition.scrape_server import ScrapeServer, ScrapeServerError

GET = b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"
#: More than a socket takes of one that does not read.
BIG = b"x" * 20_000_000


class Served:
    def __init__(self, body=b"up 1\n", **keys):
        self.counts = DaemonCounts()
        self.body = body
        self.server = ScrapeServer(self.page, self.counts, **keys)

    async def page(self):
        if isinstance(self.body, Exception):
            raise self.body
        return self.body

    async def connect(self):
        return await asyncio.open_connection("127.0.0.1", self.port)

    async def ask(self, request):
        reader, writer = await self.connect()
        writer.write(request)
        found = await reader.read()
        writer.close()
        return found


@pytest.fixture
async def serve(unused_tcp_port):
    started = []

    async def serve(body=b"up 1\n", **keys):
        served = Served(body, **keys)
        served.port = unused_tcp_port
        await served.server.start("127.0.0.1", unused_tcp_port)
        started.append(served)
        return served

    yield serve
    for served in started:
        served.server.close()


async def ended(reader):
    """Waits for the end of a connection; false: it brought something before."""
    try:
        return await reader.read() == b""
    except ConnectionError:
        return True


async def test_a_scrape_is_answered_and_the_connection_closed(serve):
    head, _, body = (await (await serve()).ask(GET)).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"Content-Type: text/plain; version=0.0.4" in head
    assert body == b"up 1\n"


async def test_a_page_larger_than_a_socket_takes_arrives_whole(serve):
    assert (await (await serve(BIG)).ask(GET)).endswith(b"\r\n\r\n" + BIG)


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", b"404"),
        (b"POST /metrics HTTP/1.1\r\n\r\n", b"405"),
        (b"\x16\x03\x01 hello\r\n\r\n", b"400"),
        (b"GET /metrics SPDY/9\r\n\r\n", b"400"),
    ],
)
async def test_what_is_no_scrape_is_told_so(serve, request_bytes, status):
    assert (await (await serve()).ask(request_bytes)).split(b" ")[1] == status


async def test_a_page_that_cannot_be_made_is_a_500_and_the_log_says_why(serve, caplog):
    served = await serve(ValueError("odd ring"))
    assert (await served.ask(GET)).startswith(b"HTTP/1.1 500 ")
    assert "odd ring" in caplog.text


async def test_a_head_without_end_is_dropped(serve):
    served = await serve(deadline_s=3600)
    reader, writer = await served.connect()
    writer.write(b"GET /metrics HTTP/1.1\r\n" + b"X: y\r\n" * 10_000)
    assert await ended(reader)
    assert served.counts.scrapes_dropped == 1
    writer.close()


@pytest.mark.parametrize("sent", [b"", b"GET /met", GET])
async def test_who_says_or_reads_nothing_is_dropped_at_the_deadline(serve, sent):
    served = await serve(BIG, deadline_s=0.05)
    _, writer = await served.connect()
    writer.write(sent)
    while not served.counts.scrapes_dropped:  # noqa: ASYNC110 - a turn, no wait
        await asyncio.sleep(0)
    writer.close()


async def test_one_connection_more_than_allowed_is_refused_and_the_others_are_served(serve):
    served = await serve(max_connections=2, deadline_s=3600)
    held = [await served.connect(), await served.connect()]
    held[1][1].write(GET[:3])
    refused = await served.connect()
    assert await ended(refused[0])
    assert served.counts.scrapes_dropped == 1
    held[1][1].write(GET[3:])
    assert b"up 1" in await held[1][0].read()
    for _, writer in (*held, refused):
        writer.close()


async def test_an_address_that_is_taken_is_an_error_that_names_it(serve, unused_tcp_port):
    await serve()
    with pytest.raises(ScrapeServerError, match=f"metrics cannot be served at 127.0.0.1:{unused_tcp_port}: "):
        await serve()
