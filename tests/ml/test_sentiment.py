"""Tone of tickets: the word list, and a model of the tenant's own."""

import random

import pytest

from integrations.sentiment import tone_of
from ml.sentiment import read_model
from ml.sentiment_training import train_tone


@pytest.mark.parametrize(
    ("text", "is_good"),
    [
        ("This is terrible. We are losing money and nobody answers!", False),
        ("Thank you, that was a great help. We love the new report.", True),
    ],
)
def test_the_word_list_tells_anger_from_thanks(text: str, is_good: bool) -> None:  # noqa: FBT001 - a case
    tone = tone_of(text)
    assert tone is not None
    assert (tone > 0.3) is is_good
    assert (tone < -0.3) is not is_good


def test_where_there_are_no_words_there_is_no_tone() -> None:
    assert tone_of(None, "", "<p> ... </p>") is None


def test_a_long_text_does_not_run_to_an_extreme() -> None:
    once = tone_of("The export is slow and a bit annoying.")
    often = tone_of("The export is slow and a bit annoying.\n" * 40)
    assert once == often


def test_what_somebody_else_wrote_and_was_quoted_does_not_count() -> None:
    assert tone_of("Thanks, great help.\n> This is terrible, awful, horrible") == tone_of(
        "Thanks, great help."
    )


def tickets(count: int) -> list[tuple[str, bool, float | None]]:
    """Tickets whose words say something in this company that no word list knows."""
    dice = random.Random(3)
    found = []
    for _ in range(count):
        happy = dice.random() < 0.7
        about = dice.choice(["webhook", "export", "login", "invoice"])
        words = f"question on {about}" if happy else f"ledger mismatch on {about}"
        found.append((words, happy, tone_of(words)))
    return found


def test_a_model_of_ones_own_is_used_when_it_beats_the_word_list() -> None:
    made = train_tone(tickets(400))
    assert made["is_used"]
    assert made["auc"] > made["vader_auc"]
    model = read_model(made["model"])
    assert model.read("ledger mismatch on login") < 0 < model.read("question on login")


def test_too_few_ratings_train_nothing() -> None:
    assert train_tone(tickets(120)) == {"labels": 120, "needed": 300, "is_used": False}


def test_a_model_that_has_learned_nothing_stays_unused() -> None:
    dice = random.Random(5)
    noise = [
        (f"question {dice.randint(0, 9)}", happy, 0.5 if happy else -0.5)
        for happy in (dice.random() < 0.5 for _ in range(400))
    ]
    made = train_tone(noise)
    assert not made["is_used"]
    assert "model" not in made


def test_plain_numbers_read_as_the_library_does() -> None:
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression

    from ml.sentiment_training import _fit

    labels = tickets(200)
    texts, happy = [text for text, *_ in labels], [is_happy for _, is_happy, _ in labels]
    vectorizer = TfidfVectorizer(
        token_pattern=r"(?u)\b\w\w+\b", ngram_range=(1, 2), min_df=2, max_features=5000
    )
    classifier = LogisticRegression(class_weight="balanced", max_iter=1000)
    classifier.fit(vectorizer.fit_transform(texts), happy)
    text = "Another ledger mismatch on the webhook"
    expected = classifier.predict_proba(vectorizer.transform([text]))[0][1]
    assert _fit(texts, happy).probability(text) == pytest.approx(expected, abs=1e-9)
