package heartland

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

func (h *Retail) routes() {
	h.mux = http.NewServeMux()
	h.mux.HandleFunc("GET /api/system/whoami", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `{"id":1,"login":"tillpost","first_name":"Till","last_name":"Post"}`)
	})
	h.mux.HandleFunc("GET /api/system/host", func(w http.ResponseWriter, r *http.Request) { fmt.Fprintf(w, `{"host":%q}`, r.Host) })
	h.mux.HandleFunc("GET /api/settings/springboard.feature_flags", func(w http.ResponseWriter, _ *http.Request) {
		h.mu.Lock()
		defer h.mu.Unlock()
		fmt.Fprintf(w, `{"value":{"api_v2":%t}}`, h.t.V2)
	})
	for _, name := range []string{"tickets", "orders", "invoices"} {
		h.mux.HandleFunc("GET /api/sales/"+name, func(w http.ResponseWriter, r *http.Request) { h.list(w, r, name) })
		h.mux.HandleFunc("GET /api/sales/"+name+"/{id}/{part}", func(w http.ResponseWriter, r *http.Request) { h.part(w, r, name) })
	}
	for path, rows := range map[string]func() []string{"/api/locations": h.locationRows, "/api/items": h.itemRows, "/api/users": h.userRows, "/api/payment_types": h.paymentTypeRows,
		"/api/customers": func() []string { return nil }, "/api/sales/tax_rules": func() []string {
			return []string{`{"id":1,"name":"Sales Tax","rate":0.0825,"updated_at":"2026-01-01T00:00:00+00:00"}`}
		}} {
		h.mux.HandleFunc("GET "+path, func(w http.ResponseWriter, r *http.Request) { h.plain(w, r, rows) })
	}
	h.mux.HandleFunc("GET /api/reporting/analyzer", h.analyzer)
	h.mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		h.fail(w, http.StatusNotFound, "not_found", "Not found.")
	})
}

// condition is one test of a field.
type condition struct {
	field, op string
	value     any
}

// filterable says what a collection can be asked for by; the computed names with "?" are refused, as are all that are not listed.
var filterable = map[string]bool{"id": true, "updated_at": true, "created_at": true, "completed_at": true, "local_completed_at": true, "source_location_id": true, "station_id": true,
	"status": true, "public_id": true, "item_id": true}

// conditions reads _filter. An operator without its $ is ignored without a word, as the vendor does.
func (h *Retail) conditions(path string, q url.Values) (out []condition, refused string) {
	for _, f := range append(slices.Clone(q["_filter"]), q["_filter[]"]...) {
		var m map[string]any
		d := json.NewDecoder(strings.NewReader(f))
		d.UseNumber()
		if err := d.Decode(&m); err != nil {
			return nil, "_filter"
		}
		for field, test := range m {
			if !filterable[field] || slices.Contains(h.t.Refused[path], field) {
				return nil, field
			}
			if slices.Contains(h.t.Ignored[path], field) {
				continue
			}
			ops, ok := test.(map[string]any)
			if !ok {
				out = append(out, condition{field, "$eq", test})
				continue
			}
			for op, v := range ops {
				if strings.HasPrefix(op, "$") {
					out = append(out, condition{field, op, v})
				}
			}
		}
	}
	return out, ""
}

// compare orders a record's field against a value: −1, 0, 1; ok is false when the record has none.
func (r *record) compare(field string, v any) (n int, ok bool) {
	ints := func(have int64) (int, bool) {
		want, err := strconv.ParseInt(fmt.Sprint(v), 10, 64)
		if err != nil {
			return 0, false
		}
		return int(max(-1, min(1, have-want))), true
	}
	times := func(have time.Time) (int, bool) {
		want, err := time.Parse(time.RFC3339Nano, fmt.Sprint(v))
		return have.Compare(want), err == nil && !have.IsZero()
	}
	switch field {
	case "id":
		return ints(r.id)
	case "source_location_id":
		return ints(r.at.id)
	case "station_id":
		return ints(r.station)
	case "updated_at":
		return times(r.updated)
	case "created_at":
		return times(r.created)
	case "completed_at":
		return times(r.completed)
	case "local_completed_at":
		return strings.Compare(r.local, fmt.Sprint(v)), r.local != ""
	case "status":
		return strings.Compare(r.status, fmt.Sprint(v)), true
	}
	return 0, false
}

