"""Which part of health a signal speaks of: playbooks are chosen by family."""

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
}


def family_of(kind: SignalKind) -> HealthComponent:
    """Return the family of a signal."""
    return FAMILIES[kind]
