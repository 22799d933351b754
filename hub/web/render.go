package web

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/tillpost/tillpost/shared/fault"
)

//go:embed templates/*.html
var templates embed.FS

// page is what the frame around every page needs.
type page struct {
	Title, Path           string
	User, Role, CSRF      string
	Flash, Version        string
	Cases                 int
	Decides, Helps, Known bool
	Wide                  bool // the user sees all locations
	Data                  any
}

// parsePages makes one set per page: the frame, the shared parts, and the page as "content".
func parsePages(now func() time.Time) (map[string]*template.Template, error) {
	names, err := fs.Glob(templates, "templates/*.html")
	if err != nil {
		return nil, err
	}
	frame, err := template.New("frame.html").Funcs(funcs(now)).ParseFS(templates, "templates/frame.html", "templates/parts.html")
	if err != nil {
		return nil, fmt.Errorf("parse frame: %w", err)
	}
	out := map[string]*template.Template{}
	for _, n := range names {
		name := strings.TrimSuffix(path.Base(n), ".html")
		if name == "frame" || name == "parts" {
			continue
		}
		t, err := frame.Clone()
		if err == nil {
			t, err = t.ParseFS(templates, n)
		}
		if err != nil {
			return nil, fmt.Errorf("parse page %s: %w", name, err)
		}
		out[name] = t
	}
	return out, nil
}

// render draws a page whole before it sends the first byte: a fault in the middle becomes the error page, not half a table.
func (s *site) render(w http.ResponseWriter, r *http.Request, v *visit, code int, name, title string, data any) error {
	p := page{Title: title, Path: r.URL.Path, Version: s.Version, Data: data}
	if v != nil {
		n, err := s.Cases.OpenCases(r.Context(), v.only())
		if err != nil {
			return err
		}
		p.User, p.Role, p.CSRF, p.Cases, p.Known = v.user.Name, string(v.user.Role), v.csrf, n, true
		p.Decides, p.Helps = v.may(deciders), v.may(helpers)
		p.Wide = v.only() == nil
		p.Flash = s.session.PopString(r.Context(), keyFlash)
	}
	return s.send(w, code, name, p)
}

func (s *site) send(w http.ResponseWriter, code int, name string, p page) error {
	var b bytes.Buffer
	if err := s.pages[name].Execute(&b, p); err != nil {
		return fault.New(fault.Internal, "draw page "+name, err)
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(code)
	_, _ = b.WriteTo(w) // the browser went away: nothing to do about it
	return nil
}

// What the pages themselves refuse.
var (
	errNoPage = fault.Msg(fault.NotFound, "page", "there is no such page, or it is not yours to see")
	errForged = fault.Msg(fault.Conflict, "check form", "the form was too old or came from another site; nothing was changed. Go back, reload the page and try again")
	errRole   = fault.Msg(fault.Conflict, "check role", "your role may look but not do this; nothing was changed. Ask finance or an admin")
)

type errorPage struct{ Text string }

// fail answers with a page that says what happened. What is broken inside is logged and not shown.
func (s *site) fail(w http.ResponseWriter, r *http.Request, v *visit, err error) {
	code, text := http.StatusInternalServerError, "Something is broken inside the hub. Nothing was changed by this page; the log says more."
	switch c := fault.CodeOf(err); {
	case errors.Is(err, errRole), errors.Is(err, errForged):
		code, text = http.StatusForbidden, sentence(err)
	case c == fault.NotFound:
		code, text = http.StatusNotFound, sentence(err)
	case c == fault.Invalid:
		code, text = http.StatusBadRequest, sentence(err)
	case c == fault.Conflict:
		code, text = http.StatusConflict, sentence(err)
	case c == fault.Unavailable:
		code, text = http.StatusServiceUnavailable, "The database is busy or its disk is full; nothing was changed. Try again in a moment."
	}
	if code >= http.StatusInternalServerError {
		s.Log.ErrorContext(r.Context(), "page failed", "path", r.URL.Path, "err", err)
	}
	p := page{Title: "Not done", Version: s.Version, Data: errorPage{text}}
	if code == http.StatusNotFound {
		p.Title = "Not found"
	}
	if v != nil {
		p.User, p.Role, p.CSRF, p.Known = v.user.Name, string(v.user.Role), v.csrf, true
	}
	if err := s.send(w, code, "error", p); err != nil {
		http.Error(w, text, code)
	}
}

// sentence is the words of an error without the operations around them.
func sentence(err error) string {
	var e *fault.Error
	for errors.As(err, &e) {
		err = e.Err
	}
	return asSentence(err.Error())
}

// asSentence gives words a capital and a full stop.
func asSentence(text string) string {
	text = strings.TrimSpace(text)
	first, size := utf8.DecodeRuneInString(text)
	if size == 0 {
		return ""
	}
	text = string(unicode.ToUpper(first)) + text[size:]
	if !strings.HasSuffix(text, ".") && !strings.HasSuffix(text, "…") {
		text += "."
	}
	return text
}
