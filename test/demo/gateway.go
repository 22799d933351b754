package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/tillpost/tillpost/agent/app"
	"github.com/tillpost/tillpost/hub/match"
	"github.com/tillpost/tillpost/hub/view"
	"github.com/tillpost/tillpost/shared/config"
	"github.com/tillpost/tillpost/shared/retail"
	"github.com/tillpost/tillpost/test/demo/books"
	fake "github.com/tillpost/tillpost/test/fake/portico"
	"github.com/tillpost/tillpost/test/fake/till"
)

// gatewayKey opens the fake gateway and nothing else.
const gatewayKey = "skapi_cert_FAKE_ONLY"

// through reports whether the tills' cards go through a gateway that is read.
func through() bool {
	s := os.Getenv("SOURCE")
	return s == "portico" || s == "mixed"
}

// gateway is a store's site at the payment gateway.
type gateway struct {
	*fake.Gateway
	told  map[string]sold // tickets by id, as they were charged last
	night atomic.Int64    // Unix seconds, 0 = the present
}

// sold is what a ticket's cards were charged.
type sold struct {
	revision int64
	void     bool
	payments []int64 // the gateway's numbers, by tender; 0 = no card
}

// openGateway starts a store's gateway and puts it into its agent's settings.
func (d *demo) openGateway(ctx context.Context, s *shop, c *app.Config) error {
	g := &gateway{told: map[string]sold{}}
	g.Gateway = fake.New(fake.Options{Site: fmt.Sprint(90 + len(d.shops)), First: int64(1193129001 + 10_000*len(d.shops)), Keys: []string{gatewayKey}, Now: g.now})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	srv := &http.Server{Handler: g, ReadHeaderTimeout: 10 * time.Second, ErrorLog: slog.NewLogLogger(d.log.Handler(), slog.LevelWarn)}
	d.start(ctx, "fake gateway", func(ctx context.Context) error {
		defer context.AfterFunc(ctx, func() { srv.Close() })()
		return srv.Serve(l)
	})
	key := filepath.Join(d.dir, "portico-"+s.Code+".key")
	if err := os.WriteFile(key, []byte(gatewayKey+"\n"), 0o600); err != nil {
		return err
	}
	tills := map[string]retail.TillCode{}
	for n := range s.Tills {
		tills[terminal(n+1)] = retail.TillCode(fmt.Sprintf("T%d", n+1))
	}
	c.Source.Portico = []app.PorticoConfig{{Name: "main", Location: retail.LocationCode(s.Code), URL: "http://" + l.Addr().String(), KeyFile: key, Tills: tills, Poll: config.Duration(d.poll())}}
	s.gateway = g
	return nil
}

// now is the gateway's clock: while a month that is over is sold, the night of the day that is being sold.
func (g *gateway) now() time.Time {
	if n := g.night.Load(); n != 0 {
		return time.Unix(n, 0)
	}
	return time.Now()
}

// patience is how long the gateways' payments may take: each is asked about once a second, and a month has hundreds of batches.
func (d *demo) patience() time.Duration {
	if d.month != nil {
		return 8 * time.Minute
	}
	return within
}

// poll is how often an agent asks its gateway: a month has many batches to ask for.
func (d *demo) poll() time.Duration {
	if d.month != nil {
		return 100 * time.Millisecond
	}
	return time.Second
}

func terminal(till int) string { return fmt.Sprintf("63783%02d", till) }

// charged is what a till's ticket says of its cards.
type charged struct {
	ID       string    `json:"id"`
	Number   string    `json:"number"`
	Till     string    `json:"till"`
	Kind     string    `json:"kind"`
	Revision int64     `json:"revision"`
	At       time.Time `json:"at"`
	Tenders  []struct {
		Brand  string      `json:"brand"`
		Amount json.Number `json:"amount"`
		Ref    string      `json:"ref"`
		Last4  string      `json:"last4"`
		Auth   string      `json:"auth"`
	} `json:"tenders"`
}

// charge does at the gateway what a till's terminal does: it charges, gives back, edits for a tip and voids. Every fourth payment carries no
// number of the till's, as with older terminals: it is found by amount, time and card.
func (g *gateway) charge(body []byte) error {
	var t charged
	if err := json.Unmarshal(body, &t); err != nil {
		return err
	}
	was, known := g.told[t.ID]
	if known && t.Revision <= was.revision || was.void {
		return nil
	}
	is := sold{revision: t.Revision, void: t.Kind == "void", payments: was.payments}
	for i, p := range t.Tenders {
		if p.Brand == "" {
			if !known {
				is.payments = append(is.payments, 0)
			}
			continue
		}
		cents, err := amountOf(string(p.Amount))
		if err != nil {
			return err
		}
		switch {
		case !known:
			is.payments = append(is.payments, g.pay(t, i, cents, len(g.told)))
		case is.void:
			g.Void(was.payments[i])
		case cents > 0:
			g.Edit(was.payments[i], cents, 0)
		}
	}
	g.told[t.ID] = is
	return nil
}

