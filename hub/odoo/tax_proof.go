package odoo

import "github.com/tillpost/tillpost/shared/money"

// TaxProof is what documents and Odoo say of one tax in one company's books, beside each other, as a tax return reads them.
type TaxProof struct {
	Book    string     `json:"database,omitempty"`
	Home    int64      `json:"-"` // Odoo's id of the company
	Company string     `json:"company"`
	Tax     string     `json:"tax"`
	Sent    TaxFigures `json:"documents"`
	Odoo    TaxFigures `json:"odoo"`
	// Unbased is the tax, of Sent, of documents that do not know what it is on: their tills do not say which lines are taxed.
	Unbased money.Amount `json:"tax_without_a_base"`
	Groups  []TaxGroup   `json:"groups"`
}

// Good reports that the two agree.
func (p TaxProof) Good() bool { return p.Sent == p.Odoo }

// TaxFigures are a tax's own lines per side with the bases that they tell, positive as a till counts them, and what stands under the tax: items that it is on,
// goods taken back deducted.
type TaxFigures struct {
	Sold     money.Amount `json:"sold"`
	SoldBase money.Amount `json:"sold_base"`
	Back     money.Amount `json:"taken_back"`
	BackBase money.Amount `json:"taken_back_base"`
	Under    money.Amount `json:"base_items"`
}

// TaxGroup is posted items of one repartition line, or of what the tax is on, with the same tags.
type TaxGroup struct {
	Side    string       `json:"side"` // "sold", "taken back", "base"
	Tags    []string     `json:"tags,omitempty"`
	Items   int          `json:"items"`
	Balance money.Amount `json:"balance"`         // debit positive
	Base    money.Amount `json:"tax_base_amount"` // positive on the side where the tax stands by nature
}
