import json

import pytest

from domain.errors import InvalidInputError
from integrations.sendgrid_inbound import parse_inbound

FORM = {
    "headers": "Message-ID: <r1@globex.example>\nIn-Reply-To: <m2@x>\nReferences: <m1@x>\n <m2@x>\n",
    "from": '"Anna Bergström" <Anna@Globex.example>',
    "to": "Maya <maya@vendor.example>",
    "subject": "Re: hello",
    "text": "Thursday is fine.",
}


def test_an_answer_names_its_writer_and_what_it_answers() -> None:
    inbound = parse_inbound(FORM)
    assert inbound.message_id == "r1@globex.example"
    assert inbound.sender_email == "anna@globex.example"
    assert inbound.recipients == ("maya@vendor.example",)
    assert inbound.answers == ("m2@x", "m1@x")
    assert (inbound.subject, inbound.text) == ("Re: hello", "Thursday is fine.")
    assert not inbound.is_automatic


def test_the_envelope_knows_better_than_the_header_where_a_mail_went() -> None:
    envelope = json.dumps({"to": ["replies+d1@vendor.example"], "from": "anna@globex.example"})
    assert parse_inbound({**FORM, "envelope": envelope}).recipients == ("replies+d1@vendor.example",)
    assert parse_inbound({**FORM, "envelope": "no json"}).recipients == ("maya@vendor.example",)


@pytest.mark.parametrize(
    "header",
    [
        "Auto-Submitted: auto-replied",
        "Precedence: auto_reply",
        "X-Autoreply: yes",
        "auto-submitted: Auto-Generated",
    ],
)
def test_an_out_of_office_note_is_marked_as_a_machines(header: str) -> None:
    assert parse_inbound({**FORM, "headers": f"{FORM['headers']}{header}\n"}).is_automatic
    assert not parse_inbound({**FORM, "headers": "Auto-Submitted: no\n"}).is_automatic


def test_a_mail_without_an_id_gets_one_that_repeats_with_its_content() -> None:
    bare = {**FORM, "headers": ""}
    assert parse_inbound(bare).message_id == parse_inbound(dict(bare)).message_id
    assert parse_inbound(bare).message_id != parse_inbound({**bare, "text": "other"}).message_id


@pytest.mark.parametrize("sender", ["", "nobody", "<>"])
def test_a_mail_from_nobody_is_refused(sender: str) -> None:
    with pytest.raises(InvalidInputError, match="from"):
        parse_inbound({**FORM, "from": sender})
