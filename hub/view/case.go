package view

import (
	"time"

	"github.com/tillpost/tillpost/hub/cases"
	"github.com/tillpost/tillpost/shared/retail"
)

// CaseFilter narrows the list of cases. The zero filter is every open one.
type CaseFilter struct {
	All      bool // closed and accepted ones too
	Location retail.LocationCode
	Day      retail.BusinessDate
	Only     []retail.LocationCode // what the user may see; nil = all
	Limit    int                   // 0 = no limit
	Offset   int
}

// CaseView is a case with what its page needs. Lists leave Steps, Raw and Accounts empty.
type CaseView struct {
	cases.Case
	Steps    []StepView
	Raw      *Raw          // the record it is about, nil = none
	Accounts []AccountView // to choose from when a code is mapped
	Taxes    []string      // and when it is a tax
	Proposal *LocationForm // what a store says of itself, for an unknown location
}

// AccountView is an account of the books, as far as the hub has seen it.
type AccountView struct{ Code, Name string }

// StepView is one audited act.
type StepView struct {
	At                                        time.Time
	Subject, Who, What, Reason, Before, After string
}

// Act is what a person does to a case.
type Act struct {
	What    string // retry map accept edit confirm approve release
	Who     string
	Reason  string
	Account string              // for map: the account code
	Tax     string              // for map: the Odoo tax's name, of a tax role
	Body    string              // for edit: the record's new text
	Date    retail.BusinessDate // for retry of a document: the accounting date it goes to, "" = as before
	Form    *LocationForm       // for confirm of a location
}
