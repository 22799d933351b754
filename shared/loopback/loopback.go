// Package loopback guards what is shown on this machine and nowhere else.
package loopback

import (
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// Only lets in who asks from this machine for this machine by a name that nobody else can point at it. A page of a stranger can make this machine's
// browser ask a name of the stranger's that has come to mean 127.0.0.1 (DNS rebinding): then the browser says that name, and is refused. Only
// reading is served, and no other page may embed what is read.
func Only(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Cache-Control", "no-store")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("X-Frame-Options", "DENY")
		switch {
		case !here(r.RemoteAddr):
			http.Error(w, "this page can be seen on its own machine only", http.StatusForbidden)
		case !thisMachine(r.Host):
			http.Error(w, "this page is asked for by the address 127.0.0.1 or localhost only", http.StatusMisdirectedRequest)
		case foreign(r):
			http.Error(w, "another page may not ask for this one", http.StatusForbidden)
		case r.Method != http.MethodGet && r.Method != http.MethodHead:
			http.Error(w, "this page can only be read", http.StatusMethodNotAllowed)
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// here says that the other end is this machine itself.
func here(addr string) bool {
	a, err := netip.ParseAddrPort(addr)
	return err == nil && a.Addr().Unmap().IsLoopback()
}

// thisMachine says that a Host header names this machine by something that no name server answers.
func thisMachine(host string) bool {
	name := host
	if h, _, err := net.SplitHostPort(host); err == nil {
		name = h
	}
	name = strings.TrimSuffix(strings.TrimPrefix(name, "["), "]")
	if strings.EqualFold(name, "localhost") {
		return true
	}
	a, err := netip.ParseAddr(name)
	return err == nil && a.IsLoopback()
}

// foreign says that a browser asks on another page's behalf; a person who follows a link is welcome.
func foreign(r *http.Request) bool {
	site, how := r.Header.Get("Sec-Fetch-Site"), r.Header.Get("Sec-Fetch-Mode")
	if site == "cross-site" || site == "same-site" {
		return how != "navigate" || r.Header.Get("Sec-Fetch-Dest") != "document"
	}
	origin := r.Header.Get("Origin")
	return origin != "" && origin != "http://"+r.Host
}
