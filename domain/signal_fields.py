"""What a signal of the tenant's own may speak of, and what each of it is by a customer's facts."""

from collections.abc import Mapping

from domain.features import CustomerFeatures
from domain.field_shape import Field, FieldValue, Place
from domain.fields import FIELDS, fields_known_in
from domain.fields_measured import MEASURED
from domain.signal_readings import Whole

SIGNAL_FIELDS: Mapping[str, Field] = fields_known_in(Place.SIGNAL)


def values_of(features: CustomerFeatures, whole: Whole | None) -> dict[str, FieldValue]:
    """Return what every field is for one customer."""
    values = {name: field.read(features) for name, field in SIGNAL_FIELDS.items() if field.read}
    if whole is not None:
        values["health_score"], values["health_status"] = whole.score, whole.status.value
        values["churn_risk_score"] = whole.risk_score
        values["churn_risk_tier"] = whole.risk_tier.value if whole.risk_tier else None
    return values


def measured_values(features: CustomerFeatures) -> dict[str, FieldValue]:
    """Return the measured fields; what rests on facts that nobody tells now is empty, whatever it reads."""
    told = {None, *(kind for kind, one in features.freshness.items() if one.is_usable)}
    return {
        name: field.read(features) if field.read and field.needs in told else None
        for name, field in MEASURED.items()
    }


def needs_of(fields: frozenset[str]) -> tuple[str, ...]:
    """Return the kinds of fact that these fields rest on."""
    found = {need for name in fields if name in FIELDS and (need := FIELDS[name].needs)}
    return tuple(sorted(found))
