// Package portico is Heartland's payment gateway as far as Tillpost and the gateway's own SDKs can tell: one site with terminals, cards
// that are charged, voided, tipped and given back, batches that close, and reports over all of it with the gateway's windows, codes and
// habits. It shares no code with the product. `make peers` lets Global Payments' own clients read its answers.
package portico

import (
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"
)

// Options say what the site is.
type Options struct {
	License, Site, Device string // of the credentials; Device is also the terminal of a payment that names none
	User, Password        string // the older way in
	Keys                  []string
	Now                   func() time.Time
	First                 int64 // the real gateway numbers all its sites in one row: two fakes side by side begin apart; 0 = 1193129001
	MaxRows               int   // a search that finds more is answered with code 20; 0 = 5000
	OwnBatchOnly          bool  // a key reads the batch details of its own terminal only
	HostManaged           bool  // the processor keeps the batches: their reports are refused
}

// Gateway is safe for concurrent use.
type Gateway struct {
	Trouble Trouble
	o       Options
	mu      sync.Mutex
	next    int64
	txns    []*Txn
	batches []*Batch
	revoked map[string]bool
	asked   []string // every request's name, in order
}

// Txn is one line of the gateway's record. Amounts are cents and never negative.
type Txn struct {
	ID, Original      int64
	Service           string
	Device, Client    string
	Invoice, Clerk    string
	At                time.Time
	Status            string // A I C V X R T, "" for a request that is no payment
	Amt, Auth, Settle int64
	Tip               int64
	Brand, Masked     string
	AuthCode, Ref     string
	Code              int    // the gateway's
	Issuer            string // the issuer's
	Batch             int64
}

// Batch is a terminal's settlement batch.
type Batch struct {
	ID             int64
	Seq            int
	Device         string
	Opened, Closed time.Time
	race           int // so many details yet show its payments as open
}

const remembers = 90 * 24 * time.Hour

// New returns a gateway with no payments.
func New(o Options) *Gateway {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.First == 0 {
		o.First = 1193129001
	}
	if o.MaxRows == 0 {
		o.MaxRows = 5000
	}
	for _, f := range []struct {
		to  *string
		def string
	}{{&o.License, "137846"}, {&o.Site, "137907"}, {&o.Device, "6378375"}} {
		if *f.to == "" {
			*f.to = f.def
		}
	}
	return &Gateway{o: o, next: o.First - 1, revoked: map[string]bool{}}
}

// Payment is what a till asks a terminal for.
type Payment struct {
	Device, Client, Invoice string
	Brand, Last4, Auth      string
	Cents, Tip              int64 // the tip is part of Cents
	At                      time.Time
	Refund                  bool
	AuthOnly                bool // authorized, in no batch yet
	Decline                 bool
}

// Pay charges or gives back, and returns the gateway's number.
func (g *Gateway) Pay(p Payment) int64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	t := &Txn{Service: "CreditSale", Device: p.Device, Client: p.Client, Invoice: p.Invoice, At: p.At, Amt: p.Cents, Tip: p.Tip, Brand: p.Brand,
		Masked: "411111******" + p.Last4, AuthCode: p.Auth, Issuer: "00", Clerk: "c1"}
	switch {
	case p.Refund:
		t.Service = "CreditReturn"
	case p.AuthOnly:
		t.Service = "CreditAuth"
	}
	if p.Decline {
		t.Issuer = "51"
	}
	g.charge(t)
	return t.ID
}

// charge books a payment: what is approved and not only authorized goes into the terminal's open batch.
func (g *Gateway) charge(t *Txn) {
	g.book(t)
	t.Status = "A"
	if t.Issuer != "00" && t.Issuer != "10" {
		t.Status = "I"
		return
	}
	if t.Auth == 0 {
		t.Auth = t.Amt
	}
	if t.Service != "CreditAuth" {
		t.Settle = t.Auth
		t.Batch = g.openBatch(t).ID
	}
}

func (g *Gateway) book(t *Txn) {
	g.next++
	t.ID = g.next
	if t.At.IsZero() {
		t.At = g.o.Now()
	}
	if t.Device == "" {
		t.Device = g.o.Device
	}
	if t.AuthCode == "" {
		t.AuthCode = fmt.Sprintf("%06d", t.ID%1_000_000)
	}
	t.Ref = fmt.Sprintf("%012d", t.ID)
	g.txns = append(g.txns, t)
}

func (g *Gateway) openBatch(t *Txn) *Batch {
	for _, b := range g.batches {
		if b.Device == t.Device && b.Closed.IsZero() {
			return b
		}
	}
	b := &Batch{ID: g.o.First%1_000_000 + 990000 + int64(len(g.batches)), Seq: len(g.batches) + 1, Device: t.Device, Opened: t.At}
	g.batches = append(g.batches, b)
	return b
}

