"""What each task queue runs, and what it is made of: the composition root of the workers."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from activities.billing_accounts import BillingAccounts
from activities.billing_calls import OpenBilling
from activities.calling import WebhookPerformer
from activities.cases import CaseActivities, CaseMailActivities, Motion, Motions
from activities.crm_writing import CrmPerformer
from activities.dunning import DunningMotion
from activities.imports import ImportActivities
from activities.intervention import InterventionActivities
from activities.letters import Letterhead
from activities.lifecycle import LifecycleActivities
from activities.messaging import MessagingActivities
from activities.offers import OfferPerformer
from activities.own_steps import OwnStepPerformer
from activities.performing import Performer, StepActivities
from activities.posting import Posting
from activities.prompting import PromptPerformer
from activities.pulls import PullActivities
from activities.retrying import PaymentPerformer
from activities.scoring import CalendarActivities, ScoringActivities
from activities.training import TrainingActivities
from activities.win_back import WinBackMotion
from domain.case_vocabulary import CaseKind
from domain.links import LinkMaker
from domain.outgoing_webhooks import AnswerLinks, WebhookPoster
from domain.own_steps import OwnSteps
from domain.ports import Clock, EmailAddress, EmailSender
from integrations.billing import open_billing
from integrations.invitations import CalendarInvitations
from integrations.jinja_renderer import JinjaMessageRenderer
from integrations.own_step_packages import find_own_steps
from integrations.providers import open_crm_writer, open_reader
from integrations.senders import email_sender
from integrations.tabular import FileReader
from integrations.webhook_poster import HttpWebhookPoster
from ml.adapters import CatBoostLearner, CatBoostModelReader, NumpyStatistician
from models.ciphers import Cipher
from models.crm_writes import CrmTools
from models.database import Database
from models.playbooks import PlaybookShelf
from models.webhook_calls import CallTools
from settings import Settings
from workers.library import LIBRARY
from workflows.calendar import CalendarWorkflow
from workflows.cases import DunningWorkflow, WinBackWorkflow
from workflows.imports import ImportWorkflow
from workflows.intervention import InterventionWorkflow
from workflows.lifecycle import CustomerLifecycleWorkflow
from workflows.pinned import PinnedDunningWorkflow, PinnedInterventionWorkflow, PinnedWinBackWorkflow
from workflows.pulls import PullWorkflow
from workflows.scoring import PortfolioScoringWorkflow
from workflows.training import ModelTrainingWorkflow

Activity = Callable[..., Any]


@dataclass(frozen=True)
class Parts:
    """What activities are built from, once per process."""

    database: Database
    clock: Clock
    shelf: PlaybookShelf
    sender: EmailSender
    letterhead: Letterhead
    cipher: Cipher
    poster: WebhookPoster
    answers: AnswerLinks
    own_steps: OwnSteps
    open_billing: OpenBilling


def build_parts(settings: Settings, database: Database, clock: Clock) -> Parts:
    """Choose the adapters that the settings ask for."""
    links = LinkMaker(settings.base_url, settings.signing_key)
    address = EmailAddress(settings.sender_email, settings.sender_name)
    letterhead = Letterhead(
        JinjaMessageRenderer(LIBRARY / "templates"), links, address, CalendarInvitations()
    )
    cipher = Cipher(settings.signing_key)
    return Parts(
        database,
        clock,
        PlaybookShelf(),
        email_sender(settings),
        letterhead,
        cipher,
        HttpWebhookPoster(allow_private=settings.webhook_private_addresses),
        AnswerLinks(settings.base_url, settings.signing_key),
        find_own_steps(),
        BillingAccounts(database, clock, cipher, open_billing).open,
    )


def workflows_of(queue: str, *, versioned: bool = False) -> Sequence[type]:
    """Return the workflows of a queue; of a versioned worker, sequences are those that are pinned."""
    found = WORKFLOWS.get(queue, ())
    return [PINNED.get(one, one) for one in found] if versioned else found


def activities_of(queue: str, parts: Parts) -> list[Activity]:
    """Return the activities of a queue, ready to run."""
    return [activity for make in ACTIVITIES.get(queue, ()) for activity in make(parts)]


def _lifecycle(parts: Parts) -> list[Activity]:
    return [LifecycleActivities(parts.database, parts.clock, parts.shelf).decide]


def _interventions(parts: Parts) -> list[Activity]:
    return [InterventionActivities(parts.database, parts.clock, parts.shelf).advance]


def _messaging(parts: Parts) -> list[Activity]:
    messaging = MessagingActivities(parts.database, parts.clock, parts.shelf, parts.sender, parts.letterhead)
    return [messaging.send_email]


def _motions(parts: Parts) -> Motions:
    return {kind: make(parts) for kind, make in MOTIONS.items()}


def _cases(parts: Parts) -> list[Activity]:
    cases = CaseActivities(parts.database, parts.clock, _motions(parts))
    return [cases.advance_case, cases.perform_case_step]


def _case_mail(parts: Parts) -> list[Activity]:
    posting = Posting(parts.database, parts.clock, parts.sender, parts.letterhead)
    return [CaseMailActivities(parts.database, posting, _motions(parts)).send_case_letter]


def _dunning(parts: Parts) -> Motion:
    return DunningMotion(parts.database, parts.clock, parts.open_billing)


def _win_back(parts: Parts) -> Motion:
    return WinBackMotion(parts.database, parts.clock, parts.open_billing)


def _calendar(parts: Parts) -> list[Activity]:
    return [CalendarActivities(parts.database, parts.clock).next_night]


def _scoring(parts: Parts) -> list[Activity]:
    scoring = ScoringActivities(parts.database, parts.clock, CatBoostModelReader(), NumpyStatistician())
    return [scoring.plan_shards, scoring.score_shard, scoring.finish_scoring]


def _training(parts: Parts) -> list[Activity]:
    training = TrainingActivities(parts.database, parts.clock, CatBoostLearner())
    return [training.plan_training, training.gather_samples, training.train_model, training.judge_model]


def _imports(parts: Parts) -> list[Activity]:
    imports = ImportActivities(parts.database, parts.clock, FileReader())
    return [imports.plan_import, imports.import_file, imports.finish_import]


def _pulls(parts: Parts) -> list[Activity]:
    pulls = PullActivities(parts.database, parts.clock, parts.cipher, open_reader)
    return [pulls.plan_pull, pulls.pull_stream, pulls.finish_pull]


def _steps(parts: Parts) -> list[Activity]:
    database, clock = parts.database, parts.clock
    performers: dict[str, Performer] = {
        "in_app_prompt": PromptPerformer(database, clock),
        "offer": OfferPerformer(database, clock, parts.shelf, parts.open_billing),
        "retry_payment": PaymentPerformer(database, clock, parts.open_billing),
        "call_webhook": WebhookPerformer(
            database, clock, parts.poster, CallTools(parts.cipher, parts.answers)
        ),
        "write_crm": CrmPerformer(database, clock, CrmTools(parts.cipher), open_crm_writer),
        "call": OwnStepPerformer(database, clock, parts.own_steps),
    }
    return [StepActivities(database, clock, parts.shelf, performers).perform_step]


MOTIONS: dict[CaseKind, Callable[[Parts], Motion]] = {
    CaseKind.DUNNING: _dunning,
    CaseKind.WIN_BACK: _win_back,
}
"""How each kind of case is handled."""
PINNED: dict[type, type] = {
    InterventionWorkflow: PinnedInterventionWorkflow,
    DunningWorkflow: PinnedDunningWorkflow,
    WinBackWorkflow: PinnedWinBackWorkflow,
}
WORKFLOWS: dict[str, Sequence[type]] = {
    "lifecycle": (
        CustomerLifecycleWorkflow,
        InterventionWorkflow,
        ImportWorkflow,
        CalendarWorkflow,
        PullWorkflow,
        DunningWorkflow,
        WinBackWorkflow,
    ),
    "scoring": (PortfolioScoringWorkflow, ModelTrainingWorkflow),
}
ACTIVITIES: dict[str, Sequence[Callable[[Parts], list[Activity]]]] = {
    "decisions": (_lifecycle, _interventions, _calendar),
    "email": (_messaging, _case_mail),
    "billing": (_cases,),
    "bulk": (_imports, _pulls, _steps),
    "scoring": (_scoring, _training),
}
