"""``python -m benchmarks.peers NAME PORT``: serves one peer until it is killed."""

from __future__ import annotations

import asyncio
import importlib
import sys

PEERS = {
    "websockets": "websockets_server:main",
    "uvicorn-wsproto": "asgi_servers:wsproto",
    "uvicorn-sansio": "asgi_servers:sansio",
    "fastapi": "fastapi_server:main",
    "aiohttp": "aiohttp_server:main",
    "picows": "picows_server:main",
}


def main() -> None:
    name, port = sys.argv[1].removesuffix("-uvloop"), int(sys.argv[2])
    module, function = PEERS[name].split(":")
    serve = getattr(importlib.import_module(f"benchmarks.peers.{module}"), function)
    if sys.argv[1] == "websockets":  # as its documentation starts it
        asyncio.run(serve(port))
    else:
        import uvloop

        uvloop.run(serve(port))


if __name__ == "__main__":
    main()
