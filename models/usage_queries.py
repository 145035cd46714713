"""The SQL of usage features: set-wise for many customers, as of an instant.

Each statement takes `ids`, `as_of` and `today` (the business day of as_of). Usage is counted in complete
days, so that a day that has only begun is no fall; today counts only as a sign of life. Sums are of decimals,
so that they are equal to the bit whatever the order of adding, and floating point only when they are given.
"""

from models.usage_rollups import EXACT

WEEKS = 13
"""Weeks of usage that are looked at: the current one and a quarter before it."""

_WEEK_SUMS = ", ".join(f"COALESCE(sum(quantity) FILTER (WHERE week = {week}), 0)" for week in range(WEEKS))

_NO_GAUGE = "feature NOT IN (SELECT feature FROM metrics WHERE kind = 'gauge')"
"""What a gauge reads (seats in use, storage) is no use of the product and no sign of life."""
_READ_ROLLUP = """
    SELECT last_value AS value FROM usage_daily
    WHERE customer_id = customers.id AND feature = plan_limits.metric AND day <= :today
      AND last_value IS NOT NULL
    ORDER BY day DESC"""
_READ_EVENTS = """
    SELECT COALESCE(value, quantity) AS value FROM usage_events
    WHERE customer_id = customers.id AND feature = plan_limits.metric AND known_at <= :as_of
      AND occurred_at <= :as_of AND feature IN (SELECT feature FROM metrics WHERE kind = 'gauge')
    ORDER BY occurred_at DESC, COALESCE(value, quantity) DESC"""

_ROLLUP = f"""
known AS NOT MATERIALIZED (
    SELECT customer_id, day, feature, users, {EXACT["quantity"].format(table="usage_daily")} AS quantity,
           {EXACT["value"].format(table="usage_daily")} AS value
    FROM usage_daily WHERE {_NO_GAUGE}
),
span AS MATERIALIZED (
    SELECT c.id AS customer_id, newest.day AS last_on, oldest.day AS first_on
    FROM unnest(CAST(:ids AS uuid[])) AS c(id)
    JOIN LATERAL (SELECT day FROM known WHERE customer_id = c.id AND day <= :today
                  ORDER BY day DESC LIMIT 1) newest ON true
    JOIN LATERAL (SELECT day FROM known WHERE customer_id = c.id ORDER BY day LIMIT 1) oldest ON true),"""  # noqa: S608 - constants only
_RECENT_DAYS = """
    CROSS JOIN LATERAL (SELECT day, feature, quantity, users, value FROM known
                        WHERE customer_id = span.customer_id
                          AND day BETWEEN LEAST(:today - 91, span.last_on - 55) AND :today
                        OFFSET 0) AS recent"""

_LONG_AGO_DAYS = """
    SELECT sum(quantity) AS quantity FROM known
    WHERE customer_id = span.customer_id AND day BETWEEN :today - 210 AND :today - 183"""

_KNOWN_USE = f"""
FROM usage_events AS event WHERE event.customer_id = {{customer}} AND occurred_at <= :as_of
    AND known_at <= :as_of AND {_NO_GAUGE}"""
_UTC_DAY = "CAST({instant} AT TIME ZONE 'UTC' AS date)"
_EVENTS = f"""
span AS MATERIALIZED (
    SELECT c.id AS customer_id, {_UTC_DAY.format(instant="newest.occurred_at")} AS last_on,
           {_UTC_DAY.format(instant="oldest.occurred_at")} AS first_on
    FROM unnest(CAST(:ids AS uuid[])) AS c(id)
    JOIN LATERAL (SELECT occurred_at {_KNOWN_USE.format(customer="c.id")}
                  ORDER BY occurred_at DESC LIMIT 1) newest ON true
    JOIN LATERAL (SELECT occurred_at {_KNOWN_USE.format(customer="c.id")}
                  ORDER BY occurred_at LIMIT 1) oldest ON true),"""  # noqa: S608 - constants only
_RECENT_EVENTS = f"""
    CROSS JOIN LATERAL (
        SELECT {_UTC_DAY.format(instant="occurred_at")} AS day, feature,
               sum(CAST(quantity AS numeric)) AS quantity, sum(CAST(value AS numeric)) AS value,
               GREATEST(max(users), NULLIF(count(DISTINCT contact_id), 0)) AS users
        FROM (
            SELECT occurred_at, feature, quantity, users, value,
                   CASE WHEN event.contact_id IS NOT NULL THEN (
                       SELECT id FROM contacts WHERE id = event.contact_id AND known_at <= :as_of
                   ) END AS contact_id
            {_KNOWN_USE.format(customer="span.customer_id")}
                AND occurred_at >= CAST(LEAST(:today - 91, span.last_on - 55) AS timestamp)
                                   AT TIME ZONE 'UTC'
        ) AS event GROUP BY 1, 2 OFFSET 0) AS recent"""  # noqa: S608 - constants only
"""People seen on a day are at least those whom we could name then, as in the rollup."""
_LONG_AGO_EVENTS = f"""
    SELECT sum(CAST(quantity AS numeric)) AS quantity {_KNOWN_USE.format(customer="span.customer_id")}
        AND occurred_at >= CAST(:today - 210 AS timestamp) AT TIME ZONE 'UTC'
        AND occurred_at < CAST(:today - 182 AS timestamp) AT TIME ZONE 'UTC'"""
_PLANS_THEN = """(
    SELECT customers.id, CASE WHEN change.id IS NULL THEN customers.plan ELSE change.plan END AS plan
    FROM customers LEFT JOIN LATERAL (
        SELECT id, before ->> 'plan' AS plan FROM fact_changes
        WHERE fact_table = 'customers' AND fact_id = customers.id AND known_at > :as_of
          AND jsonb_exists(before, 'plan')
        ORDER BY id LIMIT 1
    ) AS change ON true WHERE customers.id = ANY(CAST(:ids AS uuid[])))"""

