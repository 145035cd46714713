"""Questions that a supervisor asks its children."""

import asyncio
from urllib.parse import urlsplit

from workers.embedded.children import Probe

GOOD = range(200, 400)


def http_answers(url: str) -> Probe:
    """Return a probe that is content with any answer between 200 and 399."""

    async def probe(_pid: int) -> bool:
        return await http_status(url) in GOOD

    return probe


async def http_status(url: str) -> int:
    """Ask a local server for a page and return the status code; raises OSError or ValueError."""
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    try:
        request = f"GET {parts.path or '/'} HTTP/1.1\r\nHost: {parts.netloc}\r\nConnection: close\r\n\r\n"
        writer.write(request.encode("ascii"))
        await writer.drain()
        line = await reader.readline()
        return int(line.split()[1]) if line else 0
    finally:
        writer.close()
