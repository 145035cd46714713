"""Accept the order of commands in the workflows: python -m tools.workflow_commands --accept.

Do so only after the change is gated with workflow.patched and every recorded history still replays
(docs/workflows.md); the replay tier compares the code with what was accepted.
"""

import json
import sys

from tests.replay.commands import ROOT, fingerprint

BASELINE = ROOT / "tests" / "replay" / "commands.json"


def main() -> int:
    """Write the commands of today as the accepted ones."""
    if sys.argv[1:] != ["--accept"]:
        sys.stderr.write(__doc__)
        return 2
    BASELINE.write_text(json.dumps(fingerprint(), indent=2) + "\n", encoding="utf-8")
    print("accepted")
    return 0


if __name__ == "__main__":
    sys.exit(main())
