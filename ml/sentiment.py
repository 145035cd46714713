"""A tenant's own model of ticket tone: a linear model over words, kept as plain numbers."""

import math
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

WORD = re.compile(r"(?u)\b\w\w+\b")
OWN = "own"


@dataclass(frozen=True)
class WordTone:
    """Weights of words and pairs of words. Reads without the library that trained it."""

    idf: Mapping[str, float]
    weights: Mapping[str, float]
    intercept: float

    def probability(self, text: str) -> float:
        """Return how likely whoever wrote this was happy with the answer."""
        words = WORD.findall(text.lower())
        terms = Counter([*words, *map(" ".join, pairwise(words))])
        values = {term: count * self.idf[term] for term, count in terms.items() if term in self.idf}
        length = math.sqrt(sum(value * value for value in values.values())) or 1.0
        odds = self.intercept + sum(self.weights[term] * value for term, value in values.items()) / length
        return 1.0 / (1.0 + math.exp(-max(-30.0, min(30.0, odds))))

    def read(self, text: str) -> float:
        """Return the tone (-1 to 1)."""
        return round(2.0 * self.probability(text) - 1.0, 4)

    def document(self) -> dict[str, Any]:
        """Return it as stored."""
        terms = {term: [round(self.idf[term], 5), round(self.weights[term], 5)] for term in self.idf}
        return {"intercept": self.intercept, "terms": terms}


def read_model(document: Mapping[str, Any]) -> WordTone:
    """Return a model as it was stored."""
    terms: Mapping[str, list[float]] = document["terms"]
    idf = {term: values[0] for term, values in terms.items()}
    return WordTone(idf, {term: values[1] for term, values in terms.items()}, document["intercept"])
