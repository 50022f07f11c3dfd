// Declines a payment when its card or its device pays too often, or too much, in a short time.
//
// The same rule as plugins/velocity-limit, which says why it is so, in C. generated/ is what wit-bindgen makes of the
// contract. What is returned to the gateway must come from malloc: the generated code frees it.

#include <stdlib.h>
#include <string.h>

#include "generated/risk_policy.h"

typedef risk_policy_string_t text_t;
typedef portcullis_policy_types_payment_t payment_t;
typedef portcullis_policy_types_feature_value_t feature_t;

static const uint16_t SCORE_OVER_LIMIT = 900;
static const size_t MAX_ADVICE_BYTES = 512;

// The features that the policy asks for, in this order.
enum { CARD_COUNT, CARD_AMOUNT, DEVICE_COUNT, DEVICE_AMOUNT, FEATURES };

static const struct {
    const char *name;
    uint8_t subject, measure;
    uint32_t window_seconds;
} ASKED[FEATURES] = {
    {"card_count_1h", PORTCULLIS_POLICY_TYPES_SUBJECT_CARD, PORTCULLIS_POLICY_TYPES_VELOCITY_MEASURE_COUNT, 3600},
    {"card_amount_24h", PORTCULLIS_POLICY_TYPES_SUBJECT_CARD, PORTCULLIS_POLICY_TYPES_VELOCITY_MEASURE_AMOUNT, 86400},
    {"device_count_1h", PORTCULLIS_POLICY_TYPES_SUBJECT_DEVICE, PORTCULLIS_POLICY_TYPES_VELOCITY_MEASURE_COUNT, 3600},
    {"device_amount_24h", PORTCULLIS_POLICY_TYPES_SUBJECT_DEVICE, PORTCULLIS_POLICY_TYPES_VELOCITY_MEASURE_AMOUNT, 86400},
};

// The parameters that it offers, in this order.
enum { MAX_COUNT, MAX_AMOUNT, EXEMPT, ADVICE, EXPLAIN, PARAMETERS };

// --- Texts: bytes and a length. They may hold a NUL, so nothing of string.h that looks for one is of use. ------------

static void *allocate(size_t size) {
    void *memory = malloc(size);
    if (memory == NULL) abort(); // out_of_memory, and the failure mode decides
    return memory;
}

static void append(text_t *text, const void *bytes, size_t length) {
    if (length == 0) return;
    text->ptr = realloc(text->ptr, text->len + length);
    if (text->ptr == NULL) abort();
    memcpy(text->ptr + text->len, bytes, length);
    text->len += length;
}

static void append_literal(text_t *text, const char *literal) { append(text, literal, strlen(literal)); }

static void append_text(text_t *text, text_t other) { append(text, other.ptr, other.len); }

static void append_unsigned(text_t *text, uint64_t number) {
    char digits[20];
    size_t first = sizeof digits;
    do {
        digits[--first] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    append(text, digits + first, sizeof digits - first);
}

static void append_signed(text_t *text, int64_t number) {
    if (number < 0) append_literal(text, "-");
    append_unsigned(text, number < 0 ? -(uint64_t)number : (uint64_t)number);
}

static text_t copy(const char *literal) {
    text_t text = {NULL, 0};
    append_literal(&text, literal);
    return text;
}

static bool equal(text_t a, text_t b) { return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0); }

// Whether the text begins so; `rest` is then what follows.
static bool begins_with(text_t text, const char *start, text_t *rest) {
    size_t length = strlen(start);
    if (text.len < length || memcmp(text.ptr, start, length) != 0) return false;
    *rest = (text_t){text.ptr + length, text.len - length};
    return true;
}

// --- The rule --------------------------------------------------------------------------------------------------------

static void add_reason(risk_policy_decision_t *decision, text_t code, text_t message) {
    size_t count = decision->reasons.len + 1;
    decision->reasons.ptr = realloc(decision->reasons.ptr, count * sizeof *decision->reasons.ptr);
    if (decision->reasons.ptr == NULL) abort();
    decision->reasons.ptr[count - 1] = (portcullis_policy_types_reason_t){code, message};
    decision->reasons.len = count;
}

static void over_limit(risk_policy_decision_t *decision, const char *subject, const char *measure, text_t message) {
    text_t code = copy("velocity.");
    append_literal(&code, subject);
    append_literal(&code, measure);
    decision->outcome = PORTCULLIS_POLICY_TYPES_OUTCOME_DECLINE;
    decision->score = SCORE_OVER_LIMIT;
    add_reason(decision, code, message);
}

