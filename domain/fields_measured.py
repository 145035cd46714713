"""Fields that are measured from facts at every scoring: usage, support, relations, money, goals."""

from collections.abc import Mapping

from domain.features import CustomerFeatures
from domain.field_shape import AsOf, Field, FieldValue, Read
from domain.risk_factors import month_ratio, revenue_change, seat_share, week_ratio


def _fresh_days(kind: str) -> Read:
    def read(f: CustomerFeatures) -> FieldValue:
        last = f.fresh(kind).last_on
        return None if last is None else (f.as_of.date() - last).days

    return read


def _measured(kind: type, unit: str | None, needs: str, read: Read, meaning: str) -> Field:
    return Field(kind, meaning, unit, needs=needs, as_of=AsOf.SCORING, read=read, in_signals=True)


def _moving(needs: str, read: Read, meaning: str) -> Field:
    """Return a number of days that goes on counting after the scoring."""
    return Field(int, meaning, "days", needs=needs, as_of=AsOf.NOW, read=read, in_signals=True)


_M = _measured
MEASURED: Mapping[str, Field] = {
    "is_onboarded": _M(bool, None, "onboarding", lambda f: f.is_onboarded, "onboarding is done"),
    "usage_week": _M(float, "uses", "usage", lambda f: f.usage.week, "uses in the last seven complete days"),
    "usage_baseline": _M(float, "uses", "usage", lambda f: f.usage.baseline,
                         "uses in a usual week (median of eight)"),
    "usage_ratio": _M(float, "ratio", "usage", week_ratio, "last week over the usual one: 0.5 is half"),
    "usage_month_ratio": _M(float, "ratio", "usage", month_ratio, "four weeks over the eight before them"),
    "active_days_7": _M(int, "days", "usage", lambda f: f.usage.active_days_7,
                        "days with use in the last seven"),
    "days_since_use": _moving("usage", lambda f: f.usage.days_since_last, "days since anybody used it"),
    "features_28": _M(int, "features", "usage", lambda f: f.usage.features_28, "features used in 28 days"),
    "limit_share": _M(float, "share", "usage", lambda f: f.usage.limit_share,
                      "use over the plan's nearest ceiling"),
    "seat_share": _M(float, "share", "subscription", seat_share, "seats in use over seats paid for"),
    "tickets_open": _M(int, "tickets", "ticket", lambda f: f.support.open, "open tickets"),
    "tickets_overdue": _M(int, "tickets", "ticket", lambda f: f.support.overdue,
                          "open tickets past a deadline"),
    "tickets_30": _M(int, "tickets", "ticket", lambda f: f.support.opened_30, "tickets opened in 30 days"),
    "tickets_escalated": _M(int, "tickets", "ticket", lambda f: f.support.escalated,
                            "tickets escalated lately"),
    "targets_missed_30": _M(int, "targets", "ticket", lambda f: f.support.breached_30,
                            "service targets missed in 30 days"),
    "ticket_tone": _M(float, "points", "ticket", lambda f: f.sentiment.tickets,
                      "mean tone of tickets of 30 days, -1 to 1"),
    "nps": _M(float, "points", "survey", lambda f: f.sentiment.nps, "latest NPS answer, 0 to 10"),
    "csat": _M(float, "points", "survey", lambda f: f.sentiment.csat, "latest CSAT answer, 1 to 5"),
    "days_since_touch": _moving("touchpoint", lambda f: f.relationship.touch_days,
                                "days since the last contact either way"),
    "days_since_inbound": _moving("touchpoint", lambda f: f.relationship.touch_in_days,
                                  "days since they wrote or spoke to us"),
    "days_since_executive": _moving("touchpoint", lambda f: f.relationship.executive_days,
                                    "days since an executive was reached"),
    "champions": _M(int, "people", "contact", lambda f: f.relationship.champions, "champions who are there"),
    "contacts": _M(int, "people", "contact", lambda f: f.relationship.contacts, "people who are there"),
    "meetings_90": _M(int, "meetings", "meeting", lambda f: f.relationship.meetings_90,
                      "meetings held in 90 days"),
    "mrr": _M(float, "money in whole units", "subscription", lambda f: f.commercial.mrr,
              "monthly recurring revenue in whole units"),
    "revenue_change": _M(float, "share", "subscription", revenue_change,
                         "change of recurring revenue in 90 days: -0.1 is a tenth less"),
    "seats": _M(int, "seats", "subscription", lambda f: f.commercial.seats, "seats paid for"),
    "past_due_days": _M(int, "days", "invoice", lambda f: f.commercial.past_due_days,
                        "days that the oldest invoice is past due"),
    "failed_payments": _M(int, "attempts", "invoice", lambda f: f.commercial.failed_attempts,
                          "failed attempts on what is owed"),
    "goals_overdue": _M(int, "goals", "goal", lambda f: f.outcomes.overdue, "goals past their date"),
    "goal_progress": _M(float, "share", "goal", lambda f: f.outcomes.progress,
                        "mean progress of goals, 0 to 1"),
    "days_since_ticket": _moving("ticket", _fresh_days("ticket"), "days since the newest ticket"),
    "days_since_survey": _moving("survey", _fresh_days("survey"), "days since the newest survey answer"),
}  # fmt: skip
"""What follows from the facts of `domain.features`; kept per customer as of the last scoring."""
