"""Trains a tenant's own model of ticket tone, and judges it on later tickets against the word list."""

from collections.abc import Sequence
from typing import Any

from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from ml.sentiment import WORD, WordTone

LEAST_LABELS = 300
LEAST_OF_EACH = 30
"""Tickets that made happy, and that did not: with fewer, the test would be a matter of luck."""
TEST_SHARE = 0.3
MARGIN = 0.01
"""So much better than the word list it must be to take its place."""
MOST_TERMS = 5_000


def train_tone(labels: Sequence[tuple[str, bool, float | None]]) -> dict[str, Any]:
    """Return the figures of an attempt, with the model if it is good enough.

    `labels`, the oldest first: what the ticket said, whether its answer made them happy, and the tone that
    the word list reads. The newest part is the test; what is used is trained on the older part alone.
    """
    counts = {"labels": len(labels), "needed": LEAST_LABELS, "is_used": False}
    cut = round(len(labels) * (1 - TEST_SHARE))
    older, newer = labels[:cut], labels[cut:]
    if len(labels) < LEAST_LABELS or not (_has_both(older) and _has_both(newer, LEAST_OF_EACH // 3)):
        return counts
    model = _fit([text for text, _happy, _tone in older], [happy for _text, happy, _tone in older])
    happy = [happy for _text, happy, _tone in newer]
    auc = float(roc_auc_score(happy, [model.probability(text) for text, _happy, _tone in newer]))
    base = float(roc_auc_score(happy, [tone or 0.0 for _text, _happy, tone in newer]))
    figures = counts | {"auc": round(auc, 4), "vader_auc": round(base, 4), "tested": len(newer)}
    if auc <= base + MARGIN:
        return figures
    return figures | {"is_used": True, "model": model.document()}


def _has_both(labels: Sequence[tuple[str, bool, float | None]], least: int = LEAST_OF_EACH) -> bool:
    happy = sum(happy for _text, happy, _tone in labels)
    return min(happy, len(labels) - happy) >= least


def _fit(texts: Sequence[str], happy: Sequence[bool]) -> WordTone:
    """Weigh words by how rare they are, and learn which go with unhappy answers."""
    vectorizer = TfidfVectorizer(
        token_pattern=WORD.pattern, ngram_range=(1, 2), min_df=2, max_features=MOST_TERMS
    )
    features = vectorizer.fit_transform(texts)
    classifier = LogisticRegression(class_weight="balanced", max_iter=1000).fit(features, happy)
    names = [str(name) for name in vectorizer.get_feature_names_out()]
    idf = dict(zip(names, map(float, vectorizer.idf_), strict=True))
    weights = dict(zip(names, map(float, classifier.coef_[0]), strict=True))
    return WordTone(idf, weights, float(classifier.intercept_[0]))
