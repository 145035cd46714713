"""A worker of the customers' workflows whose ninety days are as compressed as the benchmark's business days.

An entity leaves its history behind after ninety days of the wall's clock, which a compressed year never sees.
"""

import runpy
import sys

from workflows import policies

DAY_SECONDS = 86_400.0

if __name__ == "__main__":
    policies.CONTINUE_AS_NEW_AFTER *= float(sys.argv[1]) / DAY_SECONDS
    sys.argv = ["cli", "serve", "worker", "--queue", policies.LIFECYCLE_QUEUE]
    runpy.run_module("cli", run_name="__main__")
