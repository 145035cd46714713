"""Invoices that the customer pays by transfer: reminders, a call, and an end."""

from domain.dunning_options import Option, Plan
from domain.dunning_state import Question, Sight
from domain.time import after

CALL = "call"


def transfer_options(sight: Sight) -> Plan:
    """Return what comes beside the letters: a person calls, and the time runs out."""
    rules, memory = sight.policy.transfers, sight.memory
    over_at = sight.since_anchor(rules.within_days)
    if sight.now >= over_at or memory.over_at is not None:
        memory = memory.model_copy(update={"over_at": memory.over_at or over_at})
    options: list[Option] = []
    if CALL not in memory.asked:
        options.append(Option(sight.since_anchor(rules.task_after_days), question=CALL_THEM))
    ends = None
    if memory.final_notice_at is not None:
        ends = after(max(over_at, memory.final_notice_at), sight.policy.grace)
        options.append(Option(ends))
    return Plan(memory, tuple(options), over_at, ends)


CALL_THEM = Question(
    CALL,
    "Call about an unpaid invoice",
    "The transfer has not come, and reminders were sent. Ask whether the invoice arrived, who approves "
    "it, and when it will be paid. The case goes on by itself until the money is there.",
)
