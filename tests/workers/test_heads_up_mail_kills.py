"""kill -9 between the claim of a mail and its receipt, before and after the provider took it: it leaves once."""

import datetime as dt
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from sqlalchemy import update

from domain.vocabulary import EffectState
from integrations.simulators.server import SimulatorOptions
from models.clock import append_segment, open_clock, wall_now
from models.database import Database
from models.tables.ledger import EffectRow
from tests.support.forked import forked
from tests.support.mail_worker import mail_until_killed, simulated
from tests.support.office import Office, letterhead
from tests.support.simulators import running_simulators
from workers.heads_up_mail import HeadsUpMail
