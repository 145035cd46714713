"""The routes under `/api`."""

from litestar import Router

from api.resources.backtests import BacktestController
from api.resources.cases import CaseResource, OfferResource
from api.resources.conditions import ConditionController, FieldController
from api.resources.contact_budget import ContactPolicyController, customer_contact_budget
from api.resources.contacts import ContactController
from api.resources.customers import CustomerController
from api.resources.data import DataController, QuarantineController
from api.resources.deliveries import WebhookDeliveryController
from api.resources.dunning_policy import DunningPolicyController
from api.resources.effects import EffectController
from api.resources.endpoints import EndpointController
from api.resources.heads_up_groups import HeadsUpGroupController
from api.resources.holding import HoldingController, MetricController
from api.resources.impact import DoNotDisturbController, ImpactController
from api.resources.judgement import JudgementController, disagreements
from api.resources.meetings import MeetingController
from api.resources.messages import MessageController
from api.resources.models import ModelController
from api.resources.monitor import MonitorController
from api.resources.notifications import NotificationController
from api.resources.office import AttentionController, colleagues, decisions
from api.resources.own_signals import OwnSignalController
from api.resources.pauses import PauseController
from api.resources.playbooks import PlaybookController, schema_of_playbooks
from api.resources.run_control import RunControlController, RunRequestController
from api.resources.runs import InstallationController, InterventionController
from api.resources.sending import SendingController
from api.resources.signals import SignalController
from api.resources.suppressions import SuppressionController
from api.resources.tiers import ScoreHistoryController, TierController
from api.resources.uploads import UploadController, saved_mappings
from api.resources.webhook_events import WebhookEventController
from api.resources.weights import HealthPolicyController
from api.resources.win_back_policy import WinBackPolicyController, offer_totals
from api.resources.work import HeadsUpController, TaskController


def api_router() -> Router:
    """Return every resource."""
    return Router(
        "/api",
        route_handlers=[
            CustomerController,
            ScoreHistoryController,
            TierController,
            ContactController,
            TaskController,
            HeadsUpController,
            HeadsUpGroupController,
            NotificationController,
            InterventionController,
            MeetingController,
            PlaybookController,
            schema_of_playbooks,
            RunControlController,
            RunRequestController,
            PauseController,
            CaseResource,
            OfferResource,
            MonitorController,
            EffectController,
            ImpactController,
            DoNotDisturbController,
            InstallationController,
            AttentionController,
            ContactPolicyController,
            DunningPolicyController,
            customer_contact_budget,
            WinBackPolicyController,
            offer_totals,
            SendingController,
            SuppressionController,
            MessageController,
            HealthPolicyController,
            JudgementController,
            disagreements,
            HoldingController,
            MetricController,
            WebhookDeliveryController,
            EndpointController,
            WebhookEventController,
            SignalController,
            OwnSignalController,
            ModelController,
            BacktestController,
            FieldController,
            ConditionController,
            colleagues,
            decisions,
            DataController,
            QuarantineController,
            UploadController,
            saved_mappings,
        ],
    )
