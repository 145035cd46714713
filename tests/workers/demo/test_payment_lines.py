from workers.demo.payment_lines import payment_lines

FIGURES = {
    "dunning": {"open": 1, "recovered": 3, "exhausted": 1},
    "attempts": {"provider": 5, "everstay": 4},
    "recovered_minor": 123_450,
    "win_back": {},
    "codes_redeemed": 0,
}


def test_a_demo_says_what_became_of_its_unpaid_invoices() -> None:
    assert list(payment_lines(FIGURES)) == [
        "Unpaid invoices: 3 recovered, 1 not recovered, 1 open. Recovered: $1,234.50.",
        "Attempts to charge them: 4 by Everstay, 5 by Stripe's first charge.",
        "Customers to win back: none; codes used: 0.",
    ]
