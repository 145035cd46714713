import datetime as dt
from typing import Any

import pytest

from domain.column_profiles import profile
from domain.csv_sniff import sniff
from domain.errors import InvalidInputError
from domain.mapping import Mapping
from domain.mapping_check import parse_mapping
from domain.mapping_draft import Choices, draft, problems
from domain.mapping_guess import guess
from domain.mapping_rows import RowConverter
from domain.time import business

NOW = business(dt.datetime(2026, 11, 21, 12, tzinfo=dt.UTC))


def columns_of(text: str, delimiter: str = ",") -> list[Any]:
    header, *rows = [line.split(delimiter) for line in text.strip().splitlines()]
    return [profile(name, [row[place] for row in rows]) for place, name in enumerate(header)]


FILES = {
    "customers": """
id,company,mrr note,arr,renewal date
A-1,Acme,x,12000,2027-01-01
A-2,Umbrella,y,99000,2027-02-01
""",
    "contacts": """
first name,last name,email,company id
Ada,Lovelace,ada@acme.example,A-1
Alan,Turing,alan@acme.example,A-1
""",
    "subscriptions": """
account_id,mrr,seats,start_date,end_date
A-1,100,5,2024-01-01,
A-2,200,7,2024-02-01,2025-01-01
""",
    "events": """
timestamp,customer,event,count
2026-01-01T10:00:00Z,A-1,export,3
2026-01-02T10:00:00Z,A-2,search,1
""",
    "logins": """
day,account id,logins,reports
2026-01-01,A-1,3,0
2026-01-02,A-1,5,2
""",
    "tickets": """
ticket id,account,priority,created at,closed at
T-1,A-1,P1,2026-01-01 10:00,2026-01-02 10:00
T-2,A-2,Low,2026-01-05 10:00,
""",
    "nps": """
company,score,comment,date
A-1,9,nice,2026-01-01
A-2,3,slow,2026-02-01
""",
    "invoices": """
invoice number,account,amount due,due date,invoice date,status
I-1,A-1,12.50,2026-02-01,2026-01-01,Paid
""",
    "calls": """
owner email,direction,channel,date,customer
mia@us.example,outbound,Phone,2026-01-01,A-1
mia@us.example,inbound,E-Mail,2026-01-02,A-2
""",
    "qbrs": """
customer,meeting title,scheduled at,attendance
A-1,QBR,2026-01-01 10:00,accepted
""",
    "goals": """
account,objective,target value,progress,due date
A-1,Less churn,10,0.5,2026-12-31
""",
}
KINDS = {
    "customers": "customer",
    "contacts": "contact",
    "subscriptions": "subscription",
    "events": "usage",
    "logins": "usage",
    "tickets": "ticket",
    "nps": "survey",
    "invoices": "invoice",
    "calls": "touchpoint",
    "qbrs": "meeting",
    "goals": "goal",
}


@pytest.mark.parametrize("name", FILES)
def test_what_a_file_is_is_guessed_and_the_guess_makes_a_mapping_that_reads_it(name: str) -> None:
    text = FILES[name]
    columns = columns_of(text)
    guessed = guess(f"{name}.csv", columns)
    assert guessed.kind == KINDS[name]
    fields = {column: one.field for column, one in guessed.fields.items()}
    choices = Choices.model_validate({"kind": guessed.kind, "fields": fields})
    assert problems(choices, columns) == []
    source, file = {"id": "upload/1", "name": name}, {"match": f"{name}.csv"}
    mapping = parse_mapping(draft(choices, columns, source, file))
    assert isinstance(mapping, Mapping), mapping
    converter = RowConverter(mapping.files[0], mapping.source, {}, NOW)
    header, *rows = [line.split(",") for line in text.strip().splitlines()]
    for row in rows:
        facts = converter.facts_of(dict(zip(header, row, strict=True)))
        assert {fact.type for fact in facts} == {KINDS[name]}
        assert all(fact.known_at <= NOW for fact in facts)


