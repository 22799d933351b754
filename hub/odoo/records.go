package odoo

import (
	"context"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/retail"
)

// Models that documents and bank lines stand in.
const (
	Entries        = "account.move"
	Payments       = "account.payment"
	StatementLines = "account.bank.statement.line"
)

// Record is an entry as Odoo has it now.
type Record struct {
	ID    int64
	Name  string
	State string // draft posted cancel
	Date  retail.BusinessDate
	Ref   string
	URL   string
}

// recordForm takes what people copy for a record: account.move/123, account.move,123 and the addresses of 17 to 19.
var recordForm = regexp.MustCompile(`^(?:https?://\S+/)?(account\.move|account\.payment|account\.bank\.statement\.line)[/,(](\d+)\D*$`)

// ParseRecord reads the name of a record in Odoo, or the address of its page.
func ParseRecord(s string) (model string, id int64, ok bool) {
	path, _, _ := strings.Cut(s, "?")
	if m := recordForm.FindStringSubmatch(path); m != nil {
		id, err := strconv.ParseInt(m[2], 10, 64)
		return m[1], id, err == nil
	}
	_, fragment, ok := strings.Cut(s, "#")
	if !ok {
		return "", 0, false
	}
	for part := range strings.SplitSeq(fragment, "&") {
		switch k, v, _ := strings.Cut(part, "="); k {
		case "model":
			model = v
		case "id":
			id, _ = strconv.ParseInt(v, 10, 64)
		}
	}
	return model, id, id > 0 && (model == Entries || model == Payments || model == StatementLines)
}

// PaymentParts begins the names of a document's parts whose id is a payment's; every other part's is an entry's.
const PaymentParts = partPayment

// DocumentOf is the id of the document that a reference names, of whatever hub; own tells that it is this one's.
func DocumentOf(hub envelope.HubID, ref string) (id string, own, ok bool) {
	m := refForm.FindStringSubmatch(strings.TrimSpace(ref))
	if m == nil {
		return "", false, false
	}
	id = m[1] + "/" + m[2] + "/"
	if m[3] != "" {
		id += m[3] + "/"
	}
	return id + m[4], strings.HasPrefix(ref, refStart(hub)), true
}

// Read reads entries by id; one that is not in the result does not exist, or the user may not see it.
func Read(ctx context.Context, c *Client, moves []int64) (map[int64]Record, error) {
	got, err := c.records(ctx, []any{[]any{"id", "in", moves}})
	out := map[int64]Record{}
	for _, r := range got {
		out[r.ID] = r
	}
	return out, err
}

// Search finds entries by number or reference.
func Search(ctx context.Context, c *Client, what string) ([]Record, error) {
	byName, err := c.records(ctx, []any{[]any{"name", "=", what}})
	if err != nil || len(byName) > 0 {
		return byName, err
	}
	return c.records(ctx, []any{[]any{"ref", "=", what}})
}

func (c *Client) records(ctx context.Context, domain []any) (out []Record, err error) {
	v, err := c.Version(ctx)
	if err != nil {
		return nil, err
	}
	got, err := c.search(ctx, Entries, domain, []string{"name", "state", "date", "ref"}, nil)
	for _, m := range got {
		out = append(out, Record{ID: id(m["id"]), Name: text(m["name"]), State: text(m["state"]), Date: retail.BusinessDate(text(m["date"])), Ref: text(m["ref"]),
			URL: recordURL(c.cfg.URL, v.Major, Entries, id(m["id"]))})
	}
	return out, err
}

// recordURL opens a record in Odoo's own pages.
func recordURL(base string, version int, model string, id int64) string {
	if version >= 18 {
		return fmt.Sprintf("%s/odoo/%s/%d", base, model, id)
	}
	return fmt.Sprintf("%s/web#id=%d&model=%s&view_type=form", base, id, model)
}
