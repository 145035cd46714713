"""Keys on paper: the file that a new one is written to, and lists without secrets."""

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from models.keys import ApiKey

OWNER_ONLY = 0o600


def write_secret_file(path: Path, content: Mapping[str, object]) -> None:
    """Write JSON that nobody but the owner may read, from its first byte on."""
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(json.dumps(content) + "\n")


def as_rows(keys: Sequence[ApiKey]) -> list[dict[str, object]]:
    """Return keys as JSON shows them."""
    return [
        {
            "id": str(key.id),
            "kind": str(key.kind),
            "name": key.name,
            "prefix": key.prefix,
            "scopes": list(key.scopes),
            "source": key.source_id,
            "created_at": key.created_at.isoformat(),
            "last_used_at": key.last_used_at.isoformat() if key.last_used_at else None,
            "revoked_at": key.revoked_at.isoformat() if key.revoked_at else None,
        }
        for key in keys
    ]


def as_table(keys: Sequence[ApiKey]) -> str:
    """Return keys as people read them, one a line."""
    if not keys:
        return "No keys yet. Make one: everstay keys create --kind write"
    return "\n".join(map(_line, keys))


def _line(key: ApiKey) -> str:
    ended = " (revoked)" if key.revoked_at else ""
    return f"{key.prefix}…  {key.kind:<5}  {key.name}  {', '.join(key.scopes)}{ended}"
