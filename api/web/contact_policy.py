"""The contact policy: how often and when customers hear from us, its form, and what a change would do."""

import re
from collections.abc import Mapping
from typing import Any

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.response import Response, Template
from litestar.status_codes import HTTP_200_OK, HTTP_422_UNPROCESSABLE_ENTITY

from api.guards import needs
from api.web.desk import DESK, Desk
from api.web.query import text
from domain.calendar import WEEKDAYS
from domain.contact_policy import MARKETING, ContactPolicy, read_contact_policy
from domain.contact_words import NAMES, say_change, say_policy
from domain.errors import InvalidInputError
from domain.permissions import Permission
from domain.vocabulary import Motion, TouchTier
from models.changes import announce_change
from models.contact_policy import load_contact_policy, save_contact_policy

NUMBERS = (
    ("emails_per_day", "E-mails to a customer in a day"),
    ("emails_per_week", "E-mails to a customer in a week"),
    ("emails_per_person_per_day", "E-mails to one person in a day"),
    ("emails_per_person_per_week", "E-mails to one person in a week"),
    ("prompts_per_person_per_day", "In-app prompts to one person in a day"),
    ("prompts_per_person_per_week", "In-app prompts to one person in a week"),
    ("longest_deferral_days", "Days that a message waits at most"),
)
TOPICS = (*(motion.value for motion in Motion), MARKETING)
SPARE_WINDOWS = 1
MOST_WINDOWS = 14


class ContactPolicyController(Controller):
    """Read by everyone who sees customers; changed by those who may edit policies."""

    path = "/contact-policy"
    dependencies = DESK
    include_in_schema = False

    @get("/", opt=needs(Permission.READ_CUSTOMERS))
    async def show(self, desk: NamedDependency[Desk]) -> Template:
        """Show the policy in words, and as a form where it may be changed."""
        async with desk.reading() as session:
            policy = await load_contact_policy(session)
        return _page(desk, policy, _written(policy))

    @post("/preview", opt=needs(Permission.EDIT_POLICIES), status_code=HTTP_200_OK)
    async def preview(self, desk: NamedDependency[Desk]) -> Template:
        """Say what the form would change, without changing it."""
        form = dict(await desk.request.form())
        async with desk.reading() as session:
            policy = await load_contact_policy(session)
        try:
            wanted = read_form(form)
        except InvalidInputError as error:
            return _refused(desk, policy, form, error)
        return _page(desk, policy, _written(wanted), changes=say_change(policy, wanted))

    @post("/", opt=needs(Permission.EDIT_POLICIES))
    async def save(self, desk: NamedDependency[Desk]) -> Response[Any]:
        """Put what the form says in force, or show it again with what is wrong."""
        form = dict(await desk.request.form())
        try:
            wanted = ContactPolicy() if form.get("reset") else read_form(form)
        except InvalidInputError as error:
            async with desk.reading() as session:
                policy = await load_contact_policy(session)
            return _refused(desk, policy, form, error)
        async with desk.database.transaction() as session:
            await save_contact_policy(session, wanted, desk.user.id, desk.now)
            await announce_change(session)
        return desk.go("/contact-policy?said=Saved.+Every+message+is+asked+by+it+from+now+on.")


def read_form(form: Mapping[str, Any]) -> ContactPolicy:
    """Return the policy that the form describes; raises InvalidInputError naming the field."""
    silence = {tier.value: _cell(form, f"silence-{tier.value}") for tier in TouchTier}
    topics = {topic: _cell(form, f"topic-{topic}") for topic in TOPICS}
    return read_contact_policy(
        {
            **{name: _cell(form, name) for name, _ in NUMBERS},
            "longest_silence_days": silence,
            "topics_per_week": {topic: most for topic, most in topics.items() if most},
            "hours": [_window(form, place) for place in range(MOST_WINDOWS) if _is_used(form, place)],
            "public_holidays": bool(form.get("public_holidays")),
            "days_off": [day for day in re.split(r"[\s,;]+", _cell(form, "days_off")) if day],
        }
    )


def _cell(form: Mapping[str, Any], name: str) -> str:
    return str(form.get(name) or "").strip()


def _is_used(form: Mapping[str, Any], place: int) -> bool:
    return bool(_cell(form, f"from-{place}") or _cell(form, f"to-{place}"))


def _window(form: Mapping[str, Any], place: int) -> dict[str, Any]:
    days = [day for day in WEEKDAYS if form.get(f"{day}-{place}")]
    return {"weekdays": days, "from": _cell(form, f"from-{place}"), "to": _cell(form, f"to-{place}")}


def _written(policy: ContactPolicy) -> dict[str, str]:
    """Return the policy as the form's cells."""
    cells = {name: str(getattr(policy, name)) for name, _ in NUMBERS}
    cells |= {f"silence-{tier.value}": str(days) for tier, days in policy.longest_silence_days.items()}
    cells |= {f"topic-{topic}": str(most) for topic, most in policy.topics_per_week.items()}
    for place, window in enumerate(policy.hours):
        cells |= {f"{day}-{place}": "1" for day in window.weekdays}
        cells |= {f"from-{place}": window.opens, f"to-{place}": window.closes}
    cells["public_holidays"] = "1" if policy.public_holidays else ""
    cells["days_off"] = "\n".join(day.isoformat() for day in sorted(policy.days_off))
    return cells


def _page(
    desk: Desk,
    policy: ContactPolicy,
    written: Mapping[str, Any],
    *,
    problem: str = "",
    changes: tuple[tuple[str, str], ...] | None = None,
) -> Template:
    used = sum(_is_used(written, place) for place in range(MOST_WINDOWS))
    return desk.page(
        "contact_policy.html",
        said=tuple(say_policy(policy).values()),
        written=written,
        numbers=NUMBERS,
        topics=TOPICS,
        tiers=TouchTier,
        weekdays=NAMES,
        places=range(min(MOST_WINDOWS, used + SPARE_WINDOWS)),
        is_default=policy == ContactPolicy(),
        changes=changes,
        problem=problem,
        flash=text(desk.query, "said", 200),
    )


def _refused(
    desk: Desk, policy: ContactPolicy, form: Mapping[str, Any], error: InvalidInputError
) -> Template:
    """Show the form again with what is wrong, under the status that says so."""
    page = _page(desk, policy, form, problem=str(error))
    page.status_code = HTTP_422_UNPROCESSABLE_ENTITY
    return page
