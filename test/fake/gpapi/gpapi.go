// Package gpapi is Global Payments' GP-API as far as settlement goes: tokens, pages, deposits that change, disputes and bills. It shares no
// code with the product.
package gpapi

import (
	"crypto/sha512"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"
)

// Server is safe for concurrent use.
type Server struct {
	AppID, Key string
	Account    string // the only account that may read
	Now        func() time.Time
	Life       time.Duration // of a token

	mu     sync.Mutex
	rows   map[string][]map[string]any // by path
	tokens map[string]time.Time
	asked  []string
	away   int // so many answers are 503
}

// paths are the collections and the field that holds their rows.
var paths = map[string]struct{ field, time string }{"/ucp/settlement/deposits": {"deposits", "time_created"}, "/ucp/settlement/transactions": {"transactions", "time_created"},
	"/ucp/disputes": {"disputes", "stage_time_created"}, "/ucp/settlement/disputes": {"disputes", "deposit_time_created"}, "/ucp/settlement/reports/monthly-fees": {"monthly_fees", "time_created"}}

// Put adds a row, or replaces the one with the same id. path is without /ucp.
func (s *Server) Put(path string, row map[string]any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.rows == nil {
		s.rows = map[string][]map[string]any{}
	}
	path = "/ucp" + path
	i := slices.IndexFunc(s.rows[path], func(r map[string]any) bool { return row["id"] != nil && r["id"] == row["id"] })
	if i >= 0 {
		s.rows[path][i] = row
		return
	}
	s.rows[path] = append(s.rows[path], row)
}

// Away lets the next n requests fail.
func (s *Server) Away(n int) { s.mu.Lock(); defer s.mu.Unlock(); s.away = n }

// Forget makes every token useless.
func (s *Server) Forget() { s.mu.Lock(); defer s.mu.Unlock(); clear(s.tokens) }

// Asked lists method and path of all requests.
func (s *Server) Asked() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.asked)
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = append(s.asked, r.Method+" "+r.URL.Path)
	if s.away > 0 {
		s.away--
		fail(w, http.StatusServiceUnavailable, "SYSTEM_ERROR", "try later")
		return
	}
	if r.Header.Get("X-GP-Version") != "2021-03-22" {
		fail(w, http.StatusBadRequest, "INVALID_REQUEST_DATA", "X-GP-Version")
		return
	}
	if r.URL.Path == "/ucp/accesstoken" && r.Method == http.MethodPost {
		s.token(w, r)
		return
	}
	p, ok := paths[r.URL.Path]
	until, known := s.tokens[r.Header.Get("Authorization")]
	switch {
	case !known || !s.Now().Before(until):
		fail(w, http.StatusUnauthorized, "NOT_AUTHENTICATED", "Invalid access token")
	case !ok || r.Method != http.MethodGet:
		fail(w, http.StatusNotFound, "RESOURCE_NOT_FOUND", r.URL.Path)
	case r.URL.Query().Get("account_name") != s.Account:
		fail(w, http.StatusForbidden, "ACTION_NOT_AUTHORIZED", "Permission not enabled to execute action")
	default:
		s.page(w, r, p.field, p.time)
	}
}

func (s *Server) token(w http.ResponseWriter, r *http.Request) {
	var in struct{ AppID, Nonce, Secret, GrantType string }
	var m map[string]string
	_ = json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<16)).Decode(&m)
	in.AppID, in.Nonce, in.Secret, in.GrantType = m["app_id"], m["nonce"], m["secret"], m["grant_type"]
	sum := sha512.Sum512([]byte(in.Nonce + s.Key))
	if in.AppID != s.AppID || in.Secret != hex.EncodeToString(sum[:]) || in.GrantType != "client_credentials" || in.Nonce == "" {
		fail(w, http.StatusForbidden, "ACTION_NOT_AUTHORIZED", "Credentials not recognized to create access token.")
		return
	}
	if s.tokens == nil {
		s.tokens = map[string]time.Time{}
	}
	t := fmt.Sprintf("token-%d", len(s.asked))
	s.tokens["Bearer "+t] = s.Now().Add(s.Life)
	reply(w, http.StatusOK, map[string]any{"token": t, "type": "Bearer", "app_id": in.AppID, "seconds_to_expire": int(s.Life.Seconds()),
		"scope": map[string]any{"accounts": []any{map[string]any{"id": "DAA_1", "name": s.Account}}}})
}

// page answers with one page of what fits: dates by the collection's own time, both ends included.
func (s *Server) page(w http.ResponseWriter, r *http.Request, field, at string) {
	q := r.URL.Query()
	var fits []map[string]any
	for _, row := range s.rows[r.URL.Path] {
		day, _ := row[at].(string)
		day = day[:min(10, len(day))]
		if d := q.Get("deposit_id"); d != "" && row["deposit_id"] != d {
			continue
		}
		if from := q.Get("from_" + at); from != "" && day < from {
			continue
		}
		if to := q.Get("to_" + at); to != "" && day > to {
			continue
		}
		fits = append(fits, row)
	}
	size, _ := strconv.Atoi(q.Get("page_size"))
	n, _ := strconv.Atoi(q.Get("page"))
	if size < 1 || size > 1000 || n < 1 {
		fail(w, http.StatusBadRequest, "INVALID_REQUEST_DATA", "page")
		return
	}
	from := min((n-1)*size, len(fits))
	part := fits[from:min(from+size, len(fits))]
	if part == nil {
		part = []map[string]any{}
	}
	reply(w, http.StatusOK, map[string]any{"total_record_count": len(fits), "current_page_size": len(part), "merchant_name": "Trail Shop",
		"paging": map[string]any{"page": n, "page_size": size}, field: part})
}

func fail(w http.ResponseWriter, status int, code, detail string) {
	reply(w, status, map[string]any{"error_code": code, "detailed_error_code": "40000", "detailed_error_description": detail})
}

func reply(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}
