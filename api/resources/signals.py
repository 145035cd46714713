"""`/api/signals`: the catalogue, previews, lift, and what is held back."""

import uuid

from litestar import Controller, delete, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from litestar.status_codes import HTTP_200_OK

from api.guards import needs
from api.resources.pages import ApiRequest, write_once
from api.resources.signal_shapes import (
    ConditionField,
    Detector,
    FiredCounts,
    HeldAlert,
    LiftMeasured,
    SignalPreview,
    Told,
    WantedPreview,
    detector_of,
    lift_of,
)
from domain.errors import NotFoundError
from domain.permissions import Permission
from domain.scoring_policy import SignalPolicy
from domain.signal_fields import SIGNAL_FIELDS
from models.clock import StoredClock
from models.database import Database, Session
from models.mass_alerts import list_mass_alerts, release_mass_alert
from models.own_signals import load_own_signals
from models.scores import load_policy
from models.signal_catalogue import load_catalogue, load_line, tune_signal, tuned
from models.signal_lift import measure_lift, read_lift
from models.signal_replay import preview

TYPES = {int: "number", float: "number", str: "text", bool: "boolean"}


class SignalController(Controller):
    """What is watched at every customer."""

    path = "/signals"
    opt = needs(Permission.READ_CUSTOMERS)
    tags = ["Signals"]  # noqa: RUF012  as Litestar declares it

    @get("/catalogue")
    async def catalogue(self, database: NamedDependency[Database]) -> list[Detector]:
        """List every detector."""
        async with database.transaction() as session:
            measured = await read_lift(session)
            return [detector_of(line, measured) for line in await load_catalogue(session)]

    @get("/catalogue/{kind:str}")
    async def show(self, kind: FromPath[str], database: NamedDependency[Database]) -> Detector:
        """Return one detector."""
        async with database.transaction() as session:
            return detector_of(await load_line(session, kind), await read_lift(session))

    @put("/catalogue/{kind:str}", opt=needs(Permission.EDIT_POLICIES))
    async def tune(
        self,
        request: ApiRequest,
        kind: FromPath[str],
        data: JSONBody[SignalPolicy],
        database: NamedDependency[Database],
        clock: NamedDependency[StoredClock],
    ) -> Detector:
        """Switch a detector on or off, and set its thresholds; segments left out keep their default."""
        return await _tune(request, kind, data, database, clock)

    @delete("/catalogue/{kind:str}", opt=needs(Permission.EDIT_POLICIES), status_code=HTTP_200_OK)
    async def reset(
        self,
        request: ApiRequest,
        kind: FromPath[str],
        database: NamedDependency[Database],
        clock: NamedDependency[StoredClock],
    ) -> Detector:
        """Go back to the detector's own thresholds."""
        return await _tune(request, kind, None, database, clock)

    @post("/preview", opt=needs(Permission.EDIT_POLICIES), status_code=HTTP_200_OK)
    async def preview(
        self,
        data: JSONBody[WantedPreview],
        database: NamedDependency[Database],
        clock: NamedDependency[StoredClock],
    ) -> SignalPreview:
        """Count what would have fired in the last 90 days, on a sample; takes some seconds."""
        async with database.transaction() as session:
            policy = await load_policy(session)
            if data.kind is not None:
                policy = tuned(policy, data.kind, data.policy)
            own = await load_own_signals(session) if data.own is None else (data.own.read(),)
            seen = await preview(session, policy, own, clock.now())
        fired = {name: FiredCounts(**vars(one)) for name, one in sorted(seen.fired.items())}
        return SignalPreview(**(vars(seen) | {"fired": fired}))

    @get("/lift")
    async def lift(self, database: NamedDependency[Database]) -> LiftMeasured:
        """Return the newest measurement of who left after which signal; there is none before the first."""
        async with database.transaction() as session:
            measured = await read_lift(session)
        if measured is None:
            raise NotFoundError(what="measurement", key="lift")
        return lift_of(measured)

    @post("/lift", opt=needs(Permission.EDIT_POLICIES), status_code=HTTP_200_OK)
    async def measure(
        self, database: NamedDependency[Database], clock: NamedDependency[StoredClock]
    ) -> LiftMeasured:
        """Measure anew, on a sample of the last half year."""
        async with database.transaction() as session:
            policy, own = await load_policy(session), await load_own_signals(session)
            return lift_of(await measure_lift(session, policy, own, clock.now()))

    @get("/fields", sync_to_thread=False)
    def fields(self) -> list[ConditionField]:
        """List the fields that a condition may speak of."""
        return [
            ConditionField(name=name, type=TYPES[field.type], meaning=field.meaning, rests_on=field.needs)
            for name, field in SIGNAL_FIELDS.items()
        ]

    @get("/mass-alerts")
    async def held(self, database: NamedDependency[Database]) -> list[HeldAlert]:
        """List what is held back now."""
        async with database.transaction() as session:
            return [HeldAlert(**vars(alert)) for alert in await list_mass_alerts(session)]

    @post(
        "/mass-alerts/{alert_id:uuid}/release",
        opt=needs(Permission.EDIT_POLICIES),
        status_code=HTTP_200_OK,
    )
    async def release(
        self,
        request: ApiRequest,
        alert_id: FromPath[uuid.UUID],
        database: NamedDependency[Database],
        clock: NamedDependency[StoredClock],
    ) -> Told:
        """Tell what was held back and still holds."""

        async def write(session: Session) -> Told:
            now, wall = clock.now(), clock.wall_now()
            told = await release_mass_alert(session, alert_id, now, wall, user_id=request.user.user_id)
            return Told(signals=told)

        return await write_once(request, database, clock, Told, write)


async def _tune(
    request: ApiRequest,
    kind: str,
    policy: SignalPolicy | None,
    database: Database,
    clock: StoredClock,
) -> Detector:
    async def write(session: Session) -> Detector:
        spec = (await load_line(session, kind)).spec
        await tune_signal(session, spec.kind, policy, request.user.user_id, clock.now())
        return detector_of(await load_line(session, kind), await read_lift(session))

    return await write_once(request, database, clock, Detector, write)
