// Declines a payment when its card or its device pays too often, or too much, in a short time.
//
// The same rule as plugins/velocity-limit, which says why it is so, in Go. contract.go is the glue.
package main

import (
	"fmt"
	"strings"
	"unsafe"
)

const (
	scoreOverLimit = 900
	maxAdviceBytes = 512 // the longest message that a reason may have
)

// A library needs no main, and the linker insists on one.
func main() {}

//go:wasmexport describe
func describe() unsafe.Pointer {
	velocity := func(name string, subject, measure uint8, windowSeconds uint32) namedVelocity {
		return namedVelocity{
			name: toText(name), subject: subject, measure: measure,
			filter: filterAttempted, windowSeconds: windowSeconds,
		}
	}
	return answer(descriptor{
		summary: toText("Declines when a card or a device pays too often within an hour or too much within a day"),
		reads:   readsDevice | readsMetadata,
		features: toList([]namedVelocity{
			velocity("card_count_1h", subjectCard, measureCount, 3600),
			velocity("card_amount_24h", subjectCard, measureAmount, 86400),
			velocity("device_count_1h", subjectDevice, measureCount, 3600),
			velocity("device_amount_24h", subjectDevice, measureAmount, 86400),
		}),
		parameters: toList([]parameter{
			{name: toText("max_count"), kind: parameterInteger, value: 5},
			{name: toText("max_amount"), kind: parameterInteger, value: 5_000_000},
			{name: toText("exempt"), kind: parameterTexts},
			{name: toText("advice"), kind: parameterText},
			{name: toText("explain"), kind: parameterFlag},
		}),
	})
}

//go:wasmexport evaluate
func evaluate(at unsafe.Pointer) unsafe.Pointer {
	decision, err := decide((*request)(at))
	if err != nil {
		return answer(refused{isError: true, error: toText(err.Error())})
	}
	return answer(decision)
}

// An error is for the gateway's log, and the failure mode decides.
func decide(request *request) (accepted, error) {
	payment := &request.payment
	// Parameters and features come in the order of the descriptor.
	parameters := elements[parameter](request.parameters)
	maxCount, maxAmount := int64(parameters[0].value), int64(parameters[1].value)
	if maxCount < 0 {
		return accepted{}, fmt.Errorf("parameter max_count is %d, expected 0 or more", maxCount)
	}
	if maxAmount < 0 {
		return accepted{}, fmt.Errorf("parameter max_amount is %d, expected 0 or more", maxAmount)
	}
	exempt, err := isExempt(payment, parameters[2])
	if err != nil {
		return accepted{}, err
	}
	adviceAt, adviceBytes := halves(parameters[3].value)
	if adviceBytes > maxAdviceBytes {
		return accepted{}, fmt.Errorf("parameter advice has %d bytes, expected at most 512", adviceBytes)
	}
	advice := text{at: adviceAt, len: adviceBytes}
	explain := parameters[4].value&1 == 1

	features := elements[feature](request.features)
	signalUnavailable(features)
	reasons := overLimits(nil, "card", features[0], features[1], uint64(maxCount), maxAmount)
	reasons = overLimits(reasons, "device", features[2], features[3], uint64(maxCount), maxAmount)
	decision := accepted{outcome: approve}
	switch {
	case len(reasons) == 0:
	case exempt:
		reasons = []reason{because("velocity.exempt", "a limit is passed by a payment that is exempt from it")}
	default:
		decision.outcome, decision.score = decline, scoreOverLimit
		if advice.len > 0 {
			reasons = append(reasons, because("velocity.advice", advice.String()))
		}
	}
	if explain {
		reasons = append(reasons, because("velocity.payment", explanation(payment)))
	}
	decision.reasons = toList(reasons)
	return decision, nil
}

// Adds a reason for each limit that is passed. A limit that is just reached is kept, and a feature that is unavailable
// limits nothing.
func overLimits(reasons []reason, subject string, count, amount feature, maxCount uint64, maxAmount int64) []reason {
	if count.kind == featureCount && count.value > maxCount {
		message := fmt.Sprintf("%d payments of this %s within 1 hour, the limit is %d", count.value, subject, maxCount)
		reasons = append(reasons, because("velocity."+subject+".count", message))
	}
	if sum := int64(amount.value); amount.kind == featureAmount && sum > maxAmount {
		message := fmt.Sprintf("%d paid by this %s within 24 hours, the limit is %d", sum, subject, maxAmount)
		reasons = append(reasons, because("velocity."+subject+".amount", message))
	}
	return reasons
}

// Whether the payment carries one of the marks.
func isExempt(payment *payment, marks parameter) (exempt bool, err error) {
	at, length := halves(marks.value)
	for _, mark := range elements[text](list{at: at, len: length}) {
		kind, what, found := strings.Cut(mark.String(), ":")
		switch {
		case found && kind == "merchant":
			exempt = exempt || payment.merchantID.String() == what
		case found && kind == "category":
			exempt = exempt || payment.merchantCategory.is(what)
		case found && kind == "device":
			exempt = exempt || payment.device.some && payment.device.id.is(what)
		case found && kind == "metadata":
			for _, entry := range elements[entry](payment.metadata) {
				exempt = exempt || entry.key.String()+"="+entry.value.String() == what
			}
		default:
			return false, fmt.Errorf("parameter exempt has `%s`, expected merchant:, category:, device: or metadata: "+
				"before what is exempt", mark)
		}
	}
	return exempt, nil
}

func signalUnavailable(features []feature) {
	var missing []string
	for _, feature := range features {
		if feature.kind == featureUnavailable {
			missing = append(missing, feature.name.String())
		}
	}
	if len(missing) > 0 {
		emitSignal("velocity.unavailable", strings.Join(missing, ", "))
	}
}

func explanation(payment *payment) string {
	return fmt.Sprintf("payment %s of %s, %d %s at %d",
		payment.id, payment.merchantID, payment.minorUnits, payment.currency, payment.createdAt)
}

func because(code, message string) reason {
	return reason{code: toText(code), message: toText(message)}
}
