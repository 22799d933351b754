package retailapi

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tillpost/tillpost/shared/breaker"
	"github.com/tillpost/tillpost/shared/fault"
)

// Check asks the account for as little as reading needs, for a doctor: it captures nothing and may be called while another process reads. A
// right that is missing comes back as breaker.Refuse marks it, and so does a location of the settings that the token may not see: the API
// says nothing of it.
func (s *Source) Check(ctx context.Context) error {
	s.c.spaced = checkSpacing
	err := s.check(ctx)
	for n := 1; n < checkTries; n++ {
		until, rests := s.c.resting()
		if err == nil || !rests {
			break
		}
		if pause(ctx, time.Until(until)) != nil {
			break
		}
		err = s.check(ctx)
	}
	if fault.Is(err, fault.Invalid) {
		return breaker.Refuse(err)
	}
	return err
}

const (
	checkSpacing = 1500 * time.Millisecond // with the service's own requests less than the 4 a second that the vendor is believed to bear
	checkTries   = 4                       // so often an account is asked that wants to be left alone for a while
)

func (s *Source) check(ctx context.Context) error {
	if s.c.base == "" {
		base, err := hostOf(ctx, s.c)
		if err != nil {
			return err
		}
		s.c.base = base
	}
	var a abilities
	if err := s.probeFilters(ctx, &a); err != nil {
		return err
	}
	if err := s.checkPlaces(ctx); err != nil {
		return err
	}
	return s.reporting(ctx, &a)
}

// checkPlaces compares the locations of the settings with those that the token may see.
func (s *Source) checkPlaces(ctx context.Context) error {
	rows, err := s.all(ctx, "/locations", query{})
	if err != nil {
		return s.rights(err, "locations")
	}
	var seen []string
	for _, raw := range rows {
		var l struct {
			ID     json.Number `json:"id"`
			Number string      `json:"public_id"`
		}
		if err := json.Unmarshal(raw, &l); err != nil {
			return fault.New(fault.Invalid, "read /locations", err)
		}
		if l.Number == "" {
			l.Number = l.ID.String()
		}
		seen = append(seen, l.Number)
	}
	var hidden []string
	for _, want := range s.o.Locations {
		if !slices.Contains(seen, string(want)) {
			hidden = append(hidden, string(want))
		}
	}
	if len(seen) == 0 {
		hidden = []string{"any location"}
	}
	if len(hidden) > 0 {
		return fault.Msg(fault.Invalid, "read locations", fmt.Sprintf("the token's user may not see %s, and what is sold there is missing: give it the right to, or correct the number in the settings", strings.Join(hidden, ", ")))
	}
	return nil
}
