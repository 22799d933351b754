package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/tillpost/tillpost/hub/roll"
	"github.com/tillpost/tillpost/hub/view"
	"github.com/tillpost/tillpost/shared/retail"
	"github.com/tillpost/tillpost/test/fake/till"
)

// sell runs a business day in each store. What is told goes into the agents, which keep it, or into the account: the hub is not there yet.
func (d *demo) sell(ctx context.Context, day time.Time) error {
	where := "its agent"
	if d.account != nil {
		where = "its account"
	}
	for i, s := range d.shops {
		events, truth := s.day(day)
		s.told = events
		sent := events
		if i == 1 {
			sent = spoil(events, os.Getenv("DEMO_BREAK"))
		}
		if d.account != nil {
			truth = d.account.hear(s, truth.Day, sent)
		} else {
			for _, e := range sent {
				if err := s.tell(ctx, e); err != nil {
					return err
				}
			}
		}
		if err := writeTruth(d.dir, truth); err != nil {
			return err
		}
		if d.month != nil {
			d.month.truths = append(d.month.truths, truth)
			continue
		}
		fmt.Fprintf(d.out, "%s has sold %d tickets on %s; they wait in %s.\n", s.Name, truth.Tickets, truth.Day, where)
	}
	return nil
}

// ahead lets a day's cards go through the gateway before an agent reads it: of a day that is over, a gateway has everything.
func (s *shop) ahead(day time.Time) error {
	events, truth := s.till.Day(day, 60)
	s.days = map[string]soldDay{truth.Day: {events, truth}}
	return s.charge(events, 1)
}

// day is what a store's tills tell of a day; what went through a gateway is there already.
func (s *shop) day(day time.Time) ([]till.Event, till.Truth) {
	if sold, ok := s.days[day.Format(time.DateOnly)]; ok {
		return sold.events, sold.truth
	}
	return s.till.Day(day, 60)
}

func truthFile(dir, location string) string { return filepath.Join(dir, "truth-"+location+".json") }

// writeTruth keeps the till's own sums, which share no code with the product.
func writeTruth(dir string, truth till.Truth) error {
	b, err := json.MarshalIndent(truth, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(truthFile(dir, truth.Location), b, 0o600)
}

// readTruth is what the day is compared with.
func readTruth(dir, location string) (truth till.Truth, err error) {
	b, err := os.ReadFile(truthFile(dir, location))
	if err != nil {
		return truth, err
	}
	return truth, json.Unmarshal(b, &truth)
}

// spoil breaks one ticket on its way from the till: the checker must find which, and by how much.
func spoil(events []till.Event, how string) (out []till.Event) {
	done := how == ""
	versions := map[string]int{}
	for _, e := range events {
		versions[e.ID]++
	}
	for _, e := range events {
		if done || e.Path != "/v1/tickets" || versions[e.ID] > 1 {
			out = append(out, e)
			continue
		}
		done = true
		switch how {
		case "drop":
		case "double":
			twin := e
			twin.Body = bytes.Replace(e.Body, []byte(`"id":"`), []byte(`"id":"twin-`), 1)
			out = append(out, e, twin)
		case "shift":
			out = append(out, shifted(e))
		default:
			out = append(out, e)
		}
	}
	return out
}

// shifted is the ticket a day later.
func shifted(e till.Event) till.Event {
	var m map[string]any
	d := json.NewDecoder(bytes.NewReader(e.Body))
	d.UseNumber()
	if err := d.Decode(&m); err != nil {
		panic("BUG: " + err.Error())
	}
	at, _ := time.Parse(time.RFC3339, m["at"].(string))
	m["at"] = at.AddDate(0, 0, 1).Format(time.RFC3339)
	if _, ok := m["business_day"]; ok {
		m["business_day"] = at.AddDate(0, 0, 1).Format(time.DateOnly)
	}
	e.Body, _ = json.Marshal(m)
	return e
}

// tell hands an event to the agent as a till does, and fails unless the agent says that it is safe.
func (s *shop) tell(ctx context.Context, e till.Event) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+s.door+e.Path, bytes.NewReader(e.Body))
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer demo")
	req.Header.Set("Content-Type", "application/json")
	var resp *http.Response
	for try := 0; ; try++ {
		if resp, err = http.DefaultClient.Do(req); err == nil || try == 50 || !strings.Contains(err.Error(), "refused") {
			break
		}
		select { // the agent's door opens a moment after its start
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
		req.Body = io.NopCloser(bytes.NewReader(e.Body))
	}
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusCreated {
		return fmt.Errorf("%s: the agent answers %d to %s: %s", s.Code, resp.StatusCode, e.ID, answer)
	}
	return nil
}

// posted waits until every store's day is verified in Odoo.
func (d *demo) posted(ctx context.Context, day time.Time) error {
	begun := time.Now()
	date := retail.BusinessDate(day.Format(time.DateOnly))
	for {
		states := map[string]string{}
		done := 0
		for _, s := range d.shops {
			v, err := d.hub.Store.DayViews(ctx, view.DayFilter{Location: retail.LocationCode(s.Code), From: date, To: date})
			if err != nil {
				return err
			}
			for _, v := range v {
				states[s.Code] = v.State + " " + v.Why
				if v.State == roll.Verified && d.drained(s) {
					done++
				}
			}
		}
		if done == len(d.shops) {
			fmt.Fprintf(d.out, "All %d store-days are posted in Odoo and verified, %.1f s after the hub came.\n", done, time.Since(begun).Seconds())
			return nil
		}
		if time.Since(begun) > within {
			return fmt.Errorf("after %s the store-days of %s are not posted: %v; the log is %s/demo.log", within, date, states, d.dir)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case err := <-d.failed:
			return err
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// drained tells that the hub has confirmed all that the agent took.
func (d *demo) drained(s *shop) bool {
	if d.account != nil {
		return d.account.agent.Buffer.State("sales").Waiting() == 0
	}
	return s.agent.Buffer.State("sales").Waiting() == 0
}

// live goes on selling, day after day, until Ctrl-C: what today's tills have sold so far comes at one a second, the rest when it happens.
func (d *demo) live(ctx context.Context) error {
	for _, s := range d.shops {
		zone, err := time.LoadLocation(s.Zone)
		if err != nil {
			return err
		}
		d.start(ctx, "till "+s.Code, func(ctx context.Context) error {
			for day := time.Now().In(zone); ; day = day.AddDate(0, 0, 1) {
				events, _ := s.till.Day(day, 4000)
				if err := d.trade(ctx, s, events); err != nil || ctx.Err() != nil {
					return err
				}
			}
		})
	}
	fmt.Fprintf(d.out, "\nThe tills go on selling, from 9 in the morning where they stand. Look at %s and end with Ctrl-C.\n", d.hub.WebURL)
	select {
	case <-ctx.Done():
		return nil
	case err := <-d.failed:
		return err
	}
}

// trade tells a day's events as they happen; nil when ctx ends.
func (d *demo) trade(ctx context.Context, s *shop, events []till.Event) error {
	for _, e := range events {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(max(time.Second, time.Until(e.At))):
		}
		if d.account != nil {
			d.account.Tell(e)
		} else if err := s.tell(ctx, e); err != nil && ctx.Err() == nil {
			return err
		}
	}
	return nil
}
