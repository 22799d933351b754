package odoo

import (
	"encoding/json"
	"net/http"
	"slices"
	"time"
)

// Trouble is what is wrong with the server at the moment.
type Trouble struct {
	HTML      bool          `json:"html"`      // answers with a web page: maintenance, or a proxy's
	Status    int           `json:"status"`    // the page's HTTP status, 0 = 200
	Slow      time.Duration `json:"slow"`      // before each answer
	Denied    bool          `json:"denied"`    // the key has expired
	NoRights  bool          `json:"no_rights"` // the user lost his rights
	Cut       int           `json:"cut"`       // so many next answers are committed and never sent
	Serialize int           `json:"serialize"` // so many next loads meet another transaction
	Break     string        `json:"break"`     // a load or post of an entry whose ref contains this breaks Odoo
}

// Make sets the trouble.
func (s *Server) Make(t Trouble) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.trouble = t
}

// Now returns the trouble.
func (s *Server) Now() Trouble {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.trouble
}

// Calls returns how often a method ran: "account.move.load".
func (s *Server) Calls() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := map[string]int{}
	for k, v := range s.calls {
		out[k] = v
	}
	return out
}

// PostedWrites counts how often somebody wrote to a posted entry.
func (s *Server) PostedWrites() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.rewrote
}

// Lock sets the company's lock dates, "" = open. tax concerns entries with tax lines only.
func (s *Server) Lock(all, tax string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.b.Models["res.company"][1]
	c["fiscalyear_lock_date"], c["tax_lock_date"] = orFalse(all), orFalse(tax)
}

// SetLock sets one lock date of the company by its field, "" = open.
func (s *Server) SetLock(field, date string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.b.Models["res.company"][1][field] = orFalse(date)
}

// SetJournal makes a journal of the company one of another type.
func (s *Server) SetJournal(code, kind string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, j := range s.b.Models["account.journal"] {
		if j["code"] == code && j["company_id"] == int64(1) {
			j["type"] = kind
		}
	}
}

// Delete removes an entry as a person would, whatever its state: its external id goes with it.
func (s *Server) Delete(move int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, line := range slices.Clone(s.lines[move]) {
		s.remove("account.move.line", line)
	}
	s.remove("account.move", move)
}

func (s *Server) cut() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.trouble.Cut > 0 {
		s.trouble.Cut--
		return true
	}
	return false
}

// control lets another process make trouble: POST /fake/trouble, POST /fake/lock?all=2026-06-30.
func (s *Server) control(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/fake/trouble":
		var t Trouble
		if err := json.NewDecoder(r.Body).Decode(&t); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		s.Make(t)
	case "/fake/lock":
		s.Lock(r.URL.Query().Get("all"), r.URL.Query().Get("tax"))
	case "/fake/calls":
		_ = json.NewEncoder(w).Encode(s.Calls())
	default:
		http.NotFound(w, r)
	}
}

func orFalse(s string) any {
	if s == "" {
		return false
	}
	return s
}
