"""A large portfolio for the benchmark of scoring, made set-wise in the database: the same for the same size.

Nothing here passes through Python: hundreds of thousands of customers are there in minutes. Days of use are
written day after day, as they come in life, so that the days of one customer lie far apart in the table.
"""

import datetime as dt
from collections.abc import Callable

import psycopg

from domain.time import BusinessInstant

SOURCE = "bench"
PROVIDES = (
    "customers", "contacts", "subscriptions", "usage", "tickets", "surveys", "meetings", "goals", "invoices",
    "touchpoints",
)  # fmt: skip
DAYS = 90
"""Days of use that are told."""
HISTORY = (30, 9, 8, 7, 6, 5, 4, 3, 2, 1)
"""Days before the first night that have a score: what a trend, a dwell time and a usual level rest on."""
Say = Callable[[str], None]

_SEED = "SELECT setseed(0.42)"
_TRAITS = """
CREATE UNLOGGED TABLE bench_traits AS
SELECT n, md5('customer/' || n)::uuid AS id, size, started_at,
       CASE size WHEN 2 THEN 'enterprise' WHEN 1 THEN 'team' ELSE 'starter' END AS plan,
       (exp(1.2 * size + 1.5 + 0.8 * z))::numeric(12, 2) AS level,
       0.35 + 0.6 * random() AS activity,
       CASE WHEN random() < 0.15 THEN -0.012 WHEN random() < 0.15 THEN 0.006 ELSE 0 END AS drift,
       (3 * exp(1.1 * size + 0.5 * z))::integer + 1 AS seats,
       (4900 * exp(1.6 * size + 0.4 * z))::bigint AS mrr_minor,
       1 + floor(random() * random() * 6)::integer AS features
FROM (
    SELECT n, CASE WHEN random() < 0.04 THEN 2 WHEN random() < 0.25 THEN 1 ELSE 0 END AS size,
           sqrt(-2 * ln(1 - random())) * cos(2 * pi() * random()) AS z,
           CAST(%(now)s AS timestamptz) - interval '1 day' * (40 + floor(random() * 1100)) AS started_at
    FROM generate_series(1, %(customers)s) AS n
) AS drawn"""
_KEYED = "CREATE UNIQUE INDEX ON bench_traits (id)"
_FACT = "source_id, external_id, content_hash, customer_id, known_at, received_at"


def _fact(at: str, key: str) -> str:
    return f"gen_random_uuid(), 'bench', id || '/{key}/' || k, '', id, {at}, {at}"


_NOW = "CAST(%(now)s AS timestamptz)"
_AGO = f"GREATEST(started_at, {_NOW} - interval '1 day' * {{days}})"
_CUSTOMERS = """
INSERT INTO customers (id, source_id, external_id, content_hash, name, segment, plan, touch_tier, status,
                       started_at, onboarded_at, first_value_at, known_at, declared, employees)
SELECT id, 'bench', id, '', 'Customer ' || n, 'small', plan, 'tech_touch', 'active', started_at,
       CASE WHEN random() < 0.9 THEN started_at + interval '20 days' END,
       CASE WHEN random() < 0.8 THEN started_at + interval '9 days' END, started_at, '{}', seats * 8
FROM bench_traits ORDER BY n"""
_SUBSCRIPTIONS = f"""
INSERT INTO subscriptions (id, {_FACT}, product, plan, status, mrr_minor, currency, seats, is_trial,
                           auto_renew, discount, billing_months, started_at)
SELECT {_fact("started_at", "term")}, 'product', plan, 'active', mrr_minor / (1 + 3 * (k - 1)), 'USD', seats,
       false, random() < 0.8, CASE WHEN random() < 0.3 THEN round(random()::numeric * 0.3, 2) END,
       CASE WHEN random() < 0.4 THEN 12 ELSE 1 END, LEAST({_NOW} - interval '1 day',
       started_at + interval '1 day' * (k - 1) * 200)
FROM bench_traits, generate_series(1, 2) AS k WHERE k = 1 OR random() < 0.25"""  # noqa: S608 - constants only
_CONTACTS = """
INSERT INTO contacts (id, source_id, external_id, content_hash, name, email, known_at, left_at)
SELECT md5(id || '/contact/' || k)::uuid, 'bench', id || '/contact/' || k, '', 'Person ' || k,
       'p' || k || '@' || n || '.example', started_at,
       CASE WHEN random() < 0.06 THEN GREATEST(started_at, %(now)s - interval '1 day' * random() * 300) END
FROM bench_traits, generate_series(1, 2 + size) AS k ORDER BY n"""
_ROLES = """
INSERT INTO contact_roles (id, customer_id, contact_id, role, since)
SELECT gen_random_uuid(), id, md5(id || '/contact/' || k)::uuid,
       (ARRAY['champion', 'admin', 'executive_sponsor', 'billing'])[k], started_at
FROM bench_traits, generate_series(1, 2 + size) AS k ORDER BY n"""
_TICKETS = f"""
INSERT INTO tickets (id, {_FACT}, priority, opened_at, first_response_due_at, first_responded_at,
                     resolve_due_at, resolved_at, resolved_known_at, escalated, satisfaction,
                     satisfaction_known_at, sentiment)
SELECT gen_random_uuid(), 'bench', id || '/ticket/' || k, '', id, at, at, 'normal', at,
       at + interval '8 hours', at + interval '1 hour' * random() * 9, at + interval '4 days',
       done, done, random() < 0.03, CASE WHEN random() < 0.3 THEN 1 + floor(random() * 5) END, done,
       round((random() * 2 - 0.9)::numeric, 3)
FROM (
    SELECT *, CASE WHEN due < {_NOW} AND random() < 0.96 THEN due END AS done
    FROM (SELECT *, at + interval '1 hour' * random() * 130 AS due
          FROM (SELECT *, {_AGO.format(days="(random() * 210)")} AS at
                FROM bench_traits, generate_series(1, 12) AS k WHERE random() < 0.12 + 0.12 * size) AS t) AS t
) AS t ORDER BY at"""  # noqa: S608 - constants only
_SURVEYS = f"""
INSERT INTO surveys (id, {_FACT}, kind, score, responded_at)
SELECT gen_random_uuid(), 'bench', id || '/survey/' || k, '', id, at, at,
       CASE k WHEN 1 THEN 'csat' ELSE 'nps' END,
       CASE k WHEN 1 THEN 1 + floor(sqrt(random()) * 5) ELSE floor(sqrt(random()) * 11) END, at
FROM (SELECT *, {_AGO.format(days="(random() * 300)")} AS at
      FROM bench_traits, generate_series(1, 3) AS k WHERE random() < 0.35) AS t ORDER BY at"""  # noqa: S608 - constants only
