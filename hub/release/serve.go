package release

import (
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/tillpost/tillpost/shared/release"
)

const (
	maxReaders = 200           // at once; another is told to come again
	serveFor   = 2 * time.Hour // one answer: 18 MB at 2.5 KB/s
	again      = "60"          // seconds; clients wait with jitter of their own
)

// Handler serves the repository below release.Path: metadata and programs, with ranges. It is no secret and shows nothing else of the folder; who
// reads believes signatures and not this address.
func (r *Repo) Handler() http.Handler {
	turns := make(chan struct{}, maxReaders)
	return http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		name, ok := strings.CutPrefix(q.URL.Path, release.Path)
		if !ok || !release.ValidName(name) || !strings.HasPrefix(name, release.MetadataDir) && !strings.HasPrefix(name, release.TargetsDir) {
			http.NotFound(w, q)
			return
		}
		if q.Method != http.MethodGet && q.Method != http.MethodHead {
			http.Error(w, "GET", http.StatusMethodNotAllowed)
			return
		}
		select {
		case turns <- struct{}{}:
			defer func() { <-turns }()
		default:
			w.Header().Set("Retry-After", again)
			http.Error(w, "too many read at once", http.StatusServiceUnavailable)
			return
		}
		r.serve(w, q, name)
	})
}

func (r *Repo) serve(w http.ResponseWriter, q *http.Request, name string) {
	f, err := os.Open(r.path(name))
	if err != nil {
		http.NotFound(w, q)
		return
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil || !st.Mode().IsRegular() {
		http.NotFound(w, q)
		return
	}
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(serveFor)) // a server without deadlines needs none
	h := w.Header()
	h.Set("Content-Type", "application/octet-stream")
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	if name == release.MetadataDir+timeJSON {
		h.Set("Cache-Control", "no-cache")
	}
	http.ServeContent(w, q, "", st.ModTime(), f)
}
