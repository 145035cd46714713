import datetime as dt
import uuid
from typing import Any

from activities.dunning_deeds import Charge, collecting
from domain.billing import PaymentResult, Retries
from domain.time import BusinessInstant, WallInstant
from domain.timeline import Segment, Timeline
from domain.vocabulary import EffectState
from models.case_steps import CaseVisit
from models.clock import StoredClock, wall_now
from models.dunnings import DunnedInvoice
from models.effects import Effect
from tests.support.billing import Charged, MemoryBilling

BEGAN = BusinessInstant(dt.datetime(2027, 3, 1, 8, tzinfo=dt.UTC))
SIX_HOURS = dt.timedelta(hours=6).total_seconds()


async def test_a_charge_in_doubt_is_looked_up_from_its_claim_on_in_business_time() -> None:
    claimed = WallInstant(wall_now() - dt.timedelta(seconds=20))
    clock = StoredClock(Timeline((Segment(claimed, BEGAN, rate=SIX_HOURS),)))
    at = BusinessInstant(BEGAN + dt.timedelta(hours=1))
    provider = MemoryBilling(clock.now)
    done = PaymentResult(succeeded=True, key="py_1", amount_minor=100, at=at)
    provider.charges.append(Charged("d1", "in_1", "card_1", at, done))
    invoice = DunnedInvoice(uuid.uuid4(), "in_1", "stripe", "R-1", BEGAN, Retries.EVERSTAY)
    case: Any = None  # not read to look a charge up
    charge = Charge(CaseVisit(uuid.uuid4(), "charge"), case, invoice, None, provider, clock)
    effect = Effect("key", "d1", "digest", EffectState.CLAIMED, 1, None, claimed, None, claimed)
    assert await collecting(charge).look_up(effect) == done
