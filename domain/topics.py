"""Topics of our mail in the words of the people who get it: what a playbook is for, and they may refuse."""

from collections.abc import Mapping

from domain.vocabulary import Motion

TOPIC_WORDS: Mapping[Motion, str] = {
    Motion.ONBOARDING: "Help with getting started",
    Motion.RETENTION: "Tips and check-ins on how you use the product",
    Motion.RENEWAL: "Your agreement and its renewal",
    Motion.EXPANSION: "Features, plans and offers that may fit you",
    Motion.WIN_BACK: "Invitations to come back after you have left",
}
"""Dunning is not among them: an unpaid invoice is no matter of taste."""
TOPICS = tuple(TOPIC_WORDS)
