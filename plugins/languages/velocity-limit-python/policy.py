"""Declines a payment when its card or its device pays too often, or too much, in a short time.

The same rule as plugins/velocity-limit, which says why it is so, in Python. componentize-py runs this module once, at build
time, and keeps the interpreter as it is after that: what is made here costs no payment anything.
"""

from componentize_py_types import Err
from wit_world import WitWorld
from wit_world.imports import host
from wit_world.imports.types import (
    Decision,
    Descriptor,
    FeatureSpec_Velocity,
    FeatureValue,
    FeatureValue_Unavailable,
    NamedFeatureSpec,
    Outcome,
    Parameter,
    ParameterValue_Flag,
    ParameterValue_Integer,
    ParameterValue_Text,
    ParameterValue_Texts,
    Payment,
    PaymentFilter,
    PaymentParts,
    Reason,
    Request,
    Subject,
    VelocityFeature,
    VelocityMeasure_Amount,
    VelocityMeasure_Count,
)

SCORE_OVER_LIMIT = 900

# The longest message that a reason may have.
MAX_ADVICE_BYTES = 512


class WitWorld(WitWorld):
    """The two functions of the contract."""

    def describe(self) -> Descriptor:
        attempted = PaymentFilter.ATTEMPTED
        count, amount = VelocityMeasure_Count(), VelocityMeasure_Amount()
        features = {
            "card_count_1h": VelocityFeature(Subject.CARD, count, attempted, 3_600),
            "card_amount_24h": VelocityFeature(Subject.CARD, amount, attempted, 86_400),
            "device_count_1h": VelocityFeature(Subject.DEVICE, count, attempted, 3_600),
            "device_amount_24h": VelocityFeature(Subject.DEVICE, amount, attempted, 86_400),
        }
        return Descriptor(
            summary="Declines when a card or a device pays too often within an hour or too much within a day",
            reads=PaymentParts.DEVICE | PaymentParts.METADATA,
            features=[NamedFeatureSpec(name, FeatureSpec_Velocity(spec)) for name, spec in features.items()],
            parameters=[
                Parameter("max_count", ParameterValue_Integer(5)),
                Parameter("max_amount", ParameterValue_Integer(5_000_000)),
                Parameter("exempt", ParameterValue_Texts([])),
                Parameter("advice", ParameterValue_Text("")),
                Parameter("explain", ParameterValue_Flag(False)),
            ],
        )

    def evaluate(self, request: Request) -> Decision:
        """Raising `Err` answers an error, for the log of the gateway."""
        payment = request.payment
        # Parameters and features come in the order of the descriptor.
        max_count, max_amount, marks, advice, explain = (p.value.value for p in request.parameters)
        for name, limit in (("max_count", max_count), ("max_amount", max_amount)):
            if limit < 0:
                raise Err(f"parameter {name} is {limit}, expected 0 or more")
        exempt = is_exempt(payment, marks)
        if (advice_bytes := len(advice.encode())) > MAX_ADVICE_BYTES:
            raise Err(f"parameter advice has {advice_bytes} bytes, expected at most 512")

        missing = [f.name for f in request.features if isinstance(f.value, FeatureValue_Unavailable)]
        if missing:
            host.emit_signal("velocity.unavailable", ", ".join(missing))

        card_count, card_amount, device_count, device_amount = (f.value for f in request.features)
        reasons = over_limits("card", card_count, card_amount, max_count, max_amount)
        reasons += over_limits("device", device_count, device_amount, max_count, max_amount)
        outcome, score = Outcome.APPROVE, 0
        if reasons and exempt:
            reasons = [Reason("velocity.exempt", "a limit is passed by a payment that is exempt from it")]
        elif reasons:
            outcome, score = Outcome.DECLINE, SCORE_OVER_LIMIT
            if advice:
                reasons.append(Reason("velocity.advice", advice))
        if explain:
            reasons.append(Reason("velocity.payment", explanation(payment)))
        return Decision(outcome, score, reasons)


def over_limits(
    subject: str, count: FeatureValue, amount: FeatureValue, max_count: int, max_amount: int
) -> list[Reason]:
    """A reason for each limit that is passed. A limit that is just reached is kept, and a feature that is unavailable
    limits nothing."""
    reasons = []
    if not isinstance(count, FeatureValue_Unavailable) and count.value > max_count:
        message = f"{count.value} payments of this {subject} within 1 hour, the limit is {max_count}"
        reasons.append(Reason(f"velocity.{subject}.count", message))
    if not isinstance(amount, FeatureValue_Unavailable) and amount.value > max_amount:
        message = f"{amount.value} paid by this {subject} within 24 hours, the limit is {max_amount}"
        reasons.append(Reason(f"velocity.{subject}.amount", message))
    return reasons


def is_exempt(payment: Payment, marks: list[str]) -> bool:
    """Whether the payment carries one of these marks."""
    exempt = False
    for mark in marks:
        match mark.split(":", 1):
            case ["merchant", merchant_id]:
                exempt |= payment.merchant_id == merchant_id
            case ["category", code]:
                exempt |= payment.merchant_category == code
            case ["device", device_id]:
                exempt |= payment.device is not None and payment.device.id == device_id
            case ["metadata", entry]:
                exempt |= any(f"{key}={value}" == entry for key, value in payment.metadata)
            case _:
                raise Err(
                    f"parameter exempt has `{mark}`, "
                    "expected merchant:, category:, device: or metadata: before what is exempt"
                )
    return exempt


def explanation(payment: Payment) -> str:
    amount = payment.amount
    return (
        f"payment {payment.id} of {payment.merchant_id}, "
        f"{amount.minor_units} {amount.currency} at {payment.created_at}"
    )