_MEETINGS = f"""
INSERT INTO meetings (id, {_FACT}, kind, title, scheduled_at, held_at)
SELECT gen_random_uuid(), 'bench', id || '/meeting/' || k, '', id, at, at,
       CASE WHEN k = 1 THEN 'qbr' ELSE 'check_in' END, 'Meeting', at, CASE WHEN random() < 0.85 THEN at END
FROM (SELECT *, {_AGO.format(days="(1 + random() * 250)")} AS at
      FROM bench_traits, generate_series(1, 4) AS k WHERE random() < 0.05 + 0.3 * size) AS t ORDER BY at"""  # noqa: S608 - constants only
_GOALS = f"""
INSERT INTO goals (id, {_FACT}, title, due_on, progress, achieved_at)
SELECT {_fact("started_at", "goal")}, 'Goal', (started_at + interval '1 day' * random() * 700)::date,
       round(random()::numeric, 3),
       CASE WHEN random() < 0.4 THEN LEAST({_NOW}, started_at + interval '1 day' * random() * 300) END
FROM bench_traits, generate_series(1, 2) AS k WHERE random() < 0.5"""  # noqa: S608 - constants only
_INVOICES = f"""
INSERT INTO invoices (id, {_FACT}, currency, amount_due_minor, status, issued_at, due_at, failed_attempts,
                      paid_at, paid_known_at)
SELECT gen_random_uuid(), 'bench', id || '/invoice/' || k, '', id, at, at, 'USD', mrr_minor,
       CASE WHEN done IS NULL THEN 'open' ELSE 'paid' END, at, at + interval '14 days',
       CASE WHEN random() < 0.05 THEN 2 ELSE 0 END, done, done
FROM (SELECT *, CASE WHEN at < {_NOW} - interval '14 days' AND random() < 0.985 THEN at + interval '12 days'
                END AS done
      FROM (SELECT *, {_NOW} - interval '1 day' * (30 * k - 5) AS at
            FROM bench_traits, generate_series(1, 8) AS k WHERE n %% 2 = 0 OR k = 3) AS t
      WHERE at > started_at) AS t ORDER BY at"""  # noqa: S608 - constants only
_TOUCHES = f"""
INSERT INTO touchpoints (id, source_id, external_id, content_hash, customer_id, contact_id, direction,
                         channel, purpose, state, occurred_at, known_at)
SELECT gen_random_uuid(), 'bench', id || '/touch/' || k, '', id,
       md5(id || '/contact/' || (1 + k %% 2))::uuid, CASE k %% 3 WHEN 0 THEN 'in' ELSE 'out' END,
       'email', CASE WHEN k %% 3 = 1 THEN 'marketing' ELSE 'lifecycle' END, 'delivered', at, at
FROM (SELECT *, {_AGO.format(days="(random() * 200)")} AS at
      FROM bench_traits, generate_series(1, 6) AS k WHERE random() < 0.4 + 0.2 * size) AS t ORDER BY at"""  # noqa: S608 - constants only