func (r *record) meets(cs []condition) bool {
	for _, c := range cs {
		if c.op == "$in" {
			list, _ := c.value.([]any)
			if !slices.ContainsFunc(list, func(v any) bool { n, ok := r.compare(c.field, v); return ok && n == 0 }) {
				return false
			}
			continue
		}
		n, ok := r.compare(c.field, c.value)
		if !ok {
			return false
		}
		switch c.op {
		case "$gt":
			ok = n > 0
		case "$gte":
			ok = n >= 0
		case "$lt":
			ok = n < 0
		case "$lte":
			ok = n <= 0
		case "$eq":
			ok = n == 0
		}
		if !ok {
			return false
		}
	}
	return true
}

// candidates narrows by the order that fits the question; what it yields is in the order that was asked for.
func (b *book) candidates(sort string, cs []condition) func(yield func(*record) bool) {
	value := func(field string, ops ...string) any {
		for _, c := range cs {
			if c.field == field && slices.Contains(ops, c.op) {
				return c.value
			}
		}
		return nil
	}
	if sort == "updated_at" {
		from := 0
		if v := value("updated_at", "$gte", "$gt"); v != nil {
			at, _ := time.Parse(time.RFC3339Nano, fmt.Sprint(v))
			from, _ = slices.BinarySearchFunc(b.byUpdated, at, func(e entry, t time.Time) int { return e.at.Compare(t) })
		}
		var until time.Time
		if v := value("updated_at", "$lt", "$lte"); v != nil {
			until, _ = time.Parse(time.RFC3339Nano, fmt.Sprint(v))
		}
		return func(yield func(*record) bool) {
			for _, e := range b.byUpdated[from:] {
				if !until.IsZero() && e.at.After(until) {
					return
				}
				if e.at.Equal(e.r.updated) && !yield(e.r) {
					return
				}
			}
		}
	}
	list := b.byID
	if v, ok := value("id", "$in").([]any); ok {
		list = nil
		for _, x := range v {
			id, _ := strconv.ParseInt(fmt.Sprint(x), 10, 64)
			if r := b.index[id]; r != nil {
				list = append(list, r)
			}
		}
	} else if lo, hi := value("local_completed_at", "$gte"), value("local_completed_at", "$lte", "$lt"); lo != nil && hi != nil {
		list = nil
		d, _ := time.Parse(time.DateOnly, fmt.Sprint(lo)[:10])
		for ; d.Format(time.DateOnly) <= fmt.Sprint(hi)[:10]; d = d.AddDate(0, 0, 1) {
			list = append(list, b.byDay[d.Format(time.DateOnly)]...)
		}
		slices.SortFunc(list, func(x, y *record) int { return int(x.id - y.id) })
	}
	if v := value("id", "$gt", "$gte"); v != nil {
		id, _ := strconv.ParseInt(fmt.Sprint(v), 10, 64)
		from, _ := slices.BinarySearchFunc(list, id, func(r *record, id int64) int { return int(max(-1, min(1, r.id-id))) })
		list = list[from:]
	}
	return slices.Values(list)
}

// list answers a collection.
func (h *Retail) list(w http.ResponseWriter, r *http.Request, name string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.flush()
	q, path := r.URL.Query(), r.URL.Path
	cs, refused := h.conditions(path, q)
	if refused != "" {
		h.fail(w, http.StatusBadRequest, "invalid_request", "cannot filter by "+refused)
		return
	}
	sort := "id"
	for _, s := range append(q["sort[]"], q["sort"]...) {
		if s == "updated_at" {
			sort = s
		}
	}
	page, per := h.paging(q)
	only, lines := q["_only[]"], slices.Contains(q["_include[]"], "lines") && !h.t.NoInclude
	pays := slices.Contains(q["_include[]"], "payments") && !h.t.NoInclude
	var out bytes.Buffer
	total, rows := 0, 0
	for rec := range h.books[name].candidates(sort, cs) {
		if h.t.Hidden[rec.at.Code] || !rec.meets(cs) {
			continue
		}
		if total++; total <= (page-1)*per || rows == per {
			continue
		}
		if rows++; rows > 1 {
			out.WriteByte(',')
		}
		rec.write(&out, only, lines, pays)
	}
	if h.t.WideRows > 0 && total > h.t.WideRows {
		h.count.Wide++
		h.fail(w, http.StatusInternalServerError, "internal_error", "Something went wrong.")
		return
	}
	h.count.Rows += rows
	fat := h.t.FatRows > 0 && rows > h.t.FatRows && lines
	h.answer(w, total, per, &out, fat)
}

