"""A worker of the customers' workflows whose ninety days are as compressed as the benchmark's business days.

An entity leaves its history behind after ninety days of the wall's clock, which a compressed year never sees.
"""

import os
import sys

from domain.errors import EverstayError
from workers.commands.serve import worker
from workflows import policies

DAY_SECONDS = 86_400.0

if __name__ == "__main__":
    code = 0
    policies.CONTINUE_AS_NEW_AFTER *= float(sys.argv[1]) / DAY_SECONDS
    try:
        worker(policies.LIFECYCLE_QUEUE)
    except EverstayError as error:
        sys.stderr.write(f"{error}\n")
        code = error.exit_code
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # as the command line itself does