// Declines over a limit, with a reason for each limit that is passed. A limit that is just reached is kept, and a feature
// that is unavailable limits nothing.
static void hold_against_limits(risk_policy_decision_t *decision, const char *subject, feature_t count,
                                feature_t amount, uint64_t max_count, int64_t max_amount) {
    if (count.tag == PORTCULLIS_POLICY_TYPES_FEATURE_VALUE_COUNT && count.val.count > max_count) {
        text_t message = {NULL, 0};
        append_unsigned(&message, count.val.count);
        append_literal(&message, " payments of this ");
        append_literal(&message, subject);
        append_literal(&message, " within 1 hour, the limit is ");
        append_unsigned(&message, max_count);
        over_limit(decision, subject, ".count", message);
    }
    if (amount.tag == PORTCULLIS_POLICY_TYPES_FEATURE_VALUE_AMOUNT && amount.val.amount > max_amount) {
        text_t message = {NULL, 0};
        append_signed(&message, amount.val.amount);
        append_literal(&message, " paid by this ");
        append_literal(&message, subject);
        append_literal(&message, " within 24 hours, the limit is ");
        append_signed(&message, max_amount);
        over_limit(decision, subject, ".amount", message);
    }
}

static bool has_metadata(const payment_t *payment, text_t entry) {
    bool found = false;
    for (size_t i = 0; i < payment->metadata.len && !found; i++) {
        text_t joined = {NULL, 0};
        append_text(&joined, payment->metadata.ptr[i].f0);
        append_literal(&joined, "=");
        append_text(&joined, payment->metadata.ptr[i].f1);
        found = equal(joined, entry);
        free(joined.ptr);
    }
    return found;
}

// Whether the payment carries one of the marks. False, with the error, when a mark is of no known kind.
static bool is_exempt(const payment_t *payment, risk_policy_list_string_t marks, bool *exempt, text_t *error) {
    *exempt = false;
    for (size_t i = 0; i < marks.len; i++) {
        text_t mark = marks.ptr[i], rest;
        if (begins_with(mark, "merchant:", &rest)) {
            *exempt |= equal(payment->merchant_id, rest);
        } else if (begins_with(mark, "category:", &rest)) {
            *exempt |= payment->merchant_category.is_some && equal(payment->merchant_category.val, rest);
        } else if (begins_with(mark, "device:", &rest)) {
            *exempt |= payment->device.is_some && payment->device.val.id.is_some &&
                       equal(payment->device.val.id.val, rest);
        } else if (begins_with(mark, "metadata:", &rest)) {
            *exempt |= has_metadata(payment, rest);
        } else {
            *error = copy("parameter exempt has `");
            append_text(error, mark);
            append_literal(error, "`, expected merchant:, category:, device: or metadata: before what is exempt");
            return false;
        }
    }
    return true;
}

static text_t explanation(const payment_t *payment) {
    text_t message = copy("payment ");
    append_text(&message, payment->id);
    append_literal(&message, " of ");
    append_text(&message, payment->merchant_id);
    append_literal(&message, ", ");
    append_signed(&message, payment->amount.minor_units);
    append_literal(&message, " ");
    append_text(&message, payment->amount.currency);
    append_literal(&message, " at ");
    append_unsigned(&message, payment->created_at);
    return message;
}

static void signal_unavailable(const feature_t features[FEATURES]) {
    text_t missing = {NULL, 0};
    for (size_t i = 0; i < FEATURES; i++) {
        if (features[i].tag != PORTCULLIS_POLICY_TYPES_FEATURE_VALUE_UNAVAILABLE) continue;
        if (missing.len > 0) append_literal(&missing, ", ");
        append_literal(&missing, ASKED[i].name);
    }
    if (missing.len > 0) {
        text_t code = copy("velocity.unavailable");
        portcullis_policy_host_emit_signal(&code, &missing);
    }
}

// The generated code insists on an object file with the contract in it. `portcullis policy build` writes that in instead.
void __component_type_object_force_link_risk_policy(void);
void __component_type_object_force_link_risk_policy(void) {}

// --- The two functions of the contract -------------------------------------------------------------------------------

