"""Every page, in one list for the application's routes."""

from litestar.types import ControllerRouterHandler

from api.web.attention import AttentionController
from api.web.backtests import BacktestPage
from api.web.cases import CaseController
from api.web.contact_policy import ContactPolicyController
from api.web.contacts import ContactController
from api.web.customers import CustomerController
from api.web.data import DataController
from api.web.deliveries import DeliveryController
from api.web.dunning import DunningController
from api.web.dunning_policy import DunningPolicyPage
from api.web.effects import EffectPages
from api.web.endpoints import EndpointPage
from api.web.holding import HoldingController
from api.web.impact import ImpactPage
from api.web.inbox import InboxController
from api.web.judgement import DisagreementController, JudgementController
from api.web.live import live
from api.web.meetings import MeetingController
from api.web.messages import MessagePage
from api.web.models import ModelPages
from api.web.monitor import MonitorController
from api.web.notifications import NotificationPage
from api.web.offers import OfferController
from api.web.own_signals import OwnSignalController
from api.web.plan import PlanController
from api.web.playbook_edits import PlaybookEditController
from api.web.playbooks import PlaybookController
from api.web.portfolio import PortfolioController
from api.web.preferences import choose_theme
from api.web.quarantine import QuarantineController
from api.web.run_control import SteeringController
from api.web.runs import DecisionController, RunController
from api.web.score_history import ScoreHistoryController
from api.web.sending_policy import SendingPolicyPage
from api.web.signals import SignalController
from api.web.suppressions import SuppressionPage
from api.web.tiers import TierController
from api.web.upload import UploadPageController
from api.web.watch_policy import WatchPolicyController
from api.web.webhook_messages import WebhookMessageController
from api.web.weights import WeightController
from api.web.why import WhyController
from api.web.win_back_policy import WinBackPolicyPage
from api.web.win_backs import WinBackController


def page_routes() -> list[ControllerRouterHandler]:
    """Return the controllers of all pages."""
    return [
        PortfolioController,
        CustomerController,
        ScoreHistoryController,
        TierController,
        ModelPages,
        JudgementController,
        DisagreementController,
        WhyController,
        ContactController,
        InboxController,
        RunController,
        MeetingController,
        DecisionController,
        SteeringController,
        CaseController,
        DunningController,
        WinBackController,
        OfferController,
        MonitorController,
        EffectPages,
        PlanController,
        ImpactPage,
        BacktestPage,
        PlaybookController,
        PlaybookEditController,
        DataController,
        QuarantineController,
        HoldingController,
        UploadPageController,
        DeliveryController,
        AttentionController,
        ContactPolicyController,
        DunningPolicyPage,
        WinBackPolicyPage,
        SendingPolicyPage,
        WeightController,
        WatchPolicyController,
        EndpointPage,
        WebhookMessageController,
        SuppressionPage,
        MessagePage,
        SignalController,
        OwnSignalController,
        NotificationPage,
        choose_theme,
        live,
    ]
