"""Every answer of the API is one that its description promises, whatever is asked; nothing breaks it."""

import random
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from sqlalchemy import select

from domain.permissions import Permission
from models.clock import wall_now
from models.database import Database
from models.keys import KeyKind, create_key
from models.tables.cases import CaseRow
from models.tables.customers import ContactRow
from models.tables.playbooks import InterventionRow, PlaybookRow
from models.tables.work import HeadsUpRow, TaskRow
from tests.support.aside import aside
from tests.support.browser import serving
from tests.support.postgres import create_database, drop_database
from tests.support.sample_rows import Sample
from tests.support.sample_template import make_template

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
NOT_READY = "/readyz"
"""Where 503 is the news that it is asked for: no Temporal runs beside this test."""
TEMPLATE = "everstay_schema"
SEED = 20_261_121
SHARE_OF_KNOWN_IDS = 0.5


@dataclass(frozen=True)
class Site:
    """A running API, a key that may do everything, one that sends events, and ids that exist."""

    address: str
    api_key: str
    write_key: str
    ids: Mapping[str, list[str]]


@pytest.fixture(scope="module")
def site(
    postgres_url: str, migrated_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    sample = make_template(postgres_url, migrated_template, TEMPLATE)
    name = f"test_{uuid.uuid4().hex}"
    url = create_database(postgres_url, name, TEMPLATE)
    folder: Path = tmp_path_factory.mktemp("uploads")
    with serving(url, upload_folder=folder) as address:
        api_key, write_key, ids = aside(lambda: prepare(url, sample))
        ids |= {"upload_id": [drop(address, api_key)]}
        yield Site(address, api_key, write_key, ids)
    drop_database(postgres_url, name)
    drop_database(postgres_url, TEMPLATE)


async def prepare(url: str, sample: Sample) -> tuple[str, str, dict[str, list[str]]]:
    """Make the keys and look up ids that handlers can find."""
    database = Database(url)
    try:
        async with database.transaction() as session:
            everything = [str(one) for one in Permission]
            api_key, _ = await create_key(session, KeyKind.API, wall_now(), scopes=everything)
            write_key, _ = await create_key(session, KeyKind.WRITE, wall_now())
            ids = {
                "customer_id": [str(one) for one in sample.customers[:5]],
                "contact_id": await some(session, ContactRow.id),
                "task_id": await some(session, TaskRow.id),
                "heads_up_id": await some(session, HeadsUpRow.id),
                "intervention_id": await some(session, InterventionRow.id),
                "case_id": await some(session, CaseRow.id),
                "key": await some(session, PlaybookRow.key),
                "version": ["1"],
            }
    finally:
        await database.close()
    return api_key, write_key, ids


async def some(session: Any, column: Any) -> list[str]:
    return [str(one) for one in (await session.scalars(select(column).limit(5))).all()]


def drop(address: str, api_key: str) -> str:
    """Upload a file, so that there is one."""
    answer = httpx.post(
        f"{address}/api/uploads",
        files={"file": ("customers.csv", b"id,name\nA-1,Northwind\n", "text/csv")},
        headers={"authorization": f"Bearer {api_key}"},
    )
    return str(answer.json()["id"])


Headers = Callable[[str], dict[str, str]]


def faults(site: Site, examples: int, headers: Headers) -> Iterator[str]:
    """Ask every operation so many things and yield what its answers break."""
    schema = schemathesis.openapi.from_url(f"{site.address}/openapi.json")
    for found in schema.get_all_operations():
        assert isinstance(found, Ok), found
        operation = found.ok()
        try:
            question(site, operation, examples, headers)()
        except BaseExceptionGroup as errors:
            yield from (f"{operation.label}: {error}" for error in errors.exceptions)
        except Exception as error:  # noqa: BLE001 - each operation tells its own
            yield f"{operation.label}: {error!r}"


def question(site: Site, operation: Any, examples: int, headers: Headers) -> Callable[[], None]:
    """Return the test of one operation."""
    dice = random.Random(SEED)

    @seed(SEED)
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy())
    def ask(case: Any) -> None:
        for name in case.path_parameters or {}:
            if site.ids.get(name) and dice.random() < SHARE_OF_KNOWN_IDS:
                case.path_parameters[name] = dice.choice(site.ids[name])
        checks = [check for check in CHECKS if not (check is not_a_server_error and case.path == NOT_READY)]
        case.call_and_validate(headers=headers(case.path), checks=checks, timeout=60)

    return ask


def with_keys(site: Site) -> Headers:
    def headers(path: str) -> dict[str, str]:
        key = site.api_key if path.startswith("/api/") else site.write_key
        return {"authorization": f"Bearer {key}"}

    return headers


def test_every_answer_is_one_that_the_description_promises(site: Site) -> None:
    found = list(faults(site, 12, with_keys(site)))
    assert not found, "\n".join(found)


def test_without_a_key_every_answer_is_promised_too(site: Site) -> None:
    found = list(faults(site, 2, lambda _path: {}))
    assert not found, "\n".join(found)


@pytest.mark.proof
def test_a_hundred_questions_to_each_operation_break_none(
    site: Site, record_property: Callable[[str, object], None]
) -> None:
    examples = 100
    found = list(faults(site, examples, with_keys(site)))
    record_property("examples_per_operation", examples)
    record_property("faults", found)
    assert not found, "\n".join(found)