def facts_of(name: str) -> list[Any]:
    columns = columns_of(FILES[name])
    guessed = guess(f"{name}.csv", columns)
    fields = {column: one.field for column, one in guessed.fields.items()}
    choices = Choices.model_validate({"kind": guessed.kind, "fields": fields})
    document = draft(choices, columns, {"id": "upload/1", "name": name}, {"match": f"{name}.csv"})
    mapping = Mapping.model_validate(document)
    converter = RowConverter(mapping.files[0], mapping.source, {}, NOW)
    header, *rows = [line.split(",") for line in FILES[name].strip().splitlines()]
    return [fact for row in rows for fact in converter.facts_of(dict(zip(header, row, strict=True)))]


def test_amounts_become_minor_units_and_words_become_ours() -> None:
    assert [fact.arr_minor for fact in facts_of("customers")] == [1_200_000, 9_900_000]
    assert [fact.priority for fact in facts_of("tickets")] == ["urgent", "low"]
    assert [(fact.direction, fact.channel) for fact in facts_of("calls")] == [
        ("out", "call"),
        ("in", "email"),
    ]
    assert [fact.name for fact in facts_of("contacts")] == ["Ada Lovelace", "Alan Turing"]
    assert {(fact.feature, fact.quantity) for fact in facts_of("logins")} == {
        ("logins", 3),
        ("reports", 0),
        ("logins", 5),
        ("reports", 2),
    }


def test_dates_that_could_be_read_in_two_ways_say_so() -> None:
    assert profile("day", ["03/04/2026", "05/06/2026"]).rivals == ("%d/%m/%Y",)
    assert profile("day", ["03/14/2026", "05/06/2026"]).rivals == ()


@pytest.mark.parametrize(
    ("cells", "kind", "form"),
    [
        (["$1,200.50", "$3"], "decimal", "1,234.56"),
        (["1.200,50 €", "3,10 €"], "decimal", "1.234,56"),
        (["1 200,50", "3,10"], "decimal", "1 234,56"),
        (["1", "20"], "integer", "iso"),
        (["007", "008"], "text", "iso"),
        (["21.11.2026", "01.02.2026"], "date", "%d.%m.%Y"),
        (["2026-11-21 10:30", "2026-11-22 10:30"], "instant", "iso"),
    ],
)
def test_numbers_and_dates_are_recognised_as_they_are_written(cells: list[str], kind: str, form: str) -> None:
    found = profile("column", cells)
    assert (found.type, found.forms[0]) == (kind, form)


@pytest.mark.parametrize(
    ("head", "encoding", "delimiter"),
    [
        (b"a,b\n1,2\n", "utf-8", ","),
        ("name;größe\nx;1,5\ny;2,5\n".encode("cp1252"), "cp1252", ";"),
        ("name\tsize\nx\t1\n".encode("utf-16"), "utf-16", "\t"),
        (b"\xef\xbb\xbfa|b\n1|2\n", "utf-8-sig", "|"),
    ],
)
def test_encoding_and_delimiter_are_found_out(head: bytes, encoding: str, delimiter: str) -> None:
    found = sniff("file.csv", head)
    assert (found.encoding, found.delimiter) == (encoding, delimiter)


@pytest.mark.parametrize(
    ("head", "reason"),
    [
        (b" \n", "is empty"),
        (b"PK\x03\x04...", "save the sheet as CSV"),
        (bytes(range(256)) * 20, "no text"),
        (b"1,2,3\n4,5,6\n", "has no header"),
        (b"a,b,a\n1,2,3\n", "names a column twice"),
        (b"a,b\n", "no rows"),
    ],
)
def test_what_is_no_table_is_refused_with_what_to_do(head: bytes, reason: str) -> None:
    with pytest.raises(InvalidInputError, match=reason):
        sniff("file.csv", head)


def test_what_lacks_is_said_in_sentences() -> None:
    columns = columns_of(FILES["subscriptions"])
    lacking = problems(Choices(kind="subscription", fields={"account_id": "started_at"}), columns)
    assert "Choose the column for “Customer (id, domain or name)”." in lacking
    assert "Choose the column for the monthly or the yearly revenue." in lacking
    assert any("holds no dates" in one for one in lacking)
