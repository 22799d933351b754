package statuspage

import (
	"bytes"
	"context"
	_ "embed"
	"html"
	"net/http"
	"time"

	"github.com/tillpost/tillpost/agent/words"
)

//go:embed page.css
var style string

// Handler serves the page. facts is asked for each view.
func Handler(facts func(context.Context) Facts) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		l := words.Prefer(r.Header.Get("Accept-Language"))
		if wish := r.URL.Query().Get("lang"); wish != "" {
			l = words.Prefer(wish)
		}
		now := time.Now()
		v := Tell(facts(r.Context()), l, now)
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		// Its own style and nothing else: no script, no picture of elsewhere, no frame around it.
		w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
		w.Header().Set("Content-Language", string(l))
		_, _ = w.Write(v.html(now)) // a browser that went away
	})
	return mux
}

// sheet is a page that is being written. It is written by hand: html/template keeps 3 MB of the program in memory, on a PC that it shares with
// a till. Only raw takes markup, and only ours.
type sheet struct{ bytes.Buffer }

func (s *sheet) raw(markup string) { s.WriteString(markup) }

// put writes words, between markup of ours; without words it writes nothing.
func (s *sheet) put(before, words, after string) {
	if words != "" {
		s.raw(before)
		s.WriteString(html.EscapeString(words))
		s.raw(after)
	}
}

func (v View) html(now time.Time) []byte {
	s, l := &sheet{}, v.Lang
	s.put("<!doctype html>\n<html lang=\"", string(l), "\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<meta http-equiv=\"refresh\" content=\"15\">\n")
	s.put("<title>", v.Headline, " · Tillpost</title>\n")
	s.raw("<style>\n" + style + "</style>\n</head>\n")
	s.put("<body class=\"", string(v.Mood), "\">\n<main>\n")
	s.put("<header><span>", l.Say("say.title"), "</span>")
	s.put("<a href=\"/?lang=", string(l.Other()), "\"")
	s.put(" lang=\"", string(l.Other()), "\">")
	s.put("", l.Say("say.other"), "</a></header>\n")
	sign := "!"
	if v.Mood == Good {
		sign = "✓"
	}
	s.put("<section class=\"glance\" role=\"status\">\n<span class=\"sign\" aria-hidden=\"true\">", sign, "</span>\n<div>")
	s.put("<h1>", v.Headline, "</h1>")
	s.put("<p>", v.Explain, "</p>")
	s.raw("</div>\n</section>\n")
	if p := v.Next; p != nil {
		s.put("<section>\n<h2>", l.Say("say.next"), "</h2>\n")
		s.put("<p class=\"do\">", p.Do, "</p>\n")
		s.put("<p>", p.Meaning, "</p>\n")
		s.put("<p class=\"quiet\">", p.Detail, "</p>\n")
		s.put("<p class=\"quiet\">", p.Since, "</p>\n")
		s.raw("</section>\n")
	}
	v.also(s)
	s.raw("<section>\n<table>\n")
	for _, line := range v.Lines {
		s.put("<tr><th scope=\"row\">", line.Label, "</th>")
		s.raw("<td>")
		s.put("", line.Value, "")
		s.put("<br><span class=\"note\">", line.Note, "</span>")
		s.raw("</td></tr>\n")
	}
	s.raw("</table>\n</section>\n")
	s.put("<footer>", l.Say("say.foot")+" "+now.Local().Format("15:04:05"), "</footer>\n</main>\n</body>\n</html>\n")
	return s.Bytes()
}

func (v View) also(s *sheet) {
	if len(v.Also) == 0 {
		return
	}
	s.put("<section>\n<h2>", v.Lang.Say("say.also"), "</h2>\n")
	for _, p := range v.Also {
		s.put("<p><strong>", p.Title, "</strong>")
		s.put(" <span class=\"quiet\">(", p.Since, ")</span>")
		s.put("<br>", p.Meaning+" "+p.Do, "")
		s.put("<br><span class=\"quiet\">", p.Detail, "</span>")
		s.raw("</p>\n")
	}
	s.raw("</section>\n")
}
