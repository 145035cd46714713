"""The catalogue of signals: what each detector looks at, from where on, and what it rests on."""

from domain.signal_readings import SignalSpec, by_size, same_for_all
from domain.signals_commercial import contract_stagnation, invoice_past_due, payment_failing
from domain.signals_growth import adoption_lag, expansion_blocker, upsell_potential_low
from domain.signals_people import (
    champion_left,
    executive_silence,
    poor_survey,
    qbr_missed,
    sentiment_drop,
    support_surge,
    ticket_overdue,
)
from domain.signals_support import sla_breach, ticket_unresolved
from domain.signals_usage import (
    breadth_growth,
    feature_drop_off,
    limit_proximity,
    login_silence,
    onboarding_stall,
    usage_drop,
    usage_surge,
)
from domain.signals_whole import compound_risk, health_drop
from domain.vocabulary import SignalKind

K = SignalKind
CATALOGUE: tuple[SignalSpec, ...] = (
    SignalSpec(K.USAGE_DROP, ("usage",), "last week over the usual one, below the usual range", "ratio",
               by_size((0.5, 0.8, 0.25), (0.6, 0.85, 0.3), (0.65, 0.85, 0.35)), usage_drop,
               is_return=True, fresh_days=8),
    SignalSpec(K.LOGIN_SILENCE, ("usage",), "days without use, at least three usual gaps", "days",
               by_size((14, 3, 28), (10, 3, 21), (7, 3, 14)), login_silence, is_return=True, fresh_days=14),
    SignalSpec(K.FEATURE_DROP_OFF, ("usage",), "a mainstay untouched for a fortnight", "features",
               same_for_all(1, 0, 2), feature_drop_off, is_return=True, fresh_days=15),
    SignalSpec(K.ONBOARDING_STALL, ("onboarding",), "days since the start, not onboarded", "days",
               by_size((30, 0, 60), (45, 0, 75), (60, 0, 90)), onboarding_stall),
    SignalSpec(K.TICKET_OVERDUE, ("ticket",), "open tickets past a service deadline", "tickets",
               same_for_all(1, 0, 3), ticket_overdue),
    SignalSpec(K.SUPPORT_SURGE, ("ticket",), "tickets of 30 days over the usual number", "ratio",
               same_for_all(2.5, 1.5, 4), support_surge),
    SignalSpec(K.SENTIMENT_DROP, ("ticket",), "change of tone in tickets (-1 to 1)", "points",
               same_for_all(-0.4, -0.15, -0.8), sentiment_drop),
    SignalSpec(K.POOR_SURVEY, ("survey",), "latest answer on the NPS scale (CSAT by thirds)", "points",
               same_for_all(6, 7, 3), poor_survey),
    SignalSpec(K.CHAMPION_LEFT, ("contact",), "a champion left and none is there", "people",
               same_for_all(1, 0, 1), champion_left),
    SignalSpec(K.EXECUTIVE_SILENCE, ("touchpoint",), "days since an executive sponsor was reached", "days",
               by_size((180, 30, 270), (120, 30, 240), (90, 30, 180)), executive_silence),
    SignalSpec(K.QBR_MISSED, ("meeting",), "business reviews missed in 180 days", "reviews",
               same_for_all(1, 0, 2), qbr_missed),
    SignalSpec(K.LIMIT_PROXIMITY, ("usage",), "use over the plan's nearest ceiling", "share",
               same_for_all(0.9, 0.8, 1.0), limit_proximity),
    SignalSpec(K.USAGE_SURGE, ("usage",), "last week over the usual one, above every usual week", "ratio",
               same_for_all(1.6, 1.2, 2.5), usage_surge, fresh_days=8),
    SignalSpec(K.BREADTH_GROWTH, ("usage",), "features in use beyond the month before", "features",
               same_for_all(3, 0, 6), breadth_growth, fresh_days=28),
    SignalSpec(K.CONTRACT_STAGNATION, ("subscription", "usage"), "days unchanged while use grows", "days",
               same_for_all(365, 30, 730), contract_stagnation, fresh_days=28),
    SignalSpec(K.INVOICE_PAST_DUE, ("invoice",), "days that the oldest invoice is past due", "days",
               by_size((1, 0, 15), (1, 0, 21), (5, 0, 30)), invoice_past_due),
    SignalSpec(K.PAYMENT_FAILING, ("invoice",), "refused charges of one open invoice", "charges",
               same_for_all(2, 0, 4), payment_failing),
    SignalSpec(K.SLA_BREACH, ("ticket",), "service targets missed in 30 days, even if met late", "targets",
               same_for_all(1, 0, 3), sla_breach),
    SignalSpec(K.TICKET_UNRESOLVED, ("ticket",), "days that the oldest ticket is open, or one reopened",
               "days", same_for_all(14, 10, 30), ticket_unresolved),
    SignalSpec(K.ADOPTION_LAG, ("usage",), "features that 70 % of peers use and this customer does not",
               "features", same_for_all(2, 0, 4), adoption_lag, fresh_days=28),
    SignalSpec(K.UPSELL_POTENTIAL_LOW, ("subscription", "usage"), "seats in use over seats paid for",
               "share", same_for_all(0.3, 0.45, 0.1), upsell_potential_low, fresh_days=28),
    SignalSpec(K.EXPANSION_BLOCKER, ("usage",), "things in the way while use grows or nears a limit",
               "things", same_for_all(1, 0, 2), expansion_blocker, fresh_days=28),
    SignalSpec(K.HEALTH_DROP, (), "points of health lost since last month, into a worse status", "points",
               same_for_all(8, 3, 20), health_drop),
    SignalSpec(K.COMPOUND_RISK, (), "of declining usage, poor feedback, overdue ticket, no contact",
               "of four", same_for_all(3, 1, 4), compound_risk),
)  # fmt: skip
"""Everything but no_contact, which the customer's own workflow opens when its deadline passes.

The last one is made of others, so it looks last.
"""

RETURNS = frozenset(spec.kind for spec in CATALOGUE if spec.is_return)
QUIET = frozenset({K.UPSELL_POTENTIAL_LOW, K.EXPANSION_BLOCKER})
"""What is worth knowing and warns nobody: what blocks growth has a warning of its own already."""


def spec_for(kind: SignalKind) -> SignalSpec | None:
    """Return the catalogue's line of a kind; no_contact and own signals have none."""
    return next((spec for spec in CATALOGUE if spec.kind is kind), None)
