// Declines a payment when its card or its device pays too often, or too much, in a short time.
//
// The same rule as plugins/velocity-limit, which says why it is so, in JavaScript.

import { emitSignal } from "portcullis:policy/host@0.1.0";

const SCORE_OVER_LIMIT = 900;

// The longest message that a reason may have.
const MAX_ADVICE_BYTES = 512;

export function describe() {
    const velocity = (name, subject, measure, windowSeconds) => ({
        name,
        spec: { tag: "velocity", val: { subject, measure: { tag: measure }, filter: "attempted", windowSeconds } },
    });
    return {
        summary: "Declines when a card or a device pays too often within an hour or too much within a day",
        reads: { card: false, customer: false, device: true, metadata: true },
        features: [
            velocity("card_count_1h", "card", "count", 3600),
            velocity("card_amount_24h", "card", "amount", 86400),
            velocity("device_count_1h", "device", "count", 3600),
            velocity("device_amount_24h", "device", "amount", 86400),
        ],
        parameters: [
            { name: "max_count", value: { tag: "integer", val: 5n } },
            { name: "max_amount", value: { tag: "integer", val: 5000000n } },
            { name: "exempt", value: { tag: "texts", val: [] } },
            { name: "advice", value: { tag: "text", val: "" } },
            { name: "explain", value: { tag: "flag", val: false } },
        ],
    };
}

// What is thrown is the error for the gateway's log.
export function evaluate({ payment, features, parameters }) {
    // Parameters and features come in the order of the descriptor.
    const [maxCount, maxAmount, marks, advice, explain] = parameters.map(({ value }) => value.val);
    refuseNegative("max_count", maxCount);
    refuseNegative("max_amount", maxAmount);
    const exempt = isExempt(payment, marks);
    const adviceBytes = lengthInUtf8(advice);
    if (adviceBytes > MAX_ADVICE_BYTES) throw `parameter advice has ${adviceBytes} bytes, expected at most 512`;

    const missing = features.filter(({ value }) => value.tag === "unavailable").map(({ name }) => name);
    if (missing.length > 0) emitSignal("velocity.unavailable", missing.join(", "));

    const [cardCount, cardAmount, deviceCount, deviceAmount] = features.map(({ value }) => value);
    const decision = {
        outcome: "approve",
        score: 0,
        reasons: [
            ...overLimits("card", cardCount, cardAmount, maxCount, maxAmount),
            ...overLimits("device", deviceCount, deviceAmount, maxCount, maxAmount),
        ],
    };
    if (decision.reasons.length > 0 && exempt) {
        const message = "a limit is passed by a payment that is exempt from it";
        decision.reasons = [{ code: "velocity.exempt", message }];
    } else if (decision.reasons.length > 0) {
        decision.outcome = "decline";
        decision.score = SCORE_OVER_LIMIT;
        if (advice !== "") decision.reasons.push({ code: "velocity.advice", message: advice });
    }
    if (explain) decision.reasons.push({ code: "velocity.payment", message: explanation(payment) });
    return decision;
}

function refuseNegative(name, limit) {
    if (limit < 0n) throw `parameter ${name} is ${limit}, expected 0 or more`;
}

// A reason for each limit that is passed. A limit that is just reached is kept, and a feature that is unavailable limits
// nothing.
function overLimits(subject, count, amount, maxCount, maxAmount) {
    const reasons = [];
    if (count.tag === "count" && count.val > maxCount) {
        const message = `${count.val} payments of this ${subject} within 1 hour, the limit is ${maxCount}`;
        reasons.push({ code: `velocity.${subject}.count`, message });
    }
    if (amount.tag === "amount" && amount.val > maxAmount) {
        const message = `${amount.val} paid by this ${subject} within 24 hours, the limit is ${maxAmount}`;
        reasons.push({ code: `velocity.${subject}.amount`, message });
    }
    return reasons;
}

// Whether the payment carries one of these marks. All are looked at, so that one of no known kind never goes unnoticed.
function isExempt(payment, marks) {
    const carries = (mark) => {
        const colon = mark.indexOf(":");
        const what = mark.slice(colon + 1);
        switch (mark.slice(0, Math.max(colon, 0))) {
            case "merchant":
                return payment.merchantId === what;
            case "category":
                return payment.merchantCategory === what;
            case "device":
                return payment.device?.id === what;
            case "metadata":
                return payment.metadata.some(([key, value]) => `${key}=${value}` === what);
            default:
                throw (
                    `parameter exempt has \`${mark}\`, ` +
                    "expected merchant:, category:, device: or metadata: before what is exempt"
                );
        }
    };
    return marks.map(carries).includes(true);
}

function explanation({ id, merchantId, amount, createdAt }) {
    return `payment ${id} of ${merchantId}, ${amount.minorUnits} ${amount.currency} at ${createdAt}`;
}

// `length` counts UTF-16 units, and the bound is one of bytes.
function lengthInUtf8(text) {
    let bytes = 0;
    for (const character of text) {
        const code = character.codePointAt(0);
        bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    }
    return bytes;
}
