import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from domain.errors import MessageTemplateError
from domain.ports import MessageRenderer
from integrations.jinja_renderer import JinjaMessageRenderer

FOLDER = Path(__file__).parents[2] / "playbooks" / "templates"
LIBRARY: MessageRenderer = JinjaMessageRenderer(FOLDER)
CONTEXT: dict[str, Any] = {
    "customer": {"name": "Globex & Söhne", "plan": "Growth", "segment": "mid_market"},
    "contact": {"first_name": "Anna", "name": "Anna Bergström", "email": "anna@globex.example"},
    "sender": {"name": "Maya Lind", "email": "maya@vendor.example", "title": "Customer Success Manager"},
    "product_name": "Northwind",
    "evidence": {},
    "links": {
        "preferences_url": "https://vendor.example/preferences/abc",
        "unsubscribe_url": "https://vendor.example/unsubscribe/abc",
        "booking_url": "https://vendor.example/book?with=maya&minutes=20",
        "billing_url": "https://vendor.example/billing/abc",
        "accept_url": "https://vendor.example/meeting/abc?answer=accepted",
        "decline_url": "https://vendor.example/meeting/abc?answer=declined",
        "propose_url": "https://vendor.example/meeting/abc?answer=another_time",
    },
    "meeting": {
        "title": "Quarterly review",
        "day": "Thursday, 3 December 2026",
        "time": "10:15",
        "place": "Berlin time",
        "minutes": 30,
    },
    "invoice": {
        "number": "R-2026-117",
        "amount": "$1,234.50",
        "amount_de": "1.234,50 $",
        "due_on": "3 November 2026",
        "due_on_de": "3. November 2026",
        "ends_on": "28 November 2026",
        "ends_on_de": "28. November 2026",
        "days_late": 18,
        "last4": "4242",
        "pay_url": "https://pay.example/i/117",
        "is_part_paid": False,
        "final_action": "cancel",
    },
    "business_date": date(2026, 11, 21),
    "win_back": {
        "cause": "involuntary",
        "reason": "",
        "left_on": date(2026, 10, 31),
    },
    "offer": {
        "title": "20 % off for 3 months",
        "percent": "20",
        "months": 3,
        "code": "BACK-7Q2",
        "company": "Globex & Söhne",
        "expires_on": date(2026, 12, 12),
    },
}
NAMES = (
    "adoption-first-steps",
    "adoption-session",
    "champion-introduction",
    "contract-fresh-look",
    "escalated-save-executive",
    "executive-check-in",
    "feature-guide",
    "low-engagement-check-in",
    "low-engagement-value-tip",
    "meeting-invitation",
    "offer-terms",
    "onboarding-next-step",
    "onboarding-well-done",
    "payment-authentication",
    "payment-card-update",
    "payment-due-soon",
    "payment-final-notice",
    "payment-firm",
    "payment-gentle",
    "payment-neutral",
    "payment-overdue",
    "personal-note",
    "qbr-invitation",
    "renewal-check-in",
    "renewal-decision",
    "renewal-reminder",
    "silent-executive-note",
    "stay-in-touch",
    "support-apology",
    "support-follow-up",
    "survey-thanks",
    "tech-touch-check-in",
    "thank-you",
    "usage-nudge",
    "value-check-month-3",
    "value-check-month-6",
    "value-conversation",
    "win-back-1",
    "win-back-2",
    "win-back-3",
    "win-back-4",
    "win-back-5",
)
WIN_BACK = tuple(name for name in NAMES if name.startswith("win-back"))
VARIANTS = sorted((part.parent.parent.name, part.parent.name) for part in FOLDER.glob("*/*/body.txt"))
GERMAN = [name for name, locale in VARIANTS if locale == "de"]
EVIDENCE = {
    "renewal": "Your agreement renews on 3 March 2027.",
    "tickets": "Your ticket about exports waited four days.",
    "tip": "Teams like yours schedule their reports.",
}


def without(path: str) -> dict[str, Any]:
    group, _, name = path.partition(".")
    kept = {key: value for key, value in CONTEXT[group].items() if key != name} if name else None
    return {key: value for key, value in {**CONTEXT, group: kept}.items() if value is not None}


def written(folder: Path, **files: str) -> MessageRenderer:
    parts = {"subject": "Hello", "text": "text", "html": "<p>html</p>", **files}
    for name, file in (("subject", "subject.txt"), ("text", "body.txt"), ("html", "body.html")):
        path = folder / "one" / file
        path.parent.mkdir(exist_ok=True)
        path.write_text(parts[name], encoding="utf-8")
    return JinjaMessageRenderer(folder)


