package enrol

import (
	"io"
	"net/http"
	"time"

	"github.com/tillpost/tillpost/shared/enrol"
	"github.com/tillpost/tillpost/shared/fault"
)

// bundle takes the support bundle that a PC was asked for. Who it is its certificate says; whether it was asked the database knows. Few come
// at a time: each is in memory whole.
func (s *Server) bundle(turns chan struct{}) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		cert, err := s.Authority.Verify(r.TLS.PeerCertificates, s.Now(), 0)
		if err != nil { // before a byte of it is read
			s.complain(r.Context(), "support bundle", err)
			refuse(w, statusOf(err), err)
			return
		}
		select {
		case turns <- struct{}{}:
			defer func() { <-turns }()
		case <-r.Context().Done():
			return
		}
		c := http.NewResponseController(w)
		_ = c.SetReadDeadline(time.Now().Add(enrol.BundleIn)) // a store's line is slow upwards
		_ = c.SetWriteDeadline(time.Now().Add(enrol.BundleIn + enrolAnswers))
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, enrol.MaxBundle))
		if err != nil {
			refuse(w, http.StatusBadRequest, fault.New(fault.Invalid, "support bundle", err))
			return
		}
		if err := s.Bundles.PutBundle(r.Context(), cert, r.URL.Query().Get("command"), body); err != nil {
			s.complain(r.Context(), "support bundle", err)
			refuse(w, statusOf(err), err)
			return
		}
		s.Log.InfoContext(r.Context(), "a support bundle came", "device", cert.Device, "bytes", len(body))
		write(w, http.StatusOK, struct{}{})
	}
}

const enrolAnswers = 20 * time.Second
