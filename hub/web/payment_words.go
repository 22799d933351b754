package web

import "github.com/tillpost/tillpost/shared/retail"

// paymentText words where a card payment stands at the gateway.
func paymentText(s retail.PaymentState) string {
	text := map[retail.PaymentState]string{retail.PaymentOpen: "open: may still change", retail.PaymentClosed: "closed: sent for settlement", retail.PaymentVoided: "voided: no money moves",
		retail.PaymentReversed: "reversed: no money moves", retail.PaymentDeclined: "declined", retail.PaymentInactive: "inactive: will not settle as it stands",
		retail.PaymentTimedOut: "timed out: its outcome is not known"}[s]
	if text == "" {
		text = string(s)
	}
	return text
}

// sureText words how sure it is that a payment belongs to a ticket.
func sureText(confidence string) string {
	text := map[string]string{"certain": "certain: till and gateway share a number", "strong": "strong: it could hardly be another", "likely": "likely",
		"weak": "weak: another might fit as well"}[confidence]
	if text == "" {
		text = confidence
	}
	return text
}
