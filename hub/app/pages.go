package app

import "net/http"

// pages builds the hub's pages.
func (a *App) pages() (http.Handler, error) { return http.NotFoundHandler(), nil }
