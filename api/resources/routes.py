"""The routes under `/api`."""

from litestar import Router

from api.resources.contacts import ContactController
from api.resources.customers import CustomerController
from api.resources.data import DataController, QuarantineController
from api.resources.deliveries import WebhookDeliveryController
from api.resources.holding import HoldingController, MetricController
from api.resources.monitor import MonitorController
from api.resources.office import AttentionController, colleagues, decisions
from api.resources.own_signals import OwnSignalController
from api.resources.pauses import PauseController
from api.resources.run_control import RunControlController, RunRequestController
from api.resources.runs import InstallationController, InterventionController, PlaybookController
from api.resources.signals import SignalController
from api.resources.uploads import UploadController, saved_mappings
from api.resources.work import HeadsUpController, TaskController


def api_router() -> Router:
    """Return every resource."""
    return Router(
        "/api",
        route_handlers=[
            CustomerController,
            ContactController,
            TaskController,
            HeadsUpController,
            InterventionController,
            PlaybookController,
            RunControlController,
            RunRequestController,
            PauseController,
            MonitorController,
            InstallationController,
            AttentionController,
            HoldingController,
            MetricController,
            WebhookDeliveryController,
            SignalController,
            OwnSignalController,
            colleagues,
            decisions,
            DataController,
            QuarantineController,
            UploadController,
            saved_mappings,
        ],
    )
