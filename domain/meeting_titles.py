"""What a meeting is, judged by its title: the words are the tenant's own."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal

MeetingKind = Literal["qbr", "executive", "check_in", "other"]

QBR_WORDS = ("qbr", "ebr", "business review", "quarterly review")
EXECUTIVE_WORDS = ("executive", "exec sync", "sponsor")


def kind_of(title: str, options: Mapping[str, Any]) -> MeetingKind:
    """Return the kind of a meeting; a connection may have `qbr_words` and `executive_words` of its own."""
    if _holds(title, options.get("qbr_words") or QBR_WORDS):
        return "qbr"
    if _holds(title, options.get("executive_words") or EXECUTIVE_WORDS):
        return "executive"
    return "check_in"


def _holds(title: str, words: Sequence[str] | str) -> bool:
    """Look for whole words, in any case; a plain text is a list with commas."""
    wanted = words.split(",") if isinstance(words, str) else words
    return any(
        re.search(rf"(?<!\w){re.escape(word.strip())}(?!\w)", title, re.IGNORECASE)
        for word in wanted
        if word.strip()
    )