def test_the_library_holds_every_message_that_the_playbooks_send() -> None:
    assert LIBRARY.names() == NAMES


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("evidence", [{}, EVIDENCE], ids=["bare", "evidence"])
def test_every_template_renders_in_full(name: str, evidence: dict[str, str]) -> None:
    message = LIBRARY.render(name, "en", {**CONTEXT, "evidence": evidence})
    assert message.subject
    assert "\n" not in message.subject
    for body in (message.text, message.html):
        assert "Hi Anna," in body
        assert "Maya Lind" in body
        assert "https://vendor.example/preferences/abc" in body
        assert "https://vendor.example/unsubscribe/abc" in body
        assert "{{" not in body
        assert "{%" not in body
    assert "Globex & Söhne" in message.text
    assert "Globex &amp; Söhne" in message.html
    assert "\n\n\n" not in message.text


@pytest.mark.parametrize("name", NAMES)
def test_text_and_html_say_the_same(name: str) -> None:
    message = LIBRARY.render(name, "en", {**CONTEXT, "evidence": EVIDENCE})
    paragraphs = re.findall(r"<p>(.*?)</p>", message.html, re.DOTALL)
    for paragraph in paragraphs[1:-1]:
        plain = re.sub(r"<[^>]+>", "", paragraph).replace("&amp;", "&").split(". ")[0]
        assert plain.strip()[:36] in " ".join(message.text.split())


def test_the_templates_that_are_sent_most_are_there_in_german() -> None:
    assert set(VARIANTS) == {(name, "de") for name in GERMAN}
    assert set(GERMAN) >= {
        "low-engagement-check-in", "low-engagement-value-tip", "renewal-check-in", "renewal-reminder",
        "stay-in-touch", "support-apology", "support-follow-up", "usage-nudge", "tech-touch-check-in",
    }  # fmt: skip


@pytest.mark.parametrize("name", GERMAN)
@pytest.mark.parametrize("part", ["subject.txt", "body.txt", "body.html"])
def test_a_translation_is_whole(name: str, part: str) -> None:
    """Half of it would greet in one language and go on in another."""
    assert (FOLDER / name / "de" / part).is_file()


@pytest.mark.parametrize("name", GERMAN)
def test_every_german_letter_renders_in_full_and_is_german_from_greeting_to_footer(name: str) -> None:
    message = LIBRARY.render(name, "de-AT", {**CONTEXT, "evidence": EVIDENCE})
    assert message.subject != LIBRARY.render(name, "en", CONTEXT).subject
    for body in (message.text, message.html):
        assert "Guten Tag Anna Bergström," in body
        assert "weil Sie bei Globex" in body
        assert "https://vendor.example/unsubscribe/abc" in body
        assert not re.search(r"\{\{|\{%|Hi Anna|Best wishes|wrote to|\bthe\b|\byou\b|\bYour\b", body)
        assert not re.search(r"Nutzung|Anmeldung|Login|inaktiv|Risiko|gemerkt|bemerkt", body)
    html = " ".join(re.findall(r"<p>(.*?)</p>", message.html, re.DOTALL)[1:-1])
    for sentence in re.sub(r"<[^>]+>", "", html).replace("&amp;", "&").split(". ")[:-1]:
        assert sentence.strip()[:30] in " ".join(message.text.split())


@pytest.mark.parametrize("name", [name for name in NAMES if name.startswith("payment-")])
@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize(
    "known", [{"last4": "", "pay_url": ""}, {"is_part_paid": True}, {"final_action": "keep"}]
)
def test_a_letter_about_an_invoice_renders_with_whatever_is_known_of_it(
    name: str, language: str, known: dict[str, Any]
) -> None:
    values = {**CONTEXT, "invoice": CONTEXT["invoice"] | known}
    message = LIBRARY.render(name, language, values)
    amount = "1.234,50" if language == "de" else "1,234.50"
    assert amount in message.text
    assert "R-2026-117" in message.subject + message.text
    assert ("https://pay.example" in message.html) is ("pay_url" not in known)


@pytest.mark.parametrize("name", WIN_BACK)
@pytest.mark.parametrize("locale", ["en", "de"])
@pytest.mark.parametrize("cause", ["involuntary", "voluntary"])
def test_a_letter_to_who_has_left_is_whole_with_and_without_an_offer_or_a_page(
    name: str, locale: str, cause: str
) -> None:
    told = {**CONTEXT["win_back"], "cause": cause, "reason": "too_expensive"}
    no_page = {**CONTEXT["links"], "billing_url": ""}
    bare = LIBRARY.render(name, locale, {**CONTEXT, "links": no_page, "win_back": told, "offer": None})
    full = LIBRARY.render(name, locale, {**CONTEXT, "win_back": told})
    offers = int(name[-1]) >= 3
    for plain, whole in ((bare.text, full.text), (bare.html, full.html)):
        assert "https://vendor.example/billing" not in plain
        assert "https://vendor.example/billing/abc" in whole
        assert "BACK-7Q2" not in plain
        assert ("BACK-7Q2" in whole) is offers
        assert "None" not in plain + whole


def test_a_german_without_a_name_is_greeted_all_the_same() -> None:
    nameless = {**CONTEXT, "contact": {**CONTEXT["contact"], "first_name": "", "name": ""}}
    assert LIBRARY.render("stay-in-touch", "de", nameless).text.startswith("Guten Tag,\n\n")


