package view

import (
	"time"

	"github.com/tillpost/tillpost/shared/retail"
)

// FindFilter is what a person has in the hand: any number or id of a ticket, payment, batch, deposit, customer, document or Odoo record.
type FindFilter struct {
	Find  string
	Only  []retail.LocationCode // what the user may see; nil = all
	Limit int                   // of each kind, and of the tickets behind each; 0 = no limit
}

// Found is everything that an id names, and where it was looked for.
type Found struct {
	Find   string       `json:"find"`
	Things []FoundThing `json:"found"`
	Looked []string     `json:"looked_at"`
	Away   string       `json:"odoo_away,omitempty"` // why Odoo itself could not be asked: what it says is as it was read back last
}

// FoundThing is one match with what is behind it and where it stands in Odoo.
type FoundThing struct {
	Kind      string              `json:"kind"` // ticket, case, payment, batch, deposit, customer, document, bank line, odoo entry
	ID        string              `json:"id"`
	Text      string              `json:"text"`
	Location  retail.LocationCode `json:"location,omitempty"`
	Day       retail.BusinessDate `json:"day,omitempty"`
	Tickets   []TicketRow         `json:"tickets,omitempty"` // behind it, the first of Count
	Count     int                 `json:"ticket_count"`
	Rests     []string            `json:"rests_on,omitempty"` // what else is behind it: "batch 41", "bag S1 2026-11-20"
	Documents []FoundDocument     `json:"documents,omitempty"`
	Records   []OdooRecord        `json:"odoo_records,omitempty"` // beside those of its documents
}

// FoundDocument is a document with its record in Odoo.
type FoundDocument struct {
	ID       string              `json:"id"`
	Location retail.LocationCode `json:"location"`
	Day      retail.BusinessDate `json:"day"`
	Series   string              `json:"voucher,omitempty"`
	State    string              `json:"state"` // the hub's word: posting posted verified parked waiting accepted
	Why      string              `json:"why,omitempty"`
	Book     string              `json:"database,omitempty"` // which of the settings' databases, "" = the first
	Odoo     OdooRecord          `json:"odoo"`               // ID 0 = it is not there
}

// OdooRecord is a record in Odoo.
type OdooRecord struct {
	Model string              `json:"model,omitempty"`
	ID    int64               `json:"id,omitempty"`
	Name  string              `json:"name,omitempty"`
	State string              `json:"state,omitempty"` // Odoo's word: draft posted cancel; deleted when it is gone
	Date  retail.BusinessDate `json:"date,omitempty"`
	Ref   string              `json:"ref,omitempty"`
	URL   string              `json:"url,omitempty"`
	Seen  time.Time           `json:"seen,omitzero"` // when Odoo said so
}
