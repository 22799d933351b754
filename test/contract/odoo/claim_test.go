package odoo_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tillpost/tillpost/hub/cases"
	"github.com/tillpost/tillpost/hub/mapping"
	"github.com/tillpost/tillpost/hub/odoo"
	"github.com/tillpost/tillpost/hub/rollup"
	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/retail"
)

// claimBook keeps a hub's side of the claim as its store does; a copy of it is a copied folder.
type claimBook struct {
	mu     sync.Mutex
	beat   odoo.Beat
	order  string
	stands odoo.Standing
}

func (b *claimBook) LastBeat(context.Context) (odoo.Beat, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.beat, nil
}

func (b *claimBook) Beating(_ context.Context, k odoo.Beat) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.beat = k
	return nil
}

func (b *claimBook) Order(context.Context) (string, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.order, nil
}

func (b *claimBook) Stands(_ context.Context, s odoo.Standing) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.stands = s; s.By != "" {
		b.order = ""
	}
	return nil
}

// rivalHub is one hub with its claim; its clock is moved by hand.
type rivalHub struct {
	id    envelope.HubID
	out   *outbox
	w     *odoo.Writer
	c     *odoo.Claims
	b     *claimBook
	clock *time.Time
}

func (s server) rivalHub(t *testing.T, id envelope.HubID, name string, b *claimBook, out *outbox, clock *time.Time) rivalHub {
	t.Helper()
	w, _ := s.writer(t, out, id)
	w.Now = func() time.Time { return *clock }
	c := odoo.NewClaims(w, name, b)
	c.Settle = time.Millisecond
	return rivalHub{id, out, w, c, b, clock}
}

