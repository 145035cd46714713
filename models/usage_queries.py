"""The SQL of usage features: set-wise for many customers, as of an instant.

Each statement takes `ids`, `as_of` and `today` (the business day of as_of). Usage is counted in complete
days, so that a day that has only begun is no fall; today counts only as a sign of life.
"""

WEEKS = 13
"""Weeks of usage that are looked at: the current one and a quarter before it."""

_WEEK_SUMS = ", ".join(f"COALESCE(sum(quantity) FILTER (WHERE week = {week}), 0)" for week in range(WEEKS))

_NO_GAUGE = "feature NOT IN (SELECT feature FROM metrics WHERE kind = 'gauge')"
"""What a gauge reads (seats in use, storage) is no use of the product and no sign of life."""
_FROM_ROLLUP = f"(SELECT * FROM usage_daily WHERE {_NO_GAUGE})"  # noqa: S608 - constants only
_READ_ROLLUP = """
    SELECT last_value AS value FROM usage_daily
    WHERE customer_id = customers.id AND feature = plan_limits.metric AND day <= :today
      AND last_value IS NOT NULL
    ORDER BY day DESC"""
_READ_EVENTS = """
    SELECT COALESCE(value, quantity) AS value FROM usage_events
    WHERE customer_id = customers.id AND feature = plan_limits.metric AND known_at <= :as_of
      AND occurred_at <= :as_of AND feature IN (SELECT feature FROM metrics WHERE kind = 'gauge')
    ORDER BY occurred_at DESC"""
_FROM_EVENTS = f"""(
    SELECT customer_id, CAST(occurred_at AT TIME ZONE 'UTC' AS date) AS day, feature,
           sum(quantity) AS quantity, max(users) AS users, sum(value) AS value
    FROM usage_events
    WHERE customer_id = ANY(CAST(:ids AS uuid[])) AND known_at <= :as_of AND occurred_at <= :as_of
      AND {_NO_GAUGE}
    GROUP BY 1, 2, 3)"""  # noqa: S608 - constants only

_SPAN_BY_INDEX = """
    SELECT c.id AS customer_id, newest.day AS last_on, oldest.day AS first_on
    FROM unnest(CAST(:ids AS uuid[])) AS c(id)
    JOIN LATERAL (SELECT day FROM known WHERE customer_id = c.id AND day <= :today
                  ORDER BY day DESC LIMIT 1) newest ON true
    JOIN LATERAL (SELECT day FROM known WHERE customer_id = c.id ORDER BY day LIMIT 1) oldest ON true"""
_RECENT_BY_INDEX = """
    CROSS JOIN LATERAL (SELECT day, feature, quantity, users, value FROM known
                        WHERE customer_id = span.customer_id
                          AND day BETWEEN LEAST(:today - 91, span.last_on - 55) AND :today
                        OFFSET 0) AS recent"""
_SPAN_AT_ONCE = """
    SELECT customer_id, max(day) FILTER (WHERE day <= :today) AS last_on, min(day) AS first_on
    FROM known GROUP BY customer_id HAVING min(day) <= :today"""
_RECENT_AT_ONCE = """
    JOIN known AS recent ON recent.customer_id = span.customer_id
        AND recent.day BETWEEN LEAST(:today - 91, span.last_on - 55) AND :today"""
"""Single events were added up just now and have no index: they are joined as a whole."""