func (r *record) write(b *bytes.Buffer, only []string, lines, pays bool) {
	b.WriteByte('{')
	if len(only) > 0 {
		for i, f := range only {
			if i > 0 {
				b.WriteByte(',')
			}
			switch f {
			case "id":
				fmt.Fprintf(b, `"id":%d`, r.id)
			case "source_location_id":
				fmt.Fprintf(b, `"source_location_id":%d`, r.at.id)
			case "updated_at":
				fmt.Fprintf(b, `"updated_at":%q`, text(r.updated))
			case "local_completed_at":
				fmt.Fprintf(b, `"local_completed_at":%q`, r.local)
			default:
				fmt.Fprintf(b, `%q:null`, f)
			}
		}
		b.WriteByte('}')
		return
	}
	b.Write(r.body)
	if lines {
		b.WriteString(`,"lines":`)
		b.Write(r.linesBody)
	}
	if pays {
		b.WriteString(`,"payments":`)
		b.Write(r.paysBody)
	}
	b.WriteByte('}')
}

func (h *Retail) paging(q url.Values) (page, per int) {
	page, _ = strconv.Atoi(q.Get("page"))
	per, _ = strconv.Atoi(q.Get("per_page"))
	if q.Get("per_page") == "all" {
		per = 5000
	}
	if per <= 0 {
		per = 20
	}
	limit := h.t.PageCap
	if limit == 0 {
		limit = 5000
	}
	return max(1, page), min(per, limit)
}

// answer writes a page; a fat one goes on for 300 MB.
func (h *Retail) answer(w http.ResponseWriter, total, per int, rows *bytes.Buffer, fat bool) {
	w.Header().Set("Content-Type", "application/json")
	fmt.Fprintf(w, `{"total":%d,"pages":%d,"results":[`, total, (total+per-1)/per)
	_, _ = w.Write(rows.Bytes())
	if fat {
		_, _ = io.Copy(w, io.LimitReader(spaces{}, 300<<20)) // JSON may hold any space between values
	}
	fmt.Fprint(w, `]}`)
}

type spaces struct{}

func (spaces) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
}

// part answers lines or payments of one record.
func (h *Retail) part(w http.ResponseWriter, r *http.Request, name string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	id, _ := strconv.ParseInt(r.PathValue("id"), 10, 64)
	rec := h.books[name].index[id]
	if rec == nil || h.t.Hidden[rec.at.Code] {
		h.fail(w, http.StatusNotFound, "not_found", "Not found.")
		return
	}
	body, n := rec.linesBody, len(rec.lines)
	if r.PathValue("part") == "payments" {
		body, n = rec.paysBody, len(rec.payments)
	}
	h.answer(w, n, max(1, n), bytes.NewBuffer(body[1:len(body)-1]), false)
}

// plain answers a small collection: filters by id only.
func (h *Retail) plain(w http.ResponseWriter, r *http.Request, rows func() []string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	q := r.URL.Query()
	page, per := h.paging(q)
	all := rows()
	if cs, _ := h.conditions(r.URL.Path, q); len(cs) > 0 {
		all = slices.DeleteFunc(all, func(row string) bool {
			var head struct {
				ID int64 `json:"id"`
			}
			_ = json.Unmarshal([]byte(row), &head)
			return !(&record{id: head.ID, at: &place{}}).meets(cs)
		})
	}
	total := len(all)
	all = all[min(len(all), (page-1)*per):]
	all = all[:min(len(all), per)]
	h.answer(w, total, per, bytes.NewBufferString(strings.Join(all, ",")), false)
}

func (h *Retail) locationRows() (out []string) {
	for _, p := range h.visible() {
		var st []string
		for i, s := range p.stations {
			st = append(st, fmt.Sprintf(`{"id":%d,"uuid":"u-%d","name":"Register %d","active?":true,"location_id":%d}`, s, s, i+1, p.id))
		}
		out = append(out, fmt.Sprintf(`{"id":%d,"public_id":%q,"name":%q,"time_zone":%q,"active?":true,"updated_at":%q,"stations":[%s]}`, p.id, p.Code, p.Name, p.Zone, text(p.updated), strings.Join(st, ",")))
	}
	return out
}

func (h *Retail) itemRows() (out []string) {
	for _, it := range h.itemList {
		out = append(out, fmt.Sprintf(`{"id":%d,"public_id":%q,"description":%q,"type":"regular","active?":true,"custom":{"category":%q},"updated_at":%q}`, it.id, it.code, it.code, it.category, text(it.updated)))
	}
	return out
}

func (h *Retail) userRows() (out []string) {
	for _, p := range h.people {
		out = append(out, fmt.Sprintf(`{"id":%d,"login":%q,"first_name":%q,"last_name":"Doe"}`, p.id, strings.ToLower(p.name), p.name))
	}
	return out
}

func (h *Retail) paymentTypeRows() (out []string) {
	for i, n := range paymentTypes {
		out = append(out, fmt.Sprintf(`{"id":%d,"name":%q}`, i+1, n))
	}
	return out
}
