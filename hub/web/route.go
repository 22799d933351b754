package web

import (
	"embed"
	"net/http"
	"strings"

	"github.com/tillpost/tillpost/hub/view"
)

//go:embed static
var static embed.FS

// maxForm bounds a POST: the largest is a mended record.
const maxForm = 2 << 20

// routes is the map of the pages. Free text (location, case, measure) is in the query, never in the path: a store may be called "../x".
func (s *site) routes() http.Handler {
	inside := http.NewServeMux()
	see := func(pattern string, h handler) { inside.Handle("GET "+pattern, s.signedIn(nil, h)) }
	do := func(pattern string, may []view.Role, h handler) { inside.Handle("POST "+pattern, s.signedIn(may, h)) }

	// Every table can be had as CSV and as XLSX, with the same rows and the same limits to what the user may see.
	list := func(path string, t tableOf) {
		see(path+".csv", s.download(t, sendCSV))
		see(path+".xlsx", s.download(t, sendXLSX))
	}

	see("/{$}", s.dayList)
	list("/days", s.dayListTable)
	see("/day", s.dayShow)
	list("/day", s.dayTable)
	see("/day/tickets", s.lineShow)
	list("/day/tickets", s.lineTable)
	do("/day/decide", deciders, s.dayDecide)
	see("/ticket/{id}", s.ticketShow)
	see("/ticket/{id}/raw", s.ticketRaw)
	see("/find", s.findShow)
	see("/payments", s.paymentList)
	list("/payments", s.paymentTable)
	see("/settlement", s.settlementShow)
	list("/settlement", s.settlementTable)
	see("/review", s.reviewShow)
	list("/review", s.reviewTable)
	list("/review/lines", s.reviewLineTable)
	see("/shadow", s.shadowShow)
	list("/shadow", s.shadowTable)
	see("/mapping", s.mappingShow)
	list("/mapping", s.mappingTable)
	list("/mapping/history", s.mappingHistoryTable)
	see("/cases", s.caseList)
	list("/cases", s.caseTable)
	see("/case", s.caseShow)
	do("/case", helpers, s.caseDecide)
	see("/locations", s.locationList)
	list("/locations", s.locationTable)
	see("/location", s.locationShow)
	do("/location", helpers, s.locationSet)
	do("/till", helpers, s.tillConfirm)
	do("/device/code", keepers, s.deviceCode)
	do("/device/revoke", keepers, s.deviceRevoke)
	see("/fleet", s.fleetShow)
	list("/fleet", s.fleetTable)
	see("/fleet/device", s.fleetDevice)
	do("/fleet/order", keepers, s.fleetOrder)
	see("/device", s.deviceShow)
	see("/device/bundle", s.deviceBundle)
	do("/device/settings", keepers, s.deviceSet)
	do("/device/ask", keepers, s.deviceAsk)
	see("/statuses", s.statusShow)
	do("/statuses", deciders, s.statusSet)
	see("/password", s.passwordShow)
	do("/password", view.Roles, s.passwordChange)
	inside.HandleFunc("GET /login", s.loginShow)
	inside.HandleFunc("POST /login", s.loginDo)
	do("/logout", view.Roles, s.logout)
	inside.Handle("/", s.signedIn(nil, func(_ http.ResponseWriter, _ *http.Request, _ *visit) error { return errNoPage }))

	outside := http.NewServeMux()
	outside.Handle("GET /static/", cached(http.FileServerFS(static)))
	outside.Handle("/", s.limited(http.NewCrossOriginProtection().Handler(s.session.LoadAndSave(inside))))
	return s.headers(outside)
}

// cached lets a browser keep what changes only with the program.
func cached(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/") { // no listing
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Cache-Control", "public, max-age=3600")
		next.ServeHTTP(w, r)
	})
}

// headers are on every answer: nothing may be loaded from elsewhere, framed, sniffed or kept.
func (s *site) headers(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=()")
		h.Set("Cache-Control", "no-store")
		if s.Secure {
			h.Set("Strict-Transport-Security", "max-age=31536000")
		}
		next.ServeHTTP(w, r)
	})
}

func (s *site) limited(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, maxForm)
		next.ServeHTTP(w, r)
	})
}
