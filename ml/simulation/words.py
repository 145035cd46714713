"""Word lists of the sample portfolio. Every name is put together from these; none is a real company's."""

FIRST_PARTS = (
    "Alder", "Amber", "Ash", "Birch", "Bramble", "Cedar", "Cinder", "Clover", "Cobalt", "Copper",
    "Drift", "Dune", "Elm", "Ember", "Fallow", "Fern", "Flint", "Gale", "Garnet", "Harrow",
    "Hazel", "Heather", "Indigo", "Iris", "Jasper", "Juniper", "Kestrel", "Knoll", "Larch", "Linden",
    "Marsh", "Moss", "Nettle", "Onyx", "Pebble", "Quarry", "Reed", "Rowan", "Sable", "Slate",
    "Thistle", "Umber", "Vesper", "Willow", "Yarrow", "Zephyr",
)  # fmt: skip
SECOND_PARTS = (
    "brook", "combe", "crest", "fold", "ford", "gate", "haven", "holt", "ley", "march",
    "mere", "reach", "ridge", "spire", "stead", "strand", "vale", "wick", "worth", "yard",
)  # fmt: skip
INDUSTRIES = {
    "Logistics": ("Freight", "Logistics", "Cargo"),
    "Healthcare": ("Clinics", "Health", "Care"),
    "Financial services": ("Ledger", "Capital", "Insurance"),
    "Retail": ("Outfitters", "Markets", "Goods"),
    "Manufacturing": ("Works", "Components", "Machines"),
    "Education": ("Academy", "Learning", "Campus"),
    "Software": ("Software", "Systems", "Cloud"),
    "Professional services": ("Advisory", "Partners", "Consulting"),
    "Energy": ("Energy", "Power", "Grid"),
    "Hospitality": ("Hotels", "Kitchens", "Stays"),
}
PLACES = (
    ("US", "America/New_York"), ("US", "America/Chicago"), ("US", "America/Los_Angeles"),
    ("GB", "Europe/London"), ("DE", "Europe/Berlin"), ("FR", "Europe/Paris"), ("NL", "Europe/Amsterdam"),
    ("ES", "Europe/Madrid"), ("SE", "Europe/Stockholm"), ("CA", "America/Toronto"),
    ("BR", "America/Sao_Paulo"), ("IN", "Asia/Kolkata"), ("JP", "Asia/Tokyo"), ("AU", "Australia/Sydney"),
)  # fmt: skip
GIVEN_NAMES = (
    "Ada", "Amara", "Anton", "Bea", "Carlos", "Chen", "Clara", "Dara", "Elif", "Emil", "Farah", "Felix",
    "Greta", "Hana", "Hugo", "Ines", "Ivan", "Jonas", "Kaya", "Keiko", "Lena", "Liam", "Mara", "Mateo",
    "Mina", "Nils", "Noor", "Olga", "Omar", "Paula", "Petra", "Quinn", "Ravi", "Rosa", "Sami", "Sofia",
    "Tariq", "Tess", "Uma", "Victor", "Wanda", "Yara", "Yusuf", "Zoe",
)  # fmt: skip
FAMILY_NAMES = (
    "Abara", "Andersen", "Bauer", "Bianchi", "Costa", "Dubois", "Eriksen", "Fischer", "Garcia", "Haddad",
    "Ito", "Jansen", "Kapoor", "Kowalski", "Laurent", "Lindqvist", "Mbeki", "Moreau", "Nakata", "Novak",
    "Okafor", "Osei", "Petrov", "Quispe", "Rahman", "Romano", "Santos", "Schmid", "Silva", "Tanaka",
    "Teague", "Ueda", "Varga", "Vega", "Weber", "Wolff", "Yilmaz", "Zhang",
)  # fmt: skip
FEATURES = (
    "dashboards", "reports", "automations", "integrations", "exports", "collaboration", "forecasts", "api",
)  # fmt: skip
TICKET_SUBJECTS = (
    "Export stops halfway", "Dashboard loads slowly", "Cannot invite a colleague",
    "Numbers differ from our books",
    "Integration lost its connection", "Question about permissions", "Report is empty",
    "Webhook arrives twice",
)  # fmt: skip
BAD_COMMENTS = (
    "We wait too long for answers.",
    "It has become hard to use.",
    "We expected more for the price.",
)
GOOD_COMMENTS = ("Saves us hours every week.", "The team likes it.", "Support was quick.")
TOUCH_SUBJECTS = (
    "How is the roll-out going?",
    "Quick catch-up",
    "Your question from last week",
    "New this month",
)
