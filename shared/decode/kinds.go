// Package decode turns an envelope's body into the record that it means. It is pure and the same at both ends: the agent uses it to
// validate and to show today's figures, the hub to post (DESIGN D1).
package decode

import "github.com/tillpost/tillpost/shared/envelope"

// The kinds of body that exist beside those of a vendor's API, which its own package lists (heartland/hretail). A new one is a new constant,
// never a changed meaning.
const (
	Ticket   envelope.Kind = "ticket.v1"   // retail.DecodeTicket
	Rows     envelope.Kind = "rows.v1"     // rows of a settled file, of one ticket or one report: profile.Rows
	Profile  envelope.Kind = "profile.v1"  // a profile's TOML, sent before the first rows that it makes
	Drawer   envelope.Kind = "drawer.v1"   // retail.Drawer as JSON
	Terminal envelope.Kind = "terminal.v1" // retail.Terminal
	Location envelope.Kind = "location.v1" // retail.Location
	Payment  envelope.Kind = "payment.v1"  // retail.Payment
	Batch    envelope.Kind = "batch.v1"    // retail.Batch
	Portico  envelope.Kind = "portico.v1"  // what Heartland's gateway said of a payment or batch: portico.Record
	GPAPI    envelope.Kind = "gpapi.v1"    // what GP-API said of a deposit, settled payment, dispute or bill: gpapi.Record
	ReadTo   envelope.Kind = "read_to.v1"  // retail.ReadTo
	Control  envelope.Kind = "control.v1"  // retail.Control
	Health   envelope.Kind = "health.v1"   // the agent's conditions, []health.Status
	// Connections is how the agent's connections to other systems stand, []breaker.Status: the last one wins.
	Connections envelope.Kind = "connections.v1"
	// Desired is what became of the settings that the hub gave the agent, desired.Report; Command how a command ended, desired.Result.
	Desired  envelope.Kind = "desired.v1"
	Command  envelope.Kind = "command.v1"
	Release  envelope.Kind = "release.v1"   // how far the agent is with the release that is wanted, desired.ReleaseReport
	EpochEnd envelope.Kind = "epoch_end.v1" // first row of an epoch that follows another: names it and says why
	Stub     envelope.Kind = "stub.v1"      // stands for a record over envelope.MaxRecord that stays at the agent
)
