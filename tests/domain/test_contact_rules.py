"""The contact policy as people edit it, the family of every signal, and links that nobody can guess."""

import re
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from domain.contact_policy import ContactPolicy, StoredPolicyError, stored_contact_policy
from domain.contact_slots import ContactBudget
from domain.links import LinkMaker
from domain.signal_families import FAMILIES, speaks_of
from domain.vocabulary import HealthComponent, SignalKind, TouchTier

LINKS = LinkMaker("https://cs.example", "a secret of the tests")
PERSON = uuid.UUID("6b1a9bcd-1f4e-4a5e-9a73-02a1b6a0c001")


def test_the_more_a_customer_is_looked_after_the_shorter_its_longest_silence() -> None:
    days = ContactPolicy().longest_silence_days
    assert days[TouchTier.STRATEGIC] < days[TouchTier.MANAGED] < days[TouchTier.TECH_TOUCH]
    assert ContactPolicy().budget == ContactBudget(1, 3)


def test_an_edited_policy_comes_back_as_it_was_stored() -> None:
    edited = ContactPolicy.model_validate({"emails_per_day": 2, "emails_per_week": 5})
    assert ContactPolicy.model_validate(edited.model_dump(mode="json")) == edited
    assert edited.budget == ContactBudget(2, 5)


@pytest.mark.parametrize(
    ("document", "words"),
    [
        (
            {"longest_silence_days": {"strategic": 10}},
            "the longest silence of managed, tech_touch is missing",
        ),
        (
            {"longest_silence_days": {"strategic": 0, "managed": 1, "tech_touch": 1}},
            "greater than or equal to 1",
        ),
        ({"longest_silence_days": {"gold": 3}}, "strategic"),
        ({"emails_per_day": -1}, "greater than or equal to 0"),
        ({"emails_per_month": 4}, "Extra inputs are not permitted"),
    ],
)
def test_a_policy_that_would_stop_decisions_is_refused(document: dict[str, object], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        ContactPolicy.model_validate(document)


def test_an_older_document_is_read_with_what_has_come_since_as_by_default() -> None:
    silence = {"strategic": 10, "managed": 20}
    old = {"emails_per_day": 2, "longest_silence_days": silence, "emails_per_month": 4}
    expected = {"emails_per_day": 2, "longest_silence_days": {**silence, "tech_touch": 45}}
    assert stored_contact_policy(old) == ContactPolicy.model_validate(expected)
    assert stored_contact_policy({}) == stored_contact_policy(None) == ContactPolicy()


@pytest.mark.parametrize(
    ("document", "words"),
    [
        (["strategic"], "no mapping of names"),
        ({"emails_per_day": "many"}, "emails_per_day: "),
        ({"longest_silence_days": 3}, "longest_silence_days: "),
        ({"longest_silence_days": {"managed": 0}}, "longest_silence_days.managed: "),
    ],
)
def test_a_stored_document_that_is_nonsense_is_named_with_the_way_out(document: object, words: str) -> None:
    with pytest.raises(StoredPolicyError, match=rf"{re.escape(words)}.*PUT a whole one"):
        stored_contact_policy(document)


def test_every_family_but_outcomes_has_a_signal_that_is_a_cause() -> None:
    caused = {family for family in HealthComponent for kind in FAMILIES if speaks_of(kind, {family})}
    assert caused == set(HealthComponent) - {HealthComponent.OUTCOMES}


def test_a_compound_risk_is_a_cause_of_every_kind_and_what_no_run_could_reverse_is_none() -> None:
    for family in HealthComponent:
        assert speaks_of(SignalKind.COMPOUND_RISK, {family})
        assert not speaks_of(SignalKind.SLA_BREACH, {family})
        assert not speaks_of(SignalKind.OWN, {family})


@given(st.uuids())
def test_a_token_stands_for_the_person_that_it_was_made_for(person: uuid.UUID) -> None:
    token = LINKS.token(person)
    assert LINKS.contact_of(token) == person
    assert LinkMaker(LINKS.public_url, "another secret").contact_of(token) is None


@given(st.uuids(), st.uuids())
def test_the_signature_of_one_person_does_not_fit_another(one: uuid.UUID, other: uuid.UUID) -> None:
    forged = f"{other.hex}-{LINKS.token(one).partition('-')[2]}"
    assert LINKS.contact_of(forged) == (one if one == other else None)


@given(st.text())
def test_any_other_text_stands_for_nobody_and_is_no_error(text: str) -> None:
    assert LINKS.contact_of(text) is None
    assert LINKS.contact_of(f"{PERSON.hex}-{text}") is None


def test_each_link_leads_to_its_own_page_of_the_same_person() -> None:
    token = LINKS.token(PERSON)
    made = [LINKS.preferences(PERSON), LINKS.unsubscribe(PERSON), LINKS.booking(PERSON)]
    pages = ("preferences", "unsubscribe", "talk")
    assert made == [f"https://cs.example/{page}/{token}" for page in pages]