_USAGE = """
WITH known AS {how} (SELECT * FROM {source} AS usage),
span AS MATERIALIZED ({span}),
used AS MATERIALIZED (
    SELECT span.customer_id, span.last_on, recent.day, recent.feature, recent.quantity, recent.users,
           recent.value,
           CASE WHEN recent.day < :today THEN (:today - 1 - recent.day) / 7 END AS week
    FROM span {recent}
),
days AS (
    SELECT customer_id, day, week, last_on, sum(quantity) AS quantity, max(users) AS users
    FROM used GROUP BY customer_id, day, week, last_on
),
totals AS (
    SELECT customer_id, ARRAY[{week_sums}] AS weeks,
           count(*) FILTER (WHERE week = 0) AS active_days_7,
           count(*) FILTER (WHERE week < 4) AS active_days_28,
           count(*) FILTER (WHERE week < 13) AS active_days_91,
           count(*) FILTER (WHERE day > last_on - 56) AS active_days_56,
           avg(users) FILTER (WHERE week < 4) AS users_28,
           avg(users) FILTER (WHERE week BETWEEN 4 AND 11) AS users_before,
           max(users) FILTER (WHERE week < 4) AS users_peak_28
    FROM days GROUP BY customer_id
),
per_week AS (
    SELECT customer_id, feature, week, max(day) AS last_day, sum(quantity) AS quantity,
           COALESCE(sum(quantity) FILTER (WHERE day > :today - 31), 0) AS quantity_30,
           sum(value) AS value
    FROM used GROUP BY customer_id, feature, week
),
per_feature AS (
    SELECT customer_id, feature,
           bool_or(week < 4) AS is_used, bool_or(week BETWEEN 4 AND 7) AS was_used,
           bool_or(week = 0 OR week IS NULL) AS is_used_now,
           max(last_day) AS last_day,
           count(*) FILTER (WHERE week BETWEEN 2 AND 9) AS weeks_used,
           sum(quantity) FILTER (WHERE week BETWEEN 2 AND 9) AS quantity,
           sum(quantity_30) AS quantity_30,
           COALESCE(sum(quantity) FILTER (WHERE week < 4), 0) AS quantity_28,
           sum(quantity) FILTER (WHERE week < 13) AS quantity_91,
           COALESCE(sum(value) FILTER (WHERE week < 13), 0) AS value_91
    FROM per_week GROUP BY customer_id, feature
),
shares AS (
    SELECT *, sum(quantity) OVER (PARTITION BY customer_id) AS whole FROM per_feature
),
features AS (
    SELECT customer_id,
           count(*) FILTER (WHERE is_used) AS features_28,
           count(*) FILTER (WHERE was_used) AS features_before,
           array_agg(feature ORDER BY feature) FILTER (WHERE is_used_now) AS used_7,
           array_agg(feature ORDER BY feature) FILTER (WHERE last_day > :today - 92) AS used_91,
           array_agg(feature ORDER BY feature) FILTER (WHERE quantity_91 IS NOT NULL) AS known_91,
           array_agg(quantity_28 ORDER BY feature) FILTER (WHERE quantity_91 IS NOT NULL) AS quantities_28,
           array_agg(quantity_91 ORDER BY feature) FILTER (WHERE quantity_91 IS NOT NULL) AS quantities_91,
           array_agg(value_91 ORDER BY feature) FILTER (WHERE quantity_91 IS NOT NULL) AS values_91,
           array_agg(feature ORDER BY quantity DESC, feature) FILTER (
               WHERE weeks_used >= 4 AND quantity >= 0.1 * whole AND last_day < :today - 14) AS dropped
    FROM shares GROUP BY customer_id
),
limits AS (
    SELECT DISTINCT ON (customers.id) customers.id AS customer_id, plan_limits.metric,
           COALESCE(gauge.value, per_feature.quantity_30) / plan_limits.ceiling AS share,
           avg(LEAST(COALESCE(gauge.value, per_feature.quantity_30) / plan_limits.ceiling, 1))
               OVER (PARTITION BY customers.id) AS used
    FROM customers
    JOIN plan_limits ON plan_limits.plan = customers.plan AND plan_limits.known_at <= :as_of
        AND COALESCE(plan_limits.customer_id, customers.id) = customers.id AND plan_limits.ceiling > 0
    LEFT JOIN per_feature
        ON per_feature.customer_id = customers.id AND per_feature.feature = plan_limits.metric
    LEFT JOIN LATERAL ({reading} LIMIT 1) AS gauge ON true
    WHERE customers.id = ANY(CAST(:ids AS uuid[])) AND COALESCE(gauge.value, per_feature.quantity_30) >= 0
    ORDER BY customers.id, share DESC NULLS LAST
)
SELECT span.customer_id, span.last_on, span.first_on, totals.weeks, totals.active_days_7,
       totals.active_days_28, totals.active_days_91, totals.active_days_56,
       totals.users_28, totals.users_before, totals.users_peak_28,
       features.features_28, features.features_before, features.used_7, features.used_91,
       features.dropped, features.known_91, features.quantities_28, features.quantities_91,
       features.values_91,
       limits.metric AS limit_metric, limits.share AS limit_share, limits.used AS limits_used
FROM span
JOIN totals USING (customer_id)
JOIN features USING (customer_id)
LEFT JOIN limits USING (customer_id)
"""

USAGE_NOW = _USAGE.format(
    how="NOT MATERIALIZED",
    source=_FROM_ROLLUP,
    span=_SPAN_BY_INDEX,
    recent=_RECENT_BY_INDEX,
    reading=_READ_ROLLUP,
    week_sums=_WEEK_SUMS,
)
"""From the daily rollup: what is stored is known."""

USAGE_AS_KNOWN = _USAGE.format(
    how="MATERIALIZED",
    source=_FROM_EVENTS,
    span=_SPAN_AT_ONCE,
    recent=_RECENT_AT_ONCE,
    reading=_READ_EVENTS,
    week_sums=_WEEK_SUMS,
)
"""From single events: for a past instant, what became known later is left out."""
