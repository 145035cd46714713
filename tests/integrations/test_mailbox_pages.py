"""The mailbox as its readers meet it: plain HTML, no script, nothing of a message may act."""

import re
import uuid
from dataclasses import replace
from datetime import UTC, datetime
from email.parser import BytesParser
from pathlib import Path

import httpx
import pytest

from domain.time import wall
from integrations.invitations import read_reply
from integrations.sendgrid_events import SendGridWebhookVerifier
from integrations.sendgrid_inbound import parse_inbound
from integrations.sendgrid_sender import SendGridEmailSender
from integrations.simulators.account import simulator_public_key
from tests.integrations.messages import email
from tests.support.simulators import Receiver, running_receiver

pytestmark = pytest.mark.integration


async def test_the_root_leads_to_a_mailbox_that_explains_its_emptiness(http: httpx.AsyncClient) -> None:
    page = await http.get("/", follow_redirects=True)
    assert page.status_code == 200
    assert page.url.path == "/mailbox"
    assert "No mail yet" in page.text


async def test_the_list_shows_who_got_what_at_the_business_time(
    sender: SendGridEmailSender, http: httpx.AsyncClient
) -> None:
    await sender.send(email(X_Everstay_Business_Time="2031-02-28T09:30:00+01:00"))
    page = (await http.get("/mailbox")).text
    for words in ("Anna Bergström", "Ein Gruß, Anna ✓", "28 Feb 2031", "08:30", "delivered"):
        assert words in page
    assert "arrived here" in (await http.get("/mailbox/1")).text


async def test_an_unreadable_business_time_falls_back_to_the_arrival(
    sender: SendGridEmailSender, http: httpx.AsyncClient
) -> None:
    await sender.send(email(X_Everstay_Business_Time="soon"))
    assert (await http.get("/mailbox")).status_code == 200
    assert "arrived here" not in (await http.get("/mailbox/1")).text


async def test_the_list_is_searched_filtered_and_paged(
    sender: SendGridEmailSender, http: httpx.AsyncClient
) -> None:
    for number in range(26):
        await sender.send(email(f"delivery-{number}", to=f"person-{number}@globex.example"))
    assert "26 messages, page 1 of 2" in (await http.get("/mailbox")).text
    second = (await http.get("/mailbox", params={"page": 2})).text
    assert "page 2 of 2" in second
    assert "Newer" in second
    assert "1 message, page 1 of 1" in (await http.get("/mailbox", params={"search": "person-7@"})).text
    assert "Nothing fits" in (await http.get("/mailbox", params={"status": "bounced"})).text
    assert "page 2 of 2" in (await http.get("/mailbox", params={"page": 99})).text


async def test_pages_run_no_script_and_a_message_is_locked_in(
    sender: SendGridEmailSender, http: httpx.AsyncClient
) -> None:
    await sender.send(email())
    for path in ("/mailbox", "/mailbox/1"):
        page = await http.get(path)
        policy = page.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "<script" not in page.text
        assert not re.search(r"\s(style|on\w+)=", page.text)
    assert 'sandbox="allow-popups allow-popups-to-escape-sandbox"' in (await http.get("/mailbox/1")).text
    html = await http.get("/mailbox/1/html")
    policy = html.headers["Content-Security-Policy"]
    assert "sandbox" in policy
    assert "script" not in policy
    assert "how is it going?" in html.text


async def test_words_of_a_message_are_escaped_on_the_page(
    http: httpx.AsyncClient, sender: SendGridEmailSender
) -> None:
    await sender.send(email(X_Odd="<img src=x>"))
    page = (await http.get("/mailbox/1")).text
    assert "<img src=x>" not in page
    assert "&lt;img src=x&gt;" in page


@pytest.mark.parametrize(
    ("reaction", "words", "status"),
    [
        ("open", "Opened", "delivered"),
        ("click", "https://vendor.example/book?a=1&amp;b=2", "delivered"),
        ("bounce", "Bounced", "bounced"),
        ("spamreport", "Reported as spam", "reported as spam"),
        ("unsubscribe", "Unsubscribed", "unsubscribed"),
    ],
)
async def test_each_button_does_what_it_says(
    sender: SendGridEmailSender, http: httpx.AsyncClient, reaction: str, words: str, status: str
) -> None:
    await sender.send(email())
    page = await http.post(f"/mailbox/1/{reaction}", data={}, follow_redirects=True)
    assert (page.status_code, page.url.path) == (200, "/mailbox/1")
    assert words in page.text
    [held] = (await http.get("/_mailbox")).json()["messages"]
    assert held["status"] == status


