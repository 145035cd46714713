"""What to do next, by the reason that weighs most: one sentence that a person can act on."""

from domain.vocabulary import HealthComponent

BY_DRIVER: dict[str, str] = {
    "usage_week": "Ask the champion what changed, and agree on one goal for the next two weeks.",
    "usage_months": "Review the use case with the champion before the habit is lost.",
    "login_silence": "Call the champion: nobody has used the product, and an e-mail may not reach them.",
    "breadth": "Show the features that they stopped using, in their own workflow.",
    "feature_drop_off": "Find out why a mainstay was dropped: a bug, a rival tool or a changed process.",
    "onboarding_stall": "Take stock of the onboarding plan and unblock its next step.",
    "seat_use": "Offer training for the seats that nobody uses.",
    "ticket_overdue": "Get the overdue tickets answered, and tell the customer when.",
    "support_surge": "Look for the common cause of the tickets and speak to their author.",
    "escalation": "Own the escalation: name one person and a date.",
    "satisfaction": "Follow up on the poor support ratings in person.",
    "sentiment_drop": "Call about what is behind the tone of the recent tickets.",
    "nps": "Thank them for the honest answer and ask what would change it.",
    "csat": "Follow up on the low rating while it is fresh.",
    "champion_left": "Find the new owner: ask an executive sponsor to introduce them.",
    "executive_silence": "Ask for a short executive review with what was achieved so far.",
    "no_contact": "Check in: nobody has spoken with them for too long.",
    "qbr_missed": "Offer two new dates for the missed business review.",
    "payment_failing": "See where the collection stands before you ask the customer about it.",
    "invoice_past_due": "Ask billing about the open invoice before anything else is sent.",
    "payment_failed": "Ask for a working payment method.",
    "revenue_change": "Ask what they cut and why, before the next renewal.",
    "no_subscription": "Find out whether they have left or are about to sign again.",
    "no_auto_renewal": "Start the renewal talk: the contract ends unless renewed.",
    "goals_overdue": "Revisit the goals: move the date or remove what stands in the way.",
}

BY_FAMILY: dict[HealthComponent, str] = {
    HealthComponent.USAGE: "Ask the champion what changed in how they use the product.",
    HealthComponent.ADOPTION: "Show what they do not use yet, in their own workflow.",
    HealthComponent.SUPPORT: "Look through the recent tickets and speak to their author.",
    HealthComponent.SENTIMENT: "Call about what they said last.",
    HealthComponent.RELATIONSHIP: "Get back in touch, and find out who decides today.",
    HealthComponent.COMMERCIAL: "Look at the contract and the price with them before the term ends.",
    HealthComponent.OUTCOMES: "Go through the goals: which were reached, and what stands in the way.",
}
"""For a reason that a trained model found: it names a part of health, not a line of the scorecard."""
QUIET = "Nothing is needed now; keep the usual rhythm."
GROWING = "Suggest the next use case while things go well."
UNKNOWN: dict[HealthComponent, str] = {
    HealthComponent.USAGE: "Connect a source that tells of usage: without it this verdict is a guess.",
}
LIMITED = "Check with the customer in person: the data does not say enough."
