import re
from pathlib import Path

import pytest

from models.mapping_files import MappingError
from models.webhook_mapping_files import load_webhook_mapping
from tests.house.repository import ROOT


@pytest.fixture
def documented() -> str:
    """The example of docs/webhooks.md."""
    text = (ROOT / "docs" / "webhooks.md").read_text(encoding="utf-8")
    found = re.search(r"^    source:\n(?:    .*\n)+", text, re.MULTILINE)
    assert found is not None
    return "\n".join(line[4:] for line in found[0].splitlines())


def test_the_documented_mapping_is_a_good_one(documented: str, tmp_path: Path) -> None:
    file = tmp_path / "campaigns.yaml"
    file.write_text(documented, encoding="utf-8")
    mapping = load_webhook_mapping(str(file))
    assert mapping.source.provides == ("touchpoints",)
    assert mapping.event_for({"type": "email.sent"}) is mapping.events[0]
    assert mapping.event_for({"type": "something.else"}) is None


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("type: touchpoint", "type: touchpont", "events.0.facts.0.type"),
        ("customer: {column: item.to", "customer: {column: item.too", "item.too"),
        ("each: data.sends", "every: data.sends", "events.0.every"),
    ],
)
def test_a_bad_mapping_names_the_place(
    documented: str, tmp_path: Path, old: str, new: str, said: str
) -> None:
    file = tmp_path / "campaigns.yaml"
    file.write_text(documented.replace(old, new), encoding="utf-8")
    with pytest.raises(MappingError, match=re.escape(said)):
        load_webhook_mapping(str(file))