async def test_unsubscribing_with_one_click_posts_to_the_address_of_the_message(
    sender: SendGridEmailSender, http: httpx.AsyncClient
) -> None:
    receiver = Receiver(status=200)
    async with running_receiver(receiver) as url:
        headers = {"List_Unsubscribe": f"<{url}/u/1>", "List_Unsubscribe_Post": "List-Unsubscribe=One-Click"}
        await sender.send(email(**headers))
        page = await http.post("/mailbox/1/unsubscribe", data={}, follow_redirects=True)
    assert "One-click unsubscribe" in page.text
    [(_, body)] = receiver.requests
    assert body == b"List-Unsubscribe=One-Click"


async def test_a_reply_arrives_signed_as_inbound_mail_where_an_address_is_set(
    sender: SendGridEmailSender, http: httpx.AsyncClient, tmp_path: Path
) -> None:
    receiver = Receiver(status=200)
    receipt = await sender.send(email())
    async with running_receiver(receiver) as url:
        await http.patch("/_control/switches", json={"inbound_url": url})
        page = await http.post("/mailbox/1/reply", data={"text": "Gern, Donnerstag."}, follow_redirects=True)
    assert "Gern, Donnerstag." in page.text
    [(headers, body)] = receiver.requests
    verifier = SendGridWebhookVerifier(simulator_public_key(tmp_path))
    assert verifier.is_authentic(body, headers, wall(datetime.now(UTC)))
    parsed = BytesParser().parsebytes(
        b"Content-Type: " + headers["Content-Type"].encode() + b"\r\n\r\n" + body
    )
    form = {
        str(part.get_param("name", header="Content-Disposition")): bytes(
            part.get_payload(decode=True)
        ).decode()
        for part in parsed.walk()
        if not part.is_multipart()
    }
    inbound = parse_inbound(form)
    assert inbound.sender_email == "anna@globex.example"
    assert inbound.recipients == ("replies@vendor.example",)
    assert inbound.text == "Gern, Donnerstag."
    assert inbound.subject == "Re: Ein Gruß, Anna ✓"
    assert [each.partition("@")[0] for each in inbound.answers] == [receipt.provider_message_id]
    assert inbound.message_id
    assert not inbound.is_automatic


async def test_a_reply_without_an_address_is_kept_and_says_so(
    sender: SendGridEmailSender, http: httpx.AsyncClient
) -> None:
    await sender.send(email())
    page = await http.post("/mailbox/1/reply", data={"text": ""}, follow_redirects=True)
    assert "there is no inbound address" in page.text
    assert (await http.get("/_mailbox")).json()["counts"]["replied"] == 1


async def test_no_other_site_can_press_the_buttons(
    sender: SendGridEmailSender, http: httpx.AsyncClient
) -> None:
    await sender.send(email())
    foreign = {"Sec-Fetch-Site": "cross-site"}
    assert (await http.post("/mailbox/1/bounce", data={}, headers=foreign)).status_code == 403
    assert (await http.post("/_control/reset", headers=foreign)).status_code == 403
    assert (await http.get("/mailbox", headers=foreign)).status_code == 200


async def test_what_does_not_exist_is_not_found(http: httpx.AsyncClient) -> None:
    assert (await http.get("/mailbox/7")).status_code == 404
    assert (await http.post("/mailbox/7/dance", data={})).status_code == 404
    body = {"delivery_id": "none", "reaction": "open"}
    assert (await http.post("/_control/reactions", json=body)).status_code == 404


async def test_a_calendars_answer_arrives_as_a_file_of_an_inbound_mail(
    sender: SendGridEmailSender, http: httpx.AsyncClient
) -> None:
    receiver = Receiver(status=200)
    person = "ATTENDEE;PARTSTAT=NEEDS-ACTION:mailto:anna@globex.example"
    lines = ("METHOD:REQUEST", "BEGIN:VEVENT", f"UID:{uuid.UUID(int=7)}", "DTSTAMP:20260301T000000Z", person)
    invitation = "\r\n".join(["BEGIN:VCALENDAR", *lines, "END:VEVENT", "END:VCALENDAR", ""])
    await sender.send(replace(email(), invitation=invitation))
    async with running_receiver(receiver) as url:
        await http.patch("/_control/switches", json={"inbound_url": url})
        page = await http.post("/mailbox/1/accept", data={"text": ""}, follow_redirects=True)
    assert "Accepted: " in page.text
    [(_, body)] = receiver.requests
    start = body.index(b"BEGIN:VCALENDAR")
    reply = read_reply(body[start : body.index(b"END:VCALENDAR") + len(b"END:VCALENDAR")])
    assert reply is not None
    assert (reply.meeting_id, reply.answer) == (uuid.UUID(int=7), "accepted")
