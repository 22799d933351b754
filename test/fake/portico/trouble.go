package portico

import (
	"io"
	"net/http"
	"strings"
	"sync"
)

// Trouble is what goes wrong at the gateway or on the way to it. Each kind holds for so many requests of a name, "" = of any.
type Trouble struct {
	mu    sync.Mutex
	codes []planned
	ways  []planned
}

type planned struct {
	name string
	n    int
	code int
	way  Way
}

// Way is how an answer is spoilt before it is one.
type Way int

const (
	Away    Way = iota + 1 // HTTP 503
	SignIn                 // a hotel's sign-in page with status 200
	Bomb                   // entities of entities
	Endless                // 300 MB
	CutOff                 // half an answer, then the line breaks
)

// Code answers the next n requests of a name with a code.
func (t *Trouble) Code(name string, n, code int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.codes = append(t.codes, planned{name: name, n: n, code: code})
}

// Spoil spoils the next n answers to requests of a name.
func (t *Trouble) Spoil(name string, n int, w Way) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.ways = append(t.ways, planned{name: name, n: n, way: w})
}

func take(list []planned, name string) (planned, bool) {
	for i := range list {
		if p := &list[i]; p.n > 0 && (p.name == "" || p.name == name) {
			p.n--
			return *p, true
		}
	}
	return planned{}, false
}

func (t *Trouble) code(name string) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	p, _ := take(t.codes, name)
	return p.code
}

func (t *Trouble) spoils(w http.ResponseWriter, name string) bool {
	t.mu.Lock()
	p, ok := take(t.ways, name)
	t.mu.Unlock()
	if !ok {
		return false
	}
	switch p.way {
	case Away:
		http.Error(w, "Service Unavailable", http.StatusServiceUnavailable)
	case SignIn:
		_, _ = io.WriteString(w, "<html><head><title>Welcome</title></head><body>Please sign in</body></html>")
	case Bomb:
		_, _ = io.WriteString(w, `<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY a "ha"><!ENTITY b "`+strings.Repeat("&a;", 100)+`"><!ENTITY c "`+strings.Repeat("&b;", 100)+`">]><soap:Envelope xmlns:soap="s">&c;</soap:Envelope>`)
	case Endless:
		_, _ = io.WriteString(w, `<?xml version="1.0"?><soap:Envelope xmlns:soap="s"><soap:Body>`)
		chunk := strings.Repeat("<Details>0123456789</Details>", 1000)
		for n := 0; n < 300<<20; n += len(chunk) {
			if _, err := io.WriteString(w, chunk); err != nil {
				break // nobody reads on
			}
		}
	case CutOff:
		w.Header().Set("Content-Length", "5000")
		_, _ = io.WriteString(w, `<?xml version="1.0"?><soap:Envelope xmlns:soap="s"><soap:Body>`)
	}
	return true
}
