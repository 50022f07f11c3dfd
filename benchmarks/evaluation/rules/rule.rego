# The rule of benchmarks/rule in Rego.
package benchmark

import rego.v1

answer := {"outcome": outcome, "score": score, "reasons": found}

score := min([sum([reason.weight | some reason in found]), 1000])

default outcome := "approve"

outcome := "decline" if {
	score >= data.parameters.decline_from
} else := "review" if {
	score >= data.parameters.review_from
} else := "challenge" if {
	score >= data.parameters.challenge_from
}

found contains {"weight": 150, "code": "amount.large", "message": "the amount is large"} if {
	input.payment.amount.minor_units > data.parameters.large_amount
}

found contains {"weight": 60, "code": "currency.unusual", "message": "the currency is unusual"} if {
	not input.payment.amount.currency in {"CNY", "EUR", "USD", "HKD", "SGD"}
}

found contains {"weight": 100, "code": "category.risky", "message": "the merchant's category is risky"} if {
	input.payment.merchant_category in {"4829", "5967", "6051", "7995"}
}

found contains {"weight": 30, "code": "category.missing", "message": "the merchant has no category"} if {
	not input.payment.merchant_category
}

found contains {"weight": 60, "code": "account.new", "message": "the account is new"} if {
	input.payment.metadata.account == "new"
}

found contains {"weight": 80, "code": "card.prepaid", "message": "the card is prepaid"} if {
	input.payment.card.bin in {"40000300", "42000200", "51000100", "53000400"}
}

found contains {"weight": 50, "code": "card.issuer", "message": "the issuer's country is unknown"} if {
	not input.payment.card.issuer_country
}

found contains {"weight": 120, "code": "country.issuer", "message": "the issuer is in another country than the payer"} if {
	input.payment.card.issuer_country != input.payment.customer.billing_country
}

found contains {"weight": 80, "code": "country.shipping", "message": "the goods go to another country than the bill"} if {
	input.payment.customer.shipping_country != input.payment.customer.billing_country
}

found contains {"weight": 100, "code": "email.disposable", "message": "the e-mail address is disposable"} if {
	some domain in ["@mailinator.com", "@guerrillamail.com", "@10minutemail.com", "@yopmail.com"]
	endswith(input.payment.customer.email, domain)
}

found contains {"weight": 40, "code": "customer.guest", "message": "the merchant does not know the customer"} if {
	not input.payment.customer.id
}

found contains {"weight": 60, "code": "device.missing", "message": "there is no device"} if {
	not input.payment.device
}

found contains {"weight": 150, "code": "device.automated", "message": "the browser is a program"} if {
	some name in ["HeadlessChrome", "python-requests", "PhantomJS"]
	contains(input.payment.device.user_agent, name)
}

found contains {"weight": 100, "code": "country.device", "message": "the device is in another country than the payer"} if {
	input.payment.device.ip_country != input.payment.customer.billing_country
}

found contains {"weight": 120, "code": "country.risky", "message": "the device is in a risky country"} if {
	input.payment.device.ip_country in data.parameters.risky_countries
}

found contains {"weight": 40, "code": "ip.private", "message": "the address is a private one"} if {
	some prefix in ["10.", "192.168."]
	startswith(input.payment.device.ip, prefix)
}

found contains {"weight": 120, "code": "velocity.card.count_1h", "message": sprintf("%d payments of this card within 1 hour, the limit is %d", [input.features.card_count_1h, data.parameters.max_card_count_1h])} if {
	input.features.card_count_1h > data.parameters.max_card_count_1h
}

found contains {"weight": 80, "code": "velocity.card.count_24h", "message": sprintf("%d payments of this card within 24 hours, the limit is %d", [input.features.card_count_24h, 12])} if {
	input.features.card_count_24h > 12
}

found contains {"weight": 100, "code": "velocity.card.amount_24h", "message": sprintf("%d in minor units with this card within 24 hours, the limit is %d", [input.features.card_amount_24h, data.parameters.max_card_amount_24h])} if {
	input.features.card_amount_24h > data.parameters.max_card_amount_24h
}

found contains {"weight": 100, "code": "velocity.device.cards_24h", "message": sprintf("%d cards with this device within 24 hours, the limit is %d", [input.features.device_cards_24h, 3])} if {
	input.features.device_cards_24h > 3
}

found contains {"weight": 80, "code": "velocity.email.cards_24h", "message": sprintf("%d cards with this e-mail address within 24 hours, the limit is %d", [input.features.email_cards_24h, 3])} if {
	input.features.email_cards_24h > 3
}

found contains {"weight": 70, "code": "velocity.ip.count_1h", "message": sprintf("%d payments from this address within 1 hour, the limit is %d", [input.features.ip_count_1h, 20])} if {
	input.features.ip_count_1h > 20
}
