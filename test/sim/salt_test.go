package sim

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/tillpost/tillpost/hub/rollup"
	"github.com/tillpost/tillpost/shared/envelope"
)

// salt adds what real tills also tell: repetitions, older words, poorer sources, contradictions, large records and rubbish.
func (t *truth) salt(j *journal) {
	if t.w.plan.retell {
		t.again(j)
	}
	t.late(j)
	t.older(j)
	t.poorer(j)
	if !t.w.plan.salvage { // a row lost with a page would turn the contradiction round
		t.clash(j)
	}
	if t.w.plan.parts {
		t.large(j)
	}
	t.rubbish(j)
}

func (t *truth) again(j *journal) {
	for range 3 {
		if i := t.dice.IntN(len(j.items)); j.items[i].Kind == "ticket.v1" {
			it := j.items[i]
			if t.dice.IntN(2) == 0 {
				it.Stream = envelope.History // an export read beside the live line
			}
			j.insert(t.dice, i, it)
		}
	}
}

// late: tickets of the first day turn up at the very end, long after their day was closed.
func (t *truth) late(j *journal) {
	for range t.dice.IntN(4) {
		at := t.once(j)
		if len(at) == 0 {
			return
		}
		i := at[t.dice.IntN(len(at))/2]
		it := j.items[i]
		j.items = append(append(j.items[:i:i], j.items[i+1:]...), it)
	}
}

// older: the till exports a revision that was replaced before it was ever told.
func (t *truth) older(j *journal) {
	at := t.once(j)
	if len(at) == 0 || t.dice.IntN(2) == 0 {
		return
	}
	i := at[t.dice.IntN(len(at))]
	j.items[i].Body = edit(j.items[i].Body, func(m map[string]any) { m["revision"] = 7 })
	old := j.items[i]
	old.Body = edit(old.Body, func(m map[string]any) { m["revision"] = 3; wrong(m) })
	j.insert(t.dice, i, old)
}

// poorer: another source, of a lower rank, says the same ticket less well.
func (t *truth) poorer(j *journal) {
	at := t.once(j)
	if len(at) == 0 || t.dice.IntN(2) == 0 {
		return
	}
	i := at[t.dice.IntN(len(at))]
	poor := j.items[i]
	poor.Body = edit(poor.Body, func(m map[string]any) { m["rank"] = -1; m["revision"] = 9; wrong(m) })
	j.insert(t.dice, i, poor)
}

// wrong makes the ticket a dollar more.
func wrong(m map[string]any) {
	m["lines"] = append(m["lines"].([]any), map[string]any{"kind": "fee", "code": "BAG", "amount": json.Number("1.00")})
	m["tenders"] = append(m["tenders"].([]any), map[string]any{"type": "cash", "amount": json.Number("1.00")})
}

// clash: a number turns up again in another place.
func (t *truth) clash(j *journal) {
	at := t.once(j)
	if len(at) == 0 || t.dice.IntN(3) > 0 {
		return
	}
	i := at[t.dice.IntN(len(at))]
	x := j.items[i]
	x.Location = j.location + "x"
	t.trading[x.Location] = t.trading[j.location]
	x.Body = edit(x.Body, func(m map[string]any) { m["location"] = string(x.Location); wrong(m) })
	j.insert(t.dice, i, x)
	t.clashes[x.id] = true
}

// large: a record that travels in parts.
func (t *truth) large(j *journal) {
	t.n++
	id := fmt.Sprintf("%s-large-%d", j.location, t.n)
	var text strings.Builder
	for range 32_000 {
		fmt.Fprintf(&text, "%c%c%c%c%c%c", 'a'+t.dice.IntN(26), 'A'+t.dice.IntN(26), '0'+t.dice.IntN(10), 'a'+t.dice.IntN(26), 'A'+t.dice.IntN(26), ' '+t.dice.IntN(2))
	}
	body := fmt.Sprintf(`{"id":%q,"location":%q,"till":"T1","business_day":"2026-11-20","at":"2026-11-20T18:00:00Z","currency":"USD","revision":1,
		"lines":[{"kind":"item","category":"Books","description":%q,"amount":12.34}],"tenders":[{"type":"cash","amount":12.34}]}`, id, j.location, text.String())
	it := item{j.items[0].Draft, id}
	it.Stream, it.Kind, it.Key, it.Body = envelope.Sales, "ticket.v1", id, []byte(body)
	j.insert(t.dice, len(j.items)/4, it)
	k := rollup.DayKey{Location: j.location, Day: "2026-11-20"}
	t.measures[k]["item"] += 1234
	t.measures[k]["tender:cash"] += 1234
}

// rubbish cannot be booked: each must be listed, and none may hold up what comes after it.
func (t *truth) rubbish(j *journal) {
	for range t.dice.IntN(4) {
		t.n++
		id := fmt.Sprintf("%s-bad-%d", j.location, t.n)
		it := item{j.items[0].Draft, id}
		it.Stream, it.Kind, it.Key = envelope.Sales, "ticket.v1", id
		good := fmt.Sprintf(`{"id":%q,"location":%q,"at":"2026-11-20T18:00:00Z","business_day":"2026-11-20","currency":"USD","lines":[{"kind":"item","amount":1.00}],"tenders":[{"type":"cash","amount":1.00}]}`, id, j.location)
		switch t.dice.IntN(5) {
		case 0:
			it.Body = []byte(good[:len(good)/2])
		case 1:
			it.Body = []byte(strings.Replace(good, `"amount":1.00}]}`, `"amount":1.01}]}`, 1))
		case 2:
			it.Body = []byte(strings.Replace(good, "1.00", "1.005", 1))
		case 3:
			it.Location = "ELSEWHERE" // nobody assigned it to this device
			it.Body = []byte(strings.Replace(good, string(j.location)+`","at"`, `ELSEWHERE","at"`, 1))
		case 4:
			it.Body = []byte("date,total\x00\xff\n")
		}
		t.refused[id] = true
		j.insert(t.dice, t.dice.IntN(len(j.items)), it)
	}
}
