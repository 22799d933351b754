package web

import (
	"github.com/tillpost/tillpost/hub/cases"
	"github.com/tillpost/tillpost/hub/view"
	"github.com/tillpost/tillpost/shared/retail"
)

// action is a button of a case.
type action struct {
	What, Text string
	Reason     bool                // asks why
	Account    bool                // asks for an account
	Edit       bool                // shows the record's text
	Form       bool                // shows the location's form
	Date       bool                // asks for an accounting date
	On         retail.BusinessDate // the accounting date that it confirms, "" = none
}

var (
	actRetry   = action{What: "retry", Text: "Try again"}
	actAccept  = action{What: "accept", Text: "Accept as it is", Reason: true}
	actMap     = action{What: "map", Text: "Map the code", Account: true}
	actEdit    = action{What: "edit", Text: "Mend the record and book it", Reason: true, Edit: true}
	actApart   = action{What: "edit", Text: "Book the record under the id you gave it", Reason: true, Edit: true}
	actConfirm = action{What: "confirm", Text: "Confirm"}
	actApprove = action{What: "approve", Text: "Post the day as it is", Reason: true}
	actDate    = action{What: "retry", Text: "Send it on the date given", Date: true}
	actBeside  = action{What: "release", Text: "Post it beside the other entry", Reason: true}
	actClaim   = action{What: "take-over", Text: "Let this hub post, and hold the other one", Reason: true}
	actRelease = action{What: "release", Text: "Release the stream", Reason: true}
)

// actions says what may be done about a cause; the first is what is recommended.
var actions = map[cases.Cause][]action{
	cases.Refused: {actRetry, actEdit, actAccept}, cases.Unbalanced: {actEdit, actRetry, actAccept}, cases.UnknownCode: {actMap, actAccept}, cases.Conflict: {actApart, actAccept},
	cases.UnknownLocation: {{What: "confirm", Text: "Confirm the location", Form: true}}, cases.UnknownTill: {actConfirm}, cases.Stopped: {actRelease},
	cases.NotBack:      {{What: "approve", Text: "Let the books say what is here", Reason: true}},
	cases.MissingProof: {actApprove, actAccept}, cases.ControlTotal: {actAccept, actApprove}, cases.Gap: {actAccept}, cases.SuspenseCap: {actApprove},
	cases.Parked: {actRetry, actDate, actAccept}, cases.LockedPeriod: {actRetry, actDate}, cases.DateShift: {actAccept, actRetry}, cases.TotalDiffers: {actRetry, actAccept},
	cases.ForeignEdit: {actAccept, actRetry}, cases.Deleted: {actRetry, actAccept},
	cases.ShadowDeposit: {actAccept, {What: "approve", Text: "Post the deposit whole", Reason: true}}, cases.OtherHub: {actAccept, actRetry, actBeside}, cases.TwoHubs: {actAccept, actClaim},
	cases.ModeMix: {actRetry, actAccept}, cases.OfflinePayments: {actAccept}, cases.ConnectionRefused: {actAccept}, cases.KeyEnds: {actAccept}, cases.ReleaseEnds: {actAccept},
	cases.CodeGuessed: {actAccept}, cases.CodeStolen: {actAccept}, cases.CertificateCopied: {actAccept},
}

// actionOf is the one recommended action.
func actionOf(c view.CaseView) action {
	if as := actionsOf(c); len(as) > 0 {
		return as[0]
	}
	return actAccept
}

func otherActions(c view.CaseView) []action {
	if as := actionsOf(c); len(as) > 1 {
		return as[1:]
	}
	return nil
}

// actionsOf is what may be done about a case; one that proposes an accounting date wants it confirmed first.
func actionsOf(c view.CaseView) []action {
	as := actions[c.Cause]
	if c.Proposed == "" {
		return as
	}
	return append([]action{{What: "retry", Text: "Let it go to " + date(c.Proposed), On: c.Proposed}}, as...)
}