@pytest.mark.parametrize("name", NAMES)
def test_no_message_tells_people_that_somebody_watched_them(name: str) -> None:
    message = LIBRARY.render(name, "en", {**CONTEXT, "evidence": EVIDENCE})
    creepy = r"we (have )?noticed|your usage|log ?ins?\b|dropped|inactive|churn|risk|score"
    assert not re.search(creepy, message.subject + message.text, re.IGNORECASE)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "path", ["contact.first_name", "sender.name", "links.unsubscribe_url", "product_name", "customer.name"]
)
def test_a_missing_value_is_an_error_that_names_template_file_and_value(name: str, path: str) -> None:
    with pytest.raises(MessageTemplateError) as raised:
        LIBRARY.render(name, "en", without(path))
    words = str(raised.value)
    assert name in words
    assert f"{path} is not given" in words
    assert re.search(r"(subject\.txt|body\.(txt|html)|_layout\.(txt|html)):\d+", words)


def test_a_person_without_a_first_name_is_greeted_all_the_same() -> None:
    nameless = {**CONTEXT, "contact": {**CONTEXT["contact"], "first_name": ""}}
    message = LIBRARY.render("stay-in-touch", "en", nameless)
    assert message.text.startswith("Hello,\n\n")


def test_names_cannot_write_html_or_headers() -> None:
    hostile = {
        **CONTEXT,
        "customer": {**CONTEXT["customer"], "name": "<script>x</script>\r\nBcc: y@z.example"},
    }
    message = LIBRARY.render("executive-check-in", "en", hostile)
    assert "<script>" not in message.html
    assert "\n" not in message.subject
    assert "\r" not in message.subject


def test_an_unknown_template_is_an_error_that_lists_the_known_ones() -> None:
    with pytest.raises(MessageTemplateError, match="stay-in-touch"):
        LIBRARY.render("../secrets", "en", CONTEXT)


@pytest.mark.parametrize(
    ("locale", "expected"), [("de", "Guten Tag"), ("de-AT", "Guten Tag"), ("fr", "Hello")]
)
def test_a_translation_is_used_where_there_is_one(tmp_path: Path, locale: str, expected: str) -> None:
    renderer = written(tmp_path)
    (tmp_path / "one" / "de").mkdir()
    (tmp_path / "one" / "de" / "subject.txt").write_text("Guten Tag", encoding="utf-8")
    assert renderer.render("one", locale, CONTEXT).subject == expected
    assert renderer.render("one", locale, CONTEXT).text == "text\n"
    assert renderer.render("one", "../..", CONTEXT).subject == "Hello"


def test_dates_are_written_as_people_say_them(tmp_path: Path) -> None:
    renderer = written(tmp_path, text="{{ business_date | long_date }}")
    assert renderer.render("one", "en", CONTEXT).text == "21 November 2026\n"


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"text": "{{ customer.__class__.__mro__ }}"}, "__class__"),
        ({"text": "one\n{% if %}"}, "body.txt:2"),
        ({"html": "{{ 'x' + 1 }}"}, "body.html:1"),
        ({"subject": "   "}, "came out empty"),
        ({"text": "{% include 'absent.txt' %}"}, "absent.txt"),
    ],
)
def test_a_broken_template_is_an_error_that_names_the_place(
    tmp_path: Path, files: dict[str, str], words: str
) -> None:
    with pytest.raises(MessageTemplateError, match=re.escape(words)):
        written(tmp_path, **files).render("one", "en", CONTEXT)


@pytest.mark.parametrize(
    ("locale", "words"),
    [("en", ("Hi Anna,", "Yes, I will be there", "Best wishes,")),
     ("de_CH", ("Guten Tag Anna Bergström,", "Ja, ich nehme teil", "Mit freundlichen Grüßen"))],
)  # fmt: skip
def test_an_invitation_says_when_and_how_to_answer_in_the_readers_language(
    locale: str, words: tuple[str, ...]
) -> None:
    message = LIBRARY.render("meeting-invitation", locale, CONTEXT)
    links = [CONTEXT["links"][name] for name in ("accept_url", "decline_url", "propose_url")]
    for said in (*words, "Thursday, 3 December 2026", "10:15", "30"):
        assert said in message.text
        assert said in message.html
    assert all(link in message.text for link in links)
    assert all(link.replace("&", "&amp;") in message.html for link in links)
    assert f'<html lang="{locale[:2]}">' in message.html


def test_the_letter_about_the_price_has_the_code_and_is_whole_without_one() -> None:
    told, bare = (
        LIBRARY.render("offer-terms", "en", {**CONTEXT, "offer": offer}) for offer in (CONTEXT["offer"], None)
    )
    assert "Code: BACK-7Q2, for Globex & Söhne only, once, until 12 December 2026." in told.text
    assert "BACK-7Q2" in told.html
    assert "Code" not in bare.text + bare.html
    assert "A reply to this message is enough" in bare.text
