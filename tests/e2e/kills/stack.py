"""`everstay up` with a supervisor that never loses patience.

What a test kills again and again is not ill: it is started anew at once, as if it had run well for an hour.
"""

import runpy
import sys

from workers.embedded import supervisor

PROGRAM = ("-m", "tests.e2e.kills.stack")

if __name__ == "__main__":
    supervisor.STEADY_SECONDS = 0.0
    sys.argv = ["cli", "up"]
    runpy.run_module("cli", run_name="__main__")
