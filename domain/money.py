"""Amounts in minor units: how many of them a currency's unit has."""

from decimal import ROUND_HALF_UP, Decimal

WITHOUT_MINOR_UNITS = frozenset(
    "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF".split()  # noqa: SIM905 - a table
)
"""ISO 4217, exponent 0."""
IN_THOUSANDTHS = frozenset("BHD IQD JOD KWD LYD OMR TND".split())  # noqa: SIM905 - a table
"""ISO 4217, exponent 3."""
SYMBOLS = {"USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥", "INR": "₹", "KRW": "₩"}


def exponent(currency: str) -> int:
    """Return how many decimals the currency has."""
    code = currency.upper()
    if code in WITHOUT_MINOR_UNITS:
        return 0
    return 3 if code in IN_THOUSANDTHS else 2


def minor_units(amount: Decimal | str | float, currency: str) -> int:
    """Return an amount in the currency's unit as a whole number of its minor unit (else ValueError)."""
    try:
        scaled = Decimal(str(amount)).scaleb(exponent(currency))
    except ArithmeticError:
        message = f"{amount!r} is no amount of money"
        raise ValueError(message) from None
    return int(scaled.quantize(Decimal(1), rounding=ROUND_HALF_UP))


def minor_per_unit(currency: str) -> int:
    """Return how many minor units the currency's unit has: 100 for USD, 1 for JPY."""
    return int(10 ** exponent(currency))


def whole_units(minor: int, currency: str) -> float:
    """Return an amount in the currency's own unit."""
    return minor / minor_per_unit(currency)


def say_money(minor: int, currency: str) -> str:
    """Return an amount in whole units with its currency: `$120,000`, `CHF 1,200`."""
    symbol = SYMBOLS.get(currency, f"{currency}\N{NO-BREAK SPACE}")
    amount = round(whole_units(minor, currency))
    return f"{'-' if amount < 0 else ''}{symbol}{abs(amount):,}"
