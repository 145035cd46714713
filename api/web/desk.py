"""What every page handler works with: who looks, when it is, and how a page is made of a template."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from litestar import Request
from litestar.datastructures import State
from litestar.di import NamedDependency, Provide
from litestar.response import Redirect, Response, Template
from litestar.status_codes import HTTP_303_SEE_OTHER

from api.callers import Caller
from api.web import charts, words
from api.web.query import Query
from api.web.tones import tone
from api.web.words import Say, zone_of
from domain.permissions import Permission
from models.clock import StoredClock
from models.database import Database, Session
from models.users import User
from models.views.chrome import Chrome, load_chrome
from settings import Settings

THEME_COOKIE = "everstay_theme"
DAY_SECONDS = 86_400
CASE_PLACES = ("/win-back", "/offers", "/cases")

PageRequest = Request[Caller, None, State]


@dataclass(frozen=True)
class NavItem:
    """One entry of the navigation."""

    name: str
    href: str
    needs: Permission
    count: int = 0
    outside: bool = False
    others: tuple[str, ...] = ()
    """Places beside its own that belong to it."""

    def holds(self, path: str) -> bool:
        """Tell whether a page is one of this entry's."""
        return path == self.href or any(
            path.startswith(place) for place in (self.href, *self.others) if place != "/"
        )


class Desk:
    """One person's request for a page. `now` stands still while the page is made."""

    def __init__(self, request: PageRequest, user: User, settings: Settings, database: Database) -> None:
        """Take what pages need, and read business time once."""
        clock: StoredClock = request.app.state.clock
        self.request, self.user, self.settings, self.database = request, user, settings, database
        self.clock, self.now, self.wall = clock, clock.now(), clock.wall_now()
        self.say = Say(self.now, zone_of(user.time_zone))
        self.chrome: Chrome | None = None

    @property
    def query(self) -> Query:
        """The address's query: the state of a list."""
        return self.request.query_params

    def may(self, permission: Permission) -> bool:
        """Whether this person holds the permission."""
        return self.request.user.may(permission)

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Session]:
        """One transaction for the page, with the frame's figures read first."""
        async with self.database.transaction() as session:
            self.chrome = await load_chrome(session, self.user.id, self.now)
            yield session

    def page(self, template: str, **context: object) -> Template:
        """Return the page; templates also get the desk, the words and the charts."""
        shared: dict[str, object] = {
            "desk": self,
            "say": self.say,
            "words": words,
            "charts": charts,
            "Permission": Permission,
            "words_tone": tone,
            "theme": self.request.cookies.get(THEME_COOKIE, ""),
        }
        return Template(template, context={**shared, **context})

    def go(self, place: str) -> Response[None]:
        """Send the browser on after a form, so that a reload repeats nothing."""
        return Redirect(place, status_code=HTTP_303_SEE_OTHER)

    @property
    def path(self) -> str:
        """The address without its query."""
        return self.request.url.path

    @property
    def place(self) -> str:
        """The address with its query, to come back to."""
        return self.path + (f"?{self.request.url.query}" if self.request.url.query else "")

    def nav(self) -> Sequence[NavItem]:
        """Return the entries that this person may open."""
        chrome = self.chrome
        planned = chrome.planned if chrome else 0
        waiting = chrome.waiting_for_me if chrome else 0
        waiting += len(chrome.given_up) if chrome and self.may(Permission.EDIT_ENDPOINTS) else 0
        items = [
            NavItem("Portfolio", "/", Permission.READ_CUSTOMERS),
            NavItem("Tiers", "/tiers", Permission.READ_CUSTOMERS),
            NavItem("Inbox", "/inbox", Permission.READ_WORK, count=waiting),
            NavItem("Runs", "/runs", Permission.READ_RUNS),
            NavItem("Cases", "/dunning", Permission.READ_CUSTOMERS, others=CASE_PLACES),
            NavItem("Plan", "/plan", Permission.READ_RUNS, count=planned),
            NavItem("Monitor", "/monitor", Permission.READ_RUNS),
            NavItem("Decisions", "/decisions", Permission.READ_RUNS),
            NavItem("Playbooks", "/playbooks", Permission.READ_PLAYBOOKS),
            NavItem("Impact", "/impact", Permission.READ_IMPACT),
            NavItem("Signals", "/signals", Permission.READ_CUSTOMERS),
            NavItem("Data", "/data", Permission.READ_IMPORTS),
        ]
        if self.settings.mails_to_simulator:
            items.append(NavItem("Mailbox", self.mailbox, Permission.READ_CUSTOMERS, outside=True))
        return [item for item in items if self.may(item.needs)]

    @property
    def mailbox(self) -> str:
        """The local simulator's mailbox page, where nothing is sent for real."""
        return f"{self.settings.simulators_url}/mailbox"

    @property
    def pace(self) -> str:
        """How fast business time goes, in words."""
        rate = self.clock.rate
        if rate in {0.0, 1.0}:
            return "business time stands still" if rate == 0 else "business time"
        return f"business time, a day in {DAY_SECONDS / rate:.1f} s"

    def workflow_url(self, workflow_id: str) -> str | None:
        """Return a workflow's page in the Temporal UI, where one is known."""
        return workflow_url(self.settings, workflow_id)


def workflow_url(settings: Settings, workflow_id: str) -> str | None:
    """Return the address in the embedded server's web UI; elsewhere we do not know one."""
    if settings.profile != "embedded":
        return None
    quoted = workflow_id.replace("/", "%2F")
    return f"http://127.0.0.1:{settings.temporal_ui_port}/namespaces/{settings.temporal_namespace}/workflows/{quoted}"


def _desk(
    request: PageRequest,
    user: NamedDependency[User],
    settings: NamedDependency[Settings],
    database: NamedDependency[Database],
) -> Desk:
    return Desk(request, user, settings, database)


DESK = {"desk": Provide(_desk, sync_to_thread=False)}
"""Dependencies of every page controller."""