_USAGE = """
WITH {span}
used AS MATERIALIZED (
    SELECT span.customer_id, span.last_on, recent.day, recent.feature, recent.quantity, recent.users,
           recent.value,
           CASE WHEN recent.day < :today THEN (:today - 1 - recent.day) / 7 END AS week
    FROM span {recent}
),
days AS (
    SELECT customer_id, day, week, last_on, max(users) AS users
    FROM used GROUP BY customer_id, day, week, last_on
),
totals AS (
    SELECT customer_id,
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
    SELECT customer_id, feature, week, max(day) AS last_day, sum(quantity) AS quantity, sum(value) AS value,
           sum(quantity) FILTER (WHERE day > :today - 31) AS quantity_month
    FROM used GROUP BY customer_id, feature, week
),
weekly AS (
    SELECT customer_id, CAST(ARRAY[{week_sums}] AS double precision[]) AS weeks
    FROM per_week GROUP BY customer_id
),
per_feature AS (
    SELECT customer_id, feature,
           bool_or(week < 4) AS is_used, bool_or(week BETWEEN 4 AND 7) AS was_used,
           bool_or(week = 0 OR week IS NULL) AS is_used_now,
           max(last_day) AS last_day,
           count(*) FILTER (WHERE week BETWEEN 2 AND 9) AS weeks_used,
           sum(quantity) FILTER (WHERE week BETWEEN 2 AND 9) AS quantity,
           COALESCE(sum(quantity) FILTER (WHERE week < 4), 0) AS quantity_28,
           sum(quantity) FILTER (WHERE week < 13) AS quantity_91,
           COALESCE(sum(value) FILTER (WHERE week < 13), 0) AS value_91,
           CAST(sum(quantity_month) AS double precision) AS quantity_month
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
           CAST(array_agg(quantity_28 ORDER BY feature) FILTER (WHERE quantity_91 IS NOT NULL)
               AS double precision[]) AS quantities_28,
           CAST(array_agg(quantity_91 ORDER BY feature) FILTER (WHERE quantity_91 IS NOT NULL)
               AS double precision[]) AS quantities_91,
           CAST(array_agg(value_91 ORDER BY feature) FILTER (WHERE quantity_91 IS NOT NULL)
               AS double precision[]) AS values_91,
           array_agg(feature ORDER BY quantity DESC, feature) FILTER (
               WHERE weeks_used >= 4 AND quantity >= 0.1 * whole AND last_day < :today - 14) AS dropped
    FROM shares GROUP BY customer_id
),
long_ago AS (
    SELECT span.customer_id, CAST(COALESCE(past.quantity, 0) AS double precision) / 4 AS week
    FROM span CROSS JOIN LATERAL ({long_ago}) AS past WHERE span.first_on <= :today - 210
),
limits AS (
    SELECT DISTINCT ON (customers.id) customers.id AS customer_id, plan_limits.metric,
           use.quantity / plan_limits.ceiling AS share,
           CAST(avg(CAST(LEAST(use.quantity / plan_limits.ceiling, 1) AS numeric))
               OVER (PARTITION BY customers.id) AS double precision) AS used
    FROM {plans} AS customers
    JOIN plan_limits ON plan_limits.plan = customers.plan AND plan_limits.known_at <= :as_of
        AND COALESCE(plan_limits.customer_id, customers.id) = customers.id AND plan_limits.ceiling > 0
    LEFT JOIN per_feature
        ON per_feature.customer_id = customers.id AND per_feature.feature = plan_limits.metric
    LEFT JOIN LATERAL ({reading} LIMIT 1) AS gauge ON true
    CROSS JOIN LATERAL (
        SELECT COALESCE(gauge.value, per_feature.quantity_month,
                        CASE WHEN per_feature.feature IS NOT NULL THEN 0 END) AS quantity) AS use
    WHERE customers.id = ANY(CAST(:ids AS uuid[])) AND use.quantity >= 0
    ORDER BY customers.id, share DESC NULLS LAST, plan_limits.metric
)
SELECT span.customer_id, span.last_on, span.first_on, weekly.weeks, totals.active_days_7,
       totals.active_days_28, totals.active_days_91, totals.active_days_56,
       totals.users_28, totals.users_before, totals.users_peak_28,
       features.features_28, features.features_before, features.used_7, features.used_91,
       features.dropped, features.known_91, features.quantities_28, features.quantities_91,
       features.values_91, long_ago.week AS half_year_ago,
       limits.metric AS limit_metric, limits.share AS limit_share, limits.used AS limits_used
FROM span
JOIN totals USING (customer_id)
JOIN weekly USING (customer_id)
JOIN features USING (customer_id)
LEFT JOIN long_ago USING (customer_id)
LEFT JOIN limits USING (customer_id)
"""

USAGE_NOW = _USAGE.format(
    span=_ROLLUP,
    recent=_RECENT_DAYS,
    long_ago=_LONG_AGO_DAYS,
    reading=_READ_ROLLUP,
    plans="customers",
    week_sums=_WEEK_SUMS,
)
"""From the daily rollup: what is stored is known."""

USAGE_AS_KNOWN = _USAGE.format(
    span=_EVENTS,
    recent=_RECENT_EVENTS,
    long_ago=_LONG_AGO_EVENTS,
    reading=_READ_EVENTS,
    plans=_PLANS_THEN,
    week_sums=_WEEK_SUMS,
)
"""From single events, of no more days than are looked at: what became known later is left out."""
