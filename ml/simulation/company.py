"""The stories of a company over a year and more, and how their trouble runs without a system like ours."""

from ml.simulation.archetypes import Archetype, Trouble

SHARES: dict[Archetype, float] = {
    Archetype.HEALTHY: 0.14,
    Archetype.GROWING: 0.11,
    Archetype.SEASONAL: 0.07,
    Archetype.ERRATIC: 0.07,
    Archetype.DECLINING: 0.29,
    Archetype.SILENT: 0.09,
    Archetype.TICKET_STORM: 0.09,
    Archetype.CHAMPION_LEFT: 0.07,
    Archetype.FAILING_PAYMENT: 0.07,
}
"""Story that a customer will live when trouble comes; many never meet it while we look."""

TROUBLES: dict[Archetype, Trouble] = {
    Archetype.DECLINING: Trouble(
        0.014, 0.15, 0.0025, 0.0095, 0.05, shrinks=0.003, quiet_days=100, ripe_days=180, leaves_at_renewal=0.7
    ),
    Archetype.SILENT: Trouble(
        0.5, 0.0, 0.0080, 0.0092, 0.0, shrinks=0.003, quiet_days=20, ripe_days=80, leaves_at_renewal=0.7
    ),
    Archetype.TICKET_STORM: Trouble(
        0.03, 0.6, 0.0100, 0.0120, 0.7, shrinks=0.003, quiet_days=15, ripe_days=60, leaves_at_renewal=0.6
    ),
    Archetype.CHAMPION_LEFT: Trouble(
        0.025, 0.35, 0.0045, 0.0092, 0.04, shrinks=0.003, quiet_days=30, ripe_days=110, leaves_at_renewal=0.7
    ),
    Archetype.FAILING_PAYMENT: Trouble(
        0.0, 1.0, 0.0250, 0.0320, 0.02, quiet_days=14, ripe_days=45, leaves_at_renewal=0.3
    ),
}
"""Slow decliners fall over three to six months and hardly leave before; the others are quicker."""
