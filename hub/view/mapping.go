package view

import (
	"time"

	"github.com/tillpost/tillpost/hub/ledger"
	"github.com/tillpost/tillpost/hub/mapping"
	"github.com/tillpost/tillpost/shared/money"
	"github.com/tillpost/tillpost/shared/retail"
)

// MappingEffect is a line of a store-day that other rules would put elsewhere.
type MappingEffect struct {
	Location retail.LocationCode `json:"location"`
	Day      retail.BusinessDate `json:"day"`
	Measure  ledger.Account      `json:"measure"`
	Amount   money.Amount        `json:"amount"`
	From     string              `json:"from"` // account or tax, and what stands beside it
	To       string              `json:"to"`
}

// MappingFilter picks changes of rules; a zero field picks all.
type MappingFilter struct {
	Role   ledger.Role
	Code   string
	Limit  int
	Offset int
}

// MappingChange is one change of one rule.
type MappingChange struct {
	At       time.Time           `json:"at"`
	Version  int64               `json:"version"` // of the set with it, 0 = not known
	Role     ledger.Role         `json:"role"`
	Code     string              `json:"code"`
	Location retail.LocationCode `json:"location"`
	From     retail.BusinessDate `json:"from"`
	Who      string              `json:"who"`
	Reason   string              `json:"reason"`
	New      bool                `json:"new"` // there was no such rule before
	Before   mapping.Target      `json:"before"`
	After    mapping.Target      `json:"after"`
}
