"""The tone of a text by VADER, a published word list with rules for English (Hutto and Gilbert 2014)."""

import functools
import re

from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

VADER = "vader"
MOST_CHARACTERS = 5_000
"""A log that was pasted into a ticket says nothing of how its author feels."""
_TAGS = re.compile(r"<[^>]{0,200}>")
_SENTENCES = re.compile(r"(?<=[.!?])\s+|\n+")
_QUOTED = re.compile(r"^\s*>.*$", re.MULTILINE)


@functools.cache
def _analyzer() -> SentimentIntensityAnalyzer:
    """Read the word list once per process, and only where it is needed."""
    return SentimentIntensityAnalyzer()


def tone_of(*texts: str | None) -> float | None:
    """Return the mean tone (-1 to 1) of the sentences that have one, None where there are no words.

    VADER judges sentences: over a longer text its sum would run to an extreme, whatever is said.
    """
    text = "\n".join(text for text in texts if text)
    words = _QUOTED.sub(" ", _TAGS.sub(" ", text[:MOST_CHARACTERS])).strip()
    if not re.search(r"\w", words):
        return None
    scores = [_analyzer().polarity_scores(part)["compound"] for part in _SENTENCES.split(words) if part]
    told = [float(score) for score in scores if score]
    return round(sum(told) / len(told), 4) if told else 0.0