_LIMITS = """
INSERT INTO plan_limits (id, plan, metric, ceiling, known_at)
SELECT gen_random_uuid(), plan, metric, ceiling, %(now)s - interval '900 days'
FROM (VALUES ('starter', 'report', 600.0), ('team', 'report', 3000.0), ('team', 'export', 1500.0),
             ('enterprise', 'export', 9000.0)) AS allowed(plan, metric, ceiling)"""
_USE = """
INSERT INTO usage_daily (customer_id, day, feature, events, quantity, users, value, exact_quantity)
SELECT id, %(day)s, feature, 1 + (amount / 4)::integer, amount, 1 + (seats * share)::integer,
       NULL, amount
FROM (
    SELECT id, feature, seats,
           round((level * weight * (1 + drift * %(since)s) * (0.6 + 0.8 * random()))::numeric, 2) AS amount,
           random() AS share
    FROM bench_traits, LATERAL (
        VALUES (1, 'report', 1.0, 1.0), (2, 'dashboard', 0.7, 0.6), (3, 'export', 0.5, 0.4),
               (4, 'search', 0.3, 0.7), (5, 'api', 0.2, 2.0), (6, 'share', 0.12, 0.2)
    ) AS feature(place, feature, often, weight)
    WHERE place <= 1 + features AND started_at < %(day)s
      AND random() < activity * often * %(week_day)s * LEAST(1, 1 + drift * %(since)s)
) AS used WHERE amount > 0 ORDER BY id, feature"""
_SCORES = """
INSERT INTO scores (customer_id, as_of, scored_at, churn_probability, churn_risk_score, churn_risk_tier,
                    health_score, components, drivers, horizon_days, model_version, data_on)
SELECT id, %(day)s, %(day)s, score / 400.0, score, 'low', health,
       jsonb_build_object(
           'usage', part, 'adoption', part, 'support', part, 'sentiment', part, 'relationship', part,
           'commercial', part, 'outcomes', part),
       jsonb_build_array(driver, driver, driver, driver), 90, 'scorecard-1', %(day)s
FROM (
    SELECT id, 4 + floor(random() * 20)::integer AS score, health,
           jsonb_build_object('score', health, 'trend', 0, 'status', 'good', 'weight', 0.15,
                              'limited', false) AS part,
           '{"key": "usage_week", "family": "usage", "sentence": "use fell from 41 to 9 actions a week",
             "points": 14.0, "now": 9.0, "baseline": 41.0}'::jsonb AS driver
    FROM (SELECT id, 55 + floor(random() * 30)::integer AS health FROM bench_traits) AS judged
) AS scored ORDER BY id"""
_FACTS = (
    _CUSTOMERS, _SUBSCRIPTIONS, _CONTACTS, _ROLES, _TICKETS, _SURVEYS, _MEETINGS, _GOALS, _INVOICES,
    _TOUCHES, _LIMITS,
)  # fmt: skip
_HEARD = "UPDATE sources SET last_fact_at = %(now)s WHERE id = 'bench'"
WEEKEND = 0.15
SATURDAY = 5


def make_portfolio(url: str, customers: int, now: BusinessInstant, say: Say) -> None:
    """Tell of customers with 90 days of use up to `now`, and of the scores of some nights before."""
    with _connect(url) as connection:
        connection.execute("SET session_replication_role = replica")  # what refers to what is right by making
        connection.execute(_SEED)
        values = {"customers": customers, "now": now}
        for statement in (_TRAITS, _KEYED, *_FACTS):
            connection.execute(statement, values if "%(" in statement else None)
        say(f"telling of {DAYS} days of use")
        for ago in range(DAYS, 0, -1):
            _use(connection, now, ago)
        for ago in HISTORY:
            connection.execute(_SCORES, {"day": now.date() - dt.timedelta(days=ago)})
        _settle(connection, now)


def add_day(url: str, now: BusinessInstant) -> None:
    """Tell of the day before `now`."""
    with _connect(url) as connection:
        _use(connection, now, 1)
        _settle(connection, now)


def _use(connection: psycopg.Connection, now: BusinessInstant, ago: int) -> None:
    day = now.date() - dt.timedelta(days=ago)
    is_weekend = day.weekday() >= SATURDAY
    values = {"day": day, "since": max(0, 60 - ago), "week_day": WEEKEND if is_weekend else 1.0}
    connection.execute(_USE, values)


def _settle(connection: psycopg.Connection, now: BusinessInstant) -> None:
    """Do now what the server would do beside the measurement."""
    connection.execute(_HEARD, {"now": now})
    connection.execute("VACUUM ANALYZE")
    connection.execute("CHECKPOINT")


def _connect(url: str) -> psycopg.Connection:
    plain = url.replace("postgresql+psycopg://", "postgresql://", 1)
    return psycopg.connect(plain, autocommit=True)
