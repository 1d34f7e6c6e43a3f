"""Answers that break: what a client of a failing server, or of a proxy before it, gets to see."""

import asyncio
import socket
import struct

from aiohttp import web

from bench import wire


async def failed(request: web.Request, fault: str, retry_after_s: float) -> web.StreamResponse:
    """What a request gets that costs no tokens."""
    if fault == "reset_before_headers":
        await reset_and_stay(request)
    if fault == "html":
        return web.Response(text="<html><h1>Bad gateway</h1></html>", content_type="text/html")
    if fault == "empty_choices":
        return web.json_response({"object": "chat.completion", "choices": [], "usage": None})
    status = {"rate_limited": 429, "server_error": 503, "fail_all": 500}[fault]
    headers = {"Retry-After": f"{retry_after_s:g}"} if status == 429 else {}
    error = wire.error(f"fault {fault}", "InternalServerError", status)
    return web.json_response(error, status=status, headers=headers)


async def reset_and_stay(request: web.Request) -> None:
    """The connection breaks with a TCP reset; never returns."""
    if request.transport:
        reset(request.transport)
    await asyncio.Event().wait()


async def close_and_stay(request: web.Request) -> None:
    """The connection ends in the middle of the body; never returns."""
    if request.transport:
        request.transport.close()
    await asyncio.Event().wait()


def reset(transport: asyncio.Transport) -> None:
    """Close with RST, as a process that was killed does with data unread."""
    connection = transport.get_extra_info("socket")
    if connection is not None:
        linger = struct.pack("ii", 1, 0)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    transport.abort()