void exports_risk_policy_describe(risk_policy_descriptor_t *descriptor) {
    descriptor->summary = copy("Declines when a card or a device pays too often within an hour or too much within a day");
    descriptor->reads =
        PORTCULLIS_POLICY_TYPES_PAYMENT_PARTS_DEVICE | PORTCULLIS_POLICY_TYPES_PAYMENT_PARTS_METADATA;

    portcullis_policy_types_named_feature_spec_t *features = allocate(FEATURES * sizeof *features);
    for (size_t i = 0; i < FEATURES; i++) {
        features[i].name = copy(ASKED[i].name);
        features[i].spec.tag = PORTCULLIS_POLICY_TYPES_FEATURE_SPEC_VELOCITY;
        features[i].spec.val.velocity = (portcullis_policy_types_velocity_feature_t){
            .subject = ASKED[i].subject,
            .measure = {.tag = ASKED[i].measure},
            .filter = PORTCULLIS_POLICY_TYPES_PAYMENT_FILTER_ATTEMPTED,
            .window_seconds = ASKED[i].window_seconds,
        };
    }
    descriptor->features = (portcullis_policy_types_list_named_feature_spec_t){features, FEATURES};

    portcullis_policy_types_parameter_t *parameters = allocate(PARAMETERS * sizeof *parameters);
    parameters[MAX_COUNT] = (portcullis_policy_types_parameter_t){
        copy("max_count"), {PORTCULLIS_POLICY_TYPES_PARAMETER_VALUE_INTEGER, {.integer = 5}}};
    parameters[MAX_AMOUNT] = (portcullis_policy_types_parameter_t){
        copy("max_amount"), {PORTCULLIS_POLICY_TYPES_PARAMETER_VALUE_INTEGER, {.integer = 5000000}}};
    parameters[EXEMPT] = (portcullis_policy_types_parameter_t){
        copy("exempt"), {PORTCULLIS_POLICY_TYPES_PARAMETER_VALUE_TEXTS, {.texts = {NULL, 0}}}};
    parameters[ADVICE] = (portcullis_policy_types_parameter_t){
        copy("advice"), {PORTCULLIS_POLICY_TYPES_PARAMETER_VALUE_TEXT, {.text = {NULL, 0}}}};
    parameters[EXPLAIN] = (portcullis_policy_types_parameter_t){
        copy("explain"), {PORTCULLIS_POLICY_TYPES_PARAMETER_VALUE_FLAG, {.flag = false}}};
    descriptor->parameters = (portcullis_policy_types_list_parameter_t){parameters, PARAMETERS};
}

static bool refuse_limit(const char *name, int64_t value, text_t *error) {
    *error = copy("parameter ");
    append_literal(error, name);
    append_literal(error, " is ");
    append_signed(error, value);
    append_literal(error, ", expected 0 or more");
    return false;
}

// True with a decision, false with an error for the gateway's log.
bool exports_risk_policy_evaluate(risk_policy_request_t *request, risk_policy_decision_t *decision, text_t *error) {
    const payment_t *payment = &request->payment;
    const portcullis_policy_types_parameter_t *parameters = request->parameters.ptr;
    int64_t max_count = parameters[MAX_COUNT].value.val.integer;
    int64_t max_amount = parameters[MAX_AMOUNT].value.val.integer;
    if (max_count < 0) return refuse_limit("max_count", max_count, error);
    if (max_amount < 0) return refuse_limit("max_amount", max_amount, error);
    bool exempt;
    if (!is_exempt(payment, parameters[EXEMPT].value.val.texts, &exempt, error)) return false;
    text_t advice = parameters[ADVICE].value.val.text;
    if (advice.len > MAX_ADVICE_BYTES) {
        *error = copy("parameter advice has ");
        append_unsigned(error, advice.len);
        append_literal(error, " bytes, expected at most 512");
        return false;
    }

    feature_t features[FEATURES];
    for (size_t i = 0; i < FEATURES; i++) features[i] = request->features.ptr[i].value;
    signal_unavailable(features);

    *decision = (risk_policy_decision_t){PORTCULLIS_POLICY_TYPES_OUTCOME_APPROVE, 0, {NULL, 0}};
    hold_against_limits(decision, "card", features[CARD_COUNT], features[CARD_AMOUNT], (uint64_t)max_count, max_amount);
    hold_against_limits(decision, "device", features[DEVICE_COUNT], features[DEVICE_AMOUNT], (uint64_t)max_count,
                        max_amount);
    if (decision->outcome == PORTCULLIS_POLICY_TYPES_OUTCOME_DECLINE) {
        if (exempt) {
            *decision = (risk_policy_decision_t){PORTCULLIS_POLICY_TYPES_OUTCOME_APPROVE, 0, {NULL, 0}};
            add_reason(decision, copy("velocity.exempt"), copy("a limit is passed by a payment that is exempt from it"));
        } else if (advice.len > 0) {
            text_t message = {NULL, 0};
            append_text(&message, advice);
            add_reason(decision, copy("velocity.advice"), message);
        }
    }
    if (parameters[EXPLAIN].value.val.flag) add_reason(decision, copy("velocity.payment"), explanation(payment));
    return true;
}