func (g *Gateway) find(id int64) *Txn {
	i, ok := slices.BinarySearchFunc(g.txns, id, func(t *Txn, id int64) int { return int(t.ID - id) })
	if !ok {
		return nil
	}
	return g.txns[i]
}

// act is a request that changes a payment: void, reversal, edit, add to batch. It returns the gateway's code.
func (g *Gateway) act(service string, id, amt, tip int64) (*Txn, int) {
	t := g.find(id)
	ev := &Txn{Service: service, Original: id, Amt: amt, Tip: tip}
	if t != nil {
		ev.Device, ev.Brand, ev.Masked = t.Device, t.Brand, t.Masked
	}
	g.book(ev)
	if t == nil || t.Status != "A" {
		ev.Code = 3
		return ev, 3
	}
	ev.Status, ev.Issuer = "I", "00"
	switch service {
	case "CreditVoid": // it reverses where it can, else it voids: both take the payment out of its batch
		t.Status, t.Settle = map[bool]string{true: "R", false: "V"}[t.ID%2 == 0], 0
	case "CreditReversal":
		t.Status, t.Settle = "R", 0
	case "CreditTxnEdit", "CreditAddToBatch":
		if amt > 0 {
			t.Settle = amt
		}
		if tip > 0 {
			t.Tip = tip
		}
		if service == "CreditAddToBatch" {
			if t.Settle == 0 {
				t.Settle = t.Auth
			}
			t.Batch = g.openBatch(t).ID
		}
	}
	return ev, 0
}

// Void takes a payment out of its open batch.
func (g *Gateway) Void(id int64) { g.do("CreditVoid", id, 0, 0) }

// Edit sets a payment's amount, tip included.
func (g *Gateway) Edit(id, cents, tip int64) { g.do("CreditTxnEdit", id, cents, tip) }

// Capture puts an authorization into a batch.
func (g *Gateway) Capture(id, cents int64) { g.do("CreditAddToBatch", id, cents, 0) }

func (g *Gateway) do(service string, id, cents, tip int64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if _, code := g.act(service, id, cents, tip); code != 0 {
		panic(fmt.Sprintf("BUG: %s of %d is answered with code %d", service, id, code))
	}
}

// Close closes a terminal's batch; race is how many readings of it yet show its payments as open. It returns its number, 0 without one.
func (g *Gateway) Close(device string, race int) int64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	b, _ := g.close(device)
	if b == nil {
		return 0
	}
	b.race = race
	return b.ID
}

func (g *Gateway) close(device string) (*Batch, int) {
	for _, b := range g.batches {
		if b.Device != device || !b.Closed.IsZero() {
			continue
		}
		if n, _ := g.sum(b); n == 0 {
			return nil, 9
		}
		b.Closed = g.o.Now()
		for _, t := range g.txns {
			if t.Batch == b.ID && t.Status == "A" {
				t.Status = "C"
			}
		}
		return b, 0
	}
	return nil, 5
}

// sum is what a batch comes to: refunds deducted, what was voided or reversed left out.
func (g *Gateway) sum(b *Batch) (n int, cents int64) {
	for _, t := range g.txns {
		if t.Batch == b.ID && (t.Status == "A" || t.Status == "C") {
			n++
			cents += t.signed()
		}
	}
	return n, cents
}

func (t *Txn) returns() bool { return t.Service == "CreditReturn" || t.Service == "DebitReturn" }

func (t *Txn) signed() int64 {
	if t.returns() {
		return -t.Settle
	}
	return t.Settle
}

// Revoke makes a key useless.
func (g *Gateway) Revoke(key string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.revoked[key] = true
}

// Asked lists the names of all requests so far.
func (g *Gateway) Asked() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Clone(g.asked)
}

// Payments are the payments as they stand.
func (g *Gateway) Payments() (out []Txn) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, t := range g.txns {
		if t.Status != "" && t.Original == 0 {
			out = append(out, *t)
		}
	}
	return out
}

// Batches are the batches as they stand.
func (g *Gateway) Batches() (out []Batch) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, b := range g.batches {
		out = append(out, *b)
	}
	return out
}

// text writes cents as the gateway does: zero is "0".
func text(cents int64) string {
	if cents == 0 {
		return "0"
	}
	sign := ""
	if cents < 0 {
		sign, cents = "-", -cents
	}
	return fmt.Sprintf("%s%d.%02d", sign, cents/100, cents%100)
}

// cents reads an amount of at most two decimals.
func cents(s string) (int64, bool) {
	whole, part, _ := cut(s)
	for len(part) < 2 {
		part += "0"
	}
	n, err := strconv.ParseInt(whole+part, 10, 64)
	return n, err == nil && len(part) == 2
}

func cut(s string) (whole, part string, ok bool) {
	for i := range s {
		if s[i] == '.' {
			return s[:i], s[i+1:], true
		}
	}
	return s, "", false
}
