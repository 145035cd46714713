"""What else a trained model foretells: that a term is renewed, and that revenue grows."""

from dataclasses import dataclass

from domain.features import CustomerFeatures


@dataclass(frozen=True, slots=True)
class Outlook:
    """Chances beside the risk; a missing one has its reason."""

    renewal_probability: float | None = None
    renewal_days: int | None = None
    """Days to the end of the term that the chance is about."""
    expansion_probability: float | None = None
    missing: tuple[str, ...] = ()
    """Why one is missing, as clauses."""

    @property
    def reason(self) -> str | None:
        """Return why something is missing, None where nothing is."""
        return "; ".join(self.missing) or None


NO_MODEL = Outlook(missing=("renewal and expansion are foretold once a trained model is in use",))


def chance_to_stay(probability: float, horizon: int, days: float) -> float:
    """Return the chance of still being there after so many days, at a hazard that stays what it is now.

    The probability of leaving within the horizon fixes a constant hazard, so that the chance falls with every
    day and never rises (a discrete-time survival curve with one hazard).
    """
    return float((1.0 - probability) ** (max(days, 0.0) / horizon))


def term_days(features: CustomerFeatures) -> int | None:
    """Return days to the end of the term: the renewal, else the end of the billing period."""
    commercial = features.commercial
    return commercial.renewal_days if commercial.renewal_days is not None else commercial.period_days


def outlook_of(features: CustomerFeatures, leaving: float, horizon: int, expansion: float | None) -> Outlook:
    """Return the outlook of a customer that leaves within the horizon with this probability."""
    days = term_days(features)
    missing = []
    if days is None:
        missing.append("no end of a term is known, so no renewal is foretold")
    if expansion is None:
        missing.append("no model of expansion is in use yet")
    renewal = None if days is None else chance_to_stay(leaving, horizon, days)
    return Outlook(renewal, days, expansion, tuple(missing))
