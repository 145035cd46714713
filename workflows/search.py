"""The search attributes of this installation: few, since a SQL visibility store has few columns."""

from temporalio.common import SearchAttributeKey

CUSTOMER_ID = SearchAttributeKey.for_keyword("CustomerId")
PHASE = SearchAttributeKey.for_keyword("Phase")
RISK_TIER = SearchAttributeKey.for_keyword("RiskTier")
MOTION = SearchAttributeKey.for_keyword("Motion")
