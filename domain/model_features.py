"""What a learned model reads of a customer: one list, each column with its family, its sign and its words.

A column is a pure function of `CustomerFeatures`, so that training (an instant of the past, everyone) and
scoring (now, one customer) cannot differ.
"""

import math
import re
from collections.abc import Mapping, Sequence

from domain.features import CustomerFeatures
from domain.model_column import Column, mrr, ratio
from domain.model_columns_contract import COMMERCIAL_COLUMNS, OUTCOMES_COLUMNS
from domain.model_columns_people import RELATIONSHIP_COLUMNS, SENTIMENT_COLUMNS, SUPPORT_COLUMNS
from domain.model_columns_use import ADOPTION_COLUMNS, USAGE_COLUMNS
from domain.vocabulary import HealthComponent
from domain.wording import count, number

OWN_MEASURES = ("quantity_28", "quantity_91", "value_91", "price", "per_user")
OWN = re.compile(rf"own\.(?P<feature>.+)\.(?P<measure>{'|'.join(OWN_MEASURES)})")
"""The name of a column about one feature of the tenant's own product."""
COLUMNS: tuple[Column, ...] = (
    *USAGE_COLUMNS,
    *ADOPTION_COLUMNS,
    *SUPPORT_COLUMNS,
    *SENTIMENT_COLUMNS,
    *RELATIONSHIP_COLUMNS,
    *COMMERCIAL_COLUMNS,
    *OUTCOMES_COLUMNS,
)
BY_NAME: Mapping[str, Column] = {one.name: one for one in COLUMNS}


def own_names(features: Sequence[str]) -> tuple[str, ...]:
    """Return the columns about features of the tenant's own product, by the names of those features."""
    return tuple(f"own.{feature}.{measure}" for feature in features for measure in OWN_MEASURES)


def column_named(name: str) -> Column:
    """Return a column of the catalogue or about a feature of the product; KeyError for any other name."""
    found = OWN.fullmatch(name)
    return _own(found["feature"], found["measure"]) if found else BY_NAME[name]


def is_column(name: str) -> bool:
    """Tell whether a column exists: another release's models may know others."""
    return name in BY_NAME or OWN.fullmatch(name) is not None


def _own(feature: str, measure: str) -> Column:
    words = feature.replace("_", " ")

    def read(f: CustomerFeatures) -> float | None:
        if f.usage.first_on is None:
            return None
        use = f.usage.by_feature.get(feature)
        if measure == "price":
            return ratio(use.quantity_91 if use else 0.0, mrr(f))
        if measure == "per_user":
            return ratio(use.quantity_91 if use else 0.0, f.usage.users_28)
        return float(getattr(use, measure)) if use else 0.0

    def say(f: CustomerFeatures) -> str:
        use = f.usage.by_feature.get(feature)
        if use is None:
            return f"{words} was not used in a quarter"
        if measure == "per_user" and f.usage.users_28:
            each = number(use.quantity_91 / f.usage.users_28)
            return f"{words}: {each} times in 91 days for each person of a usual day"
        return f"{words}: {count(use.quantity_28, 'time')} in 28 days, {number(use.quantity_91)} in 91"

    return Column(f"own.{feature}.{measure}", HealthComponent.ADOPTION, "usage", measure, 0, read, say)


def vector(features: CustomerFeatures, columns: Sequence[Column]) -> list[float]:
    """Return one row of a model's matrix; what nobody tells is looked up once for all columns."""
    told = {kind for kind, one in features.freshness.items() if one.is_usable}
    return [column.reading(features) if column.needs in told else math.nan for column in columns]