func (g *gateway) pay(t charged, i int, cents int64, n int) int64 {
	p := t.Tenders[i]
	till := int(t.Till[len(t.Till)-1] - '0')
	out := fake.Payment{Device: terminal(till), Client: p.Ref, Brand: brands[p.Brand], Last4: p.Last4, Auth: p.Auth, Cents: cents, At: t.At.Add(20 * time.Second)}
	if n%4 == 3 {
		out.Client = ""
	}
	if cents < 0 {
		out.Cents, out.Refund = -cents, true
	}
	return g.Pay(out)
}

// brands are the till's words and the gateway's.
var brands = map[string]string{"visa": "Visa", "mastercard": "MC", "amex": "Amex", "debit": "Visa"}

// amountOf reads a text of two decimals, by arithmetic of its own.
func amountOf(text string) (cents int64, err error) {
	return strconv.ParseInt(strings.Replace(text, ".", "", 1), 10, 64)
}

// charge takes a day's cards to the gateway, and ends the day at every terminal; race is how many readings of a closed batch yet show its
// payments as open.
func (s *shop) charge(events []till.Event, race int) error {
	if s.gateway == nil {
		return nil
	}
	for _, e := range events {
		if e.Path != "/v1/tickets" {
			continue
		}
		if err := s.gateway.charge(e.Body); err != nil {
			return err
		}
	}
	for n := range s.Tills {
		s.gateway.Close(terminal(n+1), race)
	}
	return nil
}

// payments waits until the hub knows every payment of the gateways as they stand, and holds each against its ticket.
func (d *demo) payments(ctx context.Context) error {
	if !through() && d.month == nil {
		return nil
	}
	begun := time.Now()
	for _, s := range d.shops {
		for {
			said, err := d.cards(ctx, s)
			if err == nil {
				fmt.Fprint(d.out, said)
				break
			}
			if time.Since(begun) > d.patience() {
				return fmt.Errorf("after %s the card payments of %s: %w; the log is %s/demo.log", d.patience(), s.Code, err, d.dir)
			}
			select {
			case <-ctx.Done():
				return ctx.Err()
			case err := <-d.failed:
				return err
			case <-time.After(200 * time.Millisecond):
			}
		}
	}
	return nil
}

// cards compares a store's payments at the hub with the gateway's own record.
func (d *demo) cards(ctx context.Context, s *shop) (string, error) {
	f := view.PaymentFilter{Location: retail.LocationCode(s.Code)}
	have, err := d.hub.Store.PaymentViews(ctx, f)
	if err != nil {
		return "", err
	}
	want := s.gateway.Payments()
	if len(have) != len(want) {
		return "", fmt.Errorf("the hub knows %d payments, the gateway %d", len(have), len(want))
	}
	by := map[string]view.PaymentView{}
	sure := map[string]int{}
	var sum, truth int64
	for _, p := range have {
		by[p.Gateway] = p
		if p.State.Moves() {
			sum += p.Amount.Minor
			sure[p.Confidence]++
		}
	}
	for _, t := range want {
		p := by[fmt.Sprint(t.ID)]
		moves := t.Status == "A" || t.Status == "C"
		if p.State.Moves() != moves {
			return "", fmt.Errorf("payment %d is %s at the hub, %s at the gateway", t.ID, p.State, t.Status)
		}
		if moves && t.Service == "CreditReturn" {
			truth -= t.Settle
		} else if moves {
			truth += t.Settle
		}
	}
	lone, err := d.hub.Store.LoneTenders(ctx, f, time.Hour)
	if err != nil {
		return "", err
	}
	switch {
	case sum != truth:
		return "", fmt.Errorf("payments come to %s at the hub, %s at the gateway", books.Text(sum), books.Text(truth))
	case sure[""] > 0 || sure[string(match.Weak)] > 0:
		return "", fmt.Errorf("%d payments have no ticket, %d one that may be wrong", sure[""], sure[string(match.Weak)])
	case len(lone) > 0:
		return "", fmt.Errorf("ticket %s was paid by a card of which the gateway knows nothing", lone[0].Number)
	}
	batches, err := d.batches(ctx, s)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%s: %d card payments of %s agree with the gateway; tickets found: %d certain, %d strong, %d likely; %d batches add up.\n", s.Name, len(have), books.Text(sum),
		sure[string(match.Certain)], sure[string(match.Strong)], sure[string(match.Likely)], batches), nil
}

func (d *demo) batches(ctx context.Context, s *shop) (int, error) {
	bs, err := d.hub.Store.BatchViews(ctx, view.PaymentFilter{Location: retail.LocationCode(s.Code)})
	if err != nil {
		return 0, err
	}
	if n := len(s.gateway.Batches()); len(bs) != n {
		return 0, fmt.Errorf("the hub knows %d batches, the gateway %d", len(bs), n)
	}
	for _, b := range bs {
		if b.State != retail.BatchClosed || !b.Difference.IsZero() || b.Count != b.Payments || b.ByBrand == nil {
			return 0, errors.New("batch " + b.ID + " is " + string(b.State) + " and differs by " + b.Difference.String())
		}
	}
	return len(bs), nil
}