// step is one step of a hub.
func (h rivalHub) step(t *testing.T) {
	t.Helper()
	if _, err := h.w.Step(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func (h rivalHub) hold(t *testing.T) odoo.Standing {
	t.Helper()
	s, err := h.c.Hold(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// unclaimed takes away what an earlier case left on a real server.
func (s server) unclaimed(t *testing.T) {
	t.Helper()
	s.person(t).forget(t)
}

func (p person) forget(t *testing.T) {
	t.Helper()
	p.forgetAt(nil)
}

// forgetIn is the same in a company by its name.
func (p person) forgetIn(t *testing.T, company string) {
	t.Helper()
	rows, _ := p.do("res.company", "search_read", []any{[]any{[]any{"name", "=", company}}}, map[string]any{"fields": []string{"name"}}).([]any)
	for _, r := range rows {
		p.forgetAt(map[string]any{"allowed_company_ids": []int64{r.(map[string]any)["id"].(int64)}})
	}
}

func (p person) forgetAt(in map[string]any) {
	p.t.Helper()
	rows, _ := p.do("account.move", "search_read", []any{[]any{[]any{"ref", "=like", "Tillpost-claim %"}}}, map[string]any{"fields": []string{"state"}, "context": in}).([]any)
	for _, r := range rows {
		p.do("account.move", "unlink", []any{[]int64{r.(map[string]any)["id"].(int64)}}, map[string]any{"context": in})
	}
}

func TestTwoHubsOnOneDatabaseOneIsHeldAndBothAreTold(t *testing.T) {
	for _, copied := range []bool{false, true} {
		t.Run(fmt.Sprintf("copied %v", copied), func(t *testing.T) {
			each(t, func(t *testing.T, s server) {
				s.unclaimed(t)
				set, b := s.set(t)
				clock := time.Now()
				d := document(t, set, b, "S-NY", unusedDay())
				first := s.rivalHub(t, newHub(), "the first", &claimBook{}, newOutbox(d), &clock)
				first.step(t)
				want(t, first.out.outcome(d), odoo.Done)

				book, id := &claimBook{}, newHub()
				if copied { // the folder as it was, whose hub has gone on since
					book.beat, id = first.b.beat, first.id
					clock = clock.Add(2 * first.c.Every)
					first.hold(t)
				}
				e := document(t, set, b, "S-NY", unusedDay())
				second := s.rivalHub(t, id, "the second", book, newOutbox(e), &clock)
				if copied {
					second.hold(t)
				}
				for range 12 { // three minutes in which both beat
					second.step(t)
					clock = clock.Add(second.c.Every + time.Second)
					first.hold(t)
					first.step(t)
				}
				want(t, second.out.outcome(e), odoo.Wait)
				if n := len(s.standing(t, second.id, e)); n != 0 {
					t.Errorf("the held hub has posted %d items", n)
				}
				for who, h := range map[string]rivalHub{"the second": first, "the first": second} {
					got := h.b.stands
					if !got.Lives || got.Ours != (who == "the second") || got.Copy != copied || !strings.Contains(got.Detail(), who) || !strings.Contains(got.Detail(), "take-over") {
						t.Errorf("told: %+v, want that %s lives", got, who)
					}
				}

				// A person's word turns it round; the other is held from its next look on.
				second.b.order = "anna: the other is last year's machine"
				clock = clock.Add(second.c.Every)
				second.step(t)
				want(t, second.out.outcome(e), odoo.Done)
				clock = clock.Add(2 * first.c.Every)
				if first.hold(t).Ours {
					t.Error("the hub that lost its claim still posts")
				}
				if second.b.order != "" {
					t.Error("the order to take over was not used up")
				}
				s.audit(t, first.id, d)
				s.audit(t, second.id, e)

				// The one that posts ends without a word: the other goes on once the claim has stood still.
				for range 10 {
					clock = clock.Add(first.c.Every)
					first.hold(t)
				}
				if !first.hold(t).Ours || first.b.stands.Lives {
					t.Errorf("the other hub is gone and this one is still held: %+v", first.b.stands)
				}
			})
		})
	}
}

func TestAHubThatStartsAgainGoesOnAtOnce(t *testing.T) {
	each(t, func(t *testing.T, s server) {
		s.unclaimed(t)
		clock, book, id := time.Now(), &claimBook{}, newHub()
		if !s.rivalHub(t, id, "here", book, newOutbox(), &clock).hold(t).Ours {
			t.Fatal("the first hub on these books does not get them")
		}
		rows, _ := s.person(t).do("account.move", "search_read", []any{[]any{[]any{"ref", "=like", "Tillpost-claim %"}}}, map[string]any{"fields": []string{"state"}}).([]any)
		if len(rows) != 1 || rows[0].(map[string]any)["state"] != "cancel" {
			t.Errorf("the claim is %v: want one cancelled entry, which keeps no period open", rows)
		}
		book.beat.N++ // it was killed between storing a beat and sending it
		again := s.rivalHub(t, id, "here", book, newOutbox(), &clock)
		if !again.hold(t).Ours {
			t.Fatal("a hub that was killed does not know its own claim")
		}
		ctx, end := context.WithCancel(t.Context())
		end()
		again.c.Keep(ctx) // a clean end gives the claim back
		if got := s.rivalHub(t, newHub(), "its successor", &claimBook{}, newOutbox(), &clock).hold(t); !got.Ours {
			t.Errorf("a successor waits for a hub that has ended: %+v", got)
		}
	})
}

func TestADeletedClaimIsMadeAgain(t *testing.T) {
	each(t, func(t *testing.T, s server) {
		s.unclaimed(t)
		clock := time.Now()
		h := s.rivalHub(t, newHub(), "here", &claimBook{}, newOutbox(), &clock)
		h.hold(t)
		s.unclaimed(t)
		clock = clock.Add(3 * h.c.Every)
		if !h.hold(t).Ours {
			t.Error("somebody deleted the claim in Odoo, and the only hub is held")
		}
		held, _, err := odoo.ReadClaim(t.Context(), s.client(t))
		if err != nil || held.Name != "here" {
			t.Errorf("the claim is %+v, %v", held, err)
		}
	})
}

func TestADayThatAnotherHubPostedIsNotPostedTwice(t *testing.T) {
	each(t, func(t *testing.T, s server) {
		s.unclaimed(t)
		set, b := s.set(t)
		day := unusedDay()
		d := document(t, set, b, "S 2/ä", day)
		clock := time.Now()
		old := s.rivalHub(t, newHub(), "old", &claimBook{}, newOutbox(d), &clock)
		old.step(t)
		want(t, old.out.outcome(d), odoo.Done)
		ctx, end := context.WithCancel(t.Context())
		end()
		old.c.Keep(ctx)

		next := document(t, set, b, "S 2/ä", day.AddDays(-1))
		fresh := s.rivalHub(t, newHub(), "new", &claimBook{}, newOutbox(d, next), &clock)
		fresh.step(t)
		want(t, fresh.out.outcome(next), odoo.Done)
		o := fresh.out.outcome(d)
		want(t, o, odoo.Park)
		if o.Case == nil || o.Case.Cause != cases.OtherHub || !strings.Contains(o.Why, old.out.outcome(d).Read.Name) {
			t.Errorf("the case is %+v", o.Case)
		}
		if n := len(s.standing(t, fresh.id, d)); n != 0 {
			t.Errorf("the day stands twice: %d items", n)
		}

		// A person has compared them and wants both.
		task := fresh.out.tasks[d.ID()]
		task.Beside, task.done = true, false
		clock = clock.Add(time.Minute)
		fresh.step(t)
		want(t, fresh.out.outcome(d), odoo.Done)
		s.audit(t, fresh.id, d)
	})
}

// unusedDay is one of some ten thousand, so that runs on one real server do not meet: each hub of theirs is another.
func unusedDay() retail.BusinessDate {
	return retail.BusinessDate("2003-01-02").AddDays(rand.IntN(8000))
}

// Two hubs that share one company and not the other: what stands in the shared one waits at the second, the rest of its documents go, each company's
// people are told, and a word turns just that one round.
func TestEachCompanyIsClaimedForItself(t *testing.T) {
	withSecond(t, func(t *testing.T, s server) {
		s.unclaimed(t)
		other := s
		other.cfg.Company = secondName
		s.person(t).forgetIn(t, secondName)
		rep, err := s.setup(t)
		if err != nil {
			t.Fatal(err)
		}
		o := options
		o.Have, o.Books = mapping.Set{Rules: rep.Rules, Version: 1}, rep.Books
		if _, err := odoo.Setup(t.Context(), other.client(t), o); err != nil {
			t.Fatal(err)
		}
		set, b := s.set(t)
		clock := time.Now()
		hub := func(name string, ds ...string) (rivalHub, map[string]*claimBook, []rollup.Document) {
			var docs []rollup.Document
			for range ds {
				docs = append(docs, document(t, set, b, "S-NY", unusedDay()))
			}
			box := newOutbox(docs...)
			for i, company := range ds {
				box.tasks[docs[i].ID()].Company = company
			}
			own := map[string]*claimBook{"": {}}
			h := s.rivalHub(t, newHub(), name, own[""], box, &clock)
			h.c.Others = func(company string) odoo.ClaimBook {
				own[company] = &claimBook{}
				return own[company]
			}
			return h, own, docs
		}
		first, firstOwn, docs := hub("the first", secondName)
		first.step(t)
		want(t, first.out.outcome(docs[0]), odoo.Done)
		second, secondOwn, mine := hub("the second", "", secondName)
		for range 10 {
			second.step(t)
			clock = clock.Add(second.c.Every + time.Second)
			k, err := first.c.For(t.Context(), secondName)
			if err == nil {
				_, err = k.Hold(t.Context())
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		want(t, second.out.outcome(mine[0]), odoo.Done)
		want(t, second.out.outcome(mine[1]), odoo.Wait)
		for who, at := range map[string]odoo.Standing{"the second": firstOwn[secondName].stands, "the first": secondOwn[secondName].stands} {
			if !at.Lives || at.Company != secondName || !strings.Contains(at.Detail(), who) || !strings.Contains(at.Detail(), secondName) {
				t.Errorf("told: %+v", at)
			}
		}
		secondOwn[secondName].order = "anna: the first is the old one"
		clock = clock.Add(second.c.Every)
		second.step(t)
		want(t, second.out.outcome(mine[1]), odoo.Done)

		// A clean end gives back every claim that it has.
		ctx, end := context.WithCancel(t.Context())
		end()
		second.c.Keep(ctx)
		for _, c := range []*odoo.Client{s.client(t), other.client(t)} {
			if held, _, err := odoo.ReadClaim(t.Context(), c); err != nil || !held.Free() {
				t.Errorf("after its end the claim is %+v, %v", held, err)
			}
		}
	})
}

// A company that a location names is claimed while nothing is due.
func TestACompanyIsClaimedBeforeItHasDocuments(t *testing.T) {
	s := newFakeSecond(t, 18)
	other := s
	other.cfg.Company = secondName
	clock := time.Now()
	h := s.rivalHub(t, newHub(), "here", &claimBook{}, newOutbox(), &clock)
	further := &claimBook{}
	h.c.Others = func(string) odoo.ClaimBook { return further }
	h.c.Companies = func(context.Context) ([]string, error) { return []string{secondName}, nil }
	ctx, end := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { h.c.Keep(ctx); close(done) }()
	defer func() { end(); <-done }()
	for until := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		further.mu.Lock()
		at := further.stands
		further.mu.Unlock()
		if at.Ours && at.Company == secondName {
			return
		}
		if time.Now().After(until) {
			t.Fatalf("the second company is not claimed: %+v", at)
		}
	}
}
