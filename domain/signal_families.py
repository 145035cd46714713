"""Which part of health a signal speaks of: playbooks are chosen by family."""

from collections.abc import Collection

from domain.vocabulary import HealthComponent, SignalKind

FAMILIES: dict[SignalKind, HealthComponent] = {
    SignalKind.USAGE_DROP: HealthComponent.USAGE,
    SignalKind.LOGIN_SILENCE: HealthComponent.USAGE,
    SignalKind.USAGE_SURGE: HealthComponent.USAGE,
    SignalKind.FEATURE_DROP_OFF: HealthComponent.ADOPTION,
    SignalKind.ONBOARDING_STALL: HealthComponent.ADOPTION,
    SignalKind.BREADTH_GROWTH: HealthComponent.ADOPTION,
    SignalKind.TICKET_OVERDUE: HealthComponent.SUPPORT,
    SignalKind.SUPPORT_SURGE: HealthComponent.SUPPORT,
    SignalKind.SENTIMENT_DROP: HealthComponent.SENTIMENT,
    SignalKind.POOR_SURVEY: HealthComponent.SENTIMENT,
    SignalKind.CHAMPION_LEFT: HealthComponent.RELATIONSHIP,
    SignalKind.EXECUTIVE_SILENCE: HealthComponent.RELATIONSHIP,
    SignalKind.QBR_MISSED: HealthComponent.RELATIONSHIP,
    SignalKind.NO_CONTACT: HealthComponent.RELATIONSHIP,
    SignalKind.LIMIT_PROXIMITY: HealthComponent.COMMERCIAL,
    SignalKind.CONTRACT_STAGNATION: HealthComponent.COMMERCIAL,
    SignalKind.INVOICE_PAST_DUE: HealthComponent.COMMERCIAL,
    SignalKind.PAYMENT_FAILING: HealthComponent.COMMERCIAL,
    SignalKind.SLA_BREACH: HealthComponent.SUPPORT,
    SignalKind.TICKET_UNRESOLVED: HealthComponent.SUPPORT,
    SignalKind.ADOPTION_LAG: HealthComponent.ADOPTION,
    SignalKind.UPSELL_POTENTIAL_LOW: HealthComponent.COMMERCIAL,
    SignalKind.EXPANSION_BLOCKER: HealthComponent.COMMERCIAL,
}
"""Those that are missing speak of the customer as a whole, or of whatever the tenant declared."""
OF_EVERY_FAMILY = frozenset({SignalKind.COMPOUND_RISK})
"""Made of several parts of health: it is a cause of any run that is opened for one of them."""
NO_CAUSE = frozenset(
    {
        SignalKind.SLA_BREACH,
        SignalKind.ADOPTION_LAG,
        SignalKind.UPSELL_POTENTIAL_LOW,
        SignalKind.EXPANSION_BLOCKER,
        SignalKind.PAYMENT_FAILING,
    }
)
"""What no run could reverse, what is about growth, or what a case of its own looks after.

A run that waited for their end would not end.
"""


def speaks_of(kind: SignalKind, families: Collection[HealthComponent]) -> bool:
    """Tell whether a signal is a cause of what is wrong with one of these parts of health."""
    if kind in NO_CAUSE:
        return False
    return kind in OF_EVERY_FAMILY or FAMILIES.get(kind) in families
