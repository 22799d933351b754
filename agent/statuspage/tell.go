// Package statuspage tells a store manager how this store stands: the same facts in the same words on a page of this PC and at the command
// line, with the one next step when something is wrong. It is shown to whoever sits at this PC and to nobody else.
package statuspage

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/tillpost/tillpost/agent/words"
	"github.com/tillpost/tillpost/shared/health"
)

// Facts are how the agent stands. Zero times are not known.
type Facts struct {
	Device, Version string
	Running         bool
	GivenUp         bool // another PC has this one's place: `installer leave`
	Connected       bool
	Heard           time.Time // when the hub last confirmed anything
	Waiting         uint64    // records that the hub has not confirmed
	Oldest          time.Time // of the oldest of them
	LastTicket      time.Time
	DiskFree        uint64    // bytes; 0 = not known
	CertificateEnds time.Time // of this PC's pass to the hub
	Update          []string  // how another version stands: a sentence of the catalogue and what fills it in; nil = nothing to tell
	Settings        string    // what became of the last settings that head office gave: trying, applied, refused or rolled_back; "" = it gave none
	SettingsAt      time.Time
	Sources         []Source
	Problems        []health.Status // the worst first
}

// Source is a connection that tickets come from.
type Source struct {
	Name, State string // State is closed, open, half-open or refused
	Since, Next time.Time
	Reason      string // why it does not work
	Test        bool
}

// Mood is what is seen at a glance.
type Mood string

const (
	Good      Mood = "good"
	Attention Mood = "attention"
	Stopped   Mood = "stopped"
)

// View is what is shown, in one language.
type View struct {
	Lang              words.Lang
	Mood              Mood
	Headline, Explain string
	Next              *Problem // the one thing to do, nil = nothing
	Also              []Problem
	Lines             []Line
}

// Problem is one thing that is wrong.
type Problem struct{ Title, Meaning, Do, Detail, Since string }

// Line is one fact.
type Line struct{ Label, Value, Note string }

// Tell says the facts in a language.
func Tell(f Facts, l words.Lang, now time.Time) View {
	v := View{Lang: l, Lines: lines(f, l, now)}
	problems := f.Problems
	if !f.Running {
		problems = append([]health.Status{{Code: f.stopped()}}, problems...)
	}
	for _, p := range problems {
		one := problem(p, l, now)
		if v.Next == nil && p.Severity != health.Low.String() { // the worst come first, and what is low can wait
			v.Next = &one
		} else {
			v.Also = append(v.Also, one)
		}
	}
	switch {
	case !f.Running:
		v.Mood, v.Headline = Stopped, l.Say("say."+f.stopped())
	case v.Next != nil:
		v.Mood, v.Headline, v.Explain = Attention, l.Say("say.attention"), v.Next.Title
	case f.Waiting == 0:
		v.Mood, v.Headline, v.Explain = Good, l.Say("say.good"), l.Say("say.good_empty")
	case f.Connected:
		v.Mood, v.Headline, v.Explain = Good, l.Say("say.good"), l.Say("say.good_sending")
	default:
		v.Mood, v.Headline, v.Explain = Good, l.Say("say.good"), l.Say("say.good_offline")
	}
	return v
}

// stopped is why nothing runs.
func (f Facts) stopped() string {
	if f.GivenUp {
		return "given_up"
	}
	return "stopped"
}

// problem says a condition in a language; one that the catalogue does not have is said as it came.
func problem(s health.Status, l words.Lang, now time.Time) Problem {
	code, _, _ := strings.Cut(s.Code, ":")
	pick := func(part, own string) string {
		if text, found := l.Find("condition." + code + "." + part); found {
			return text
		}
		return own
	}
	p := Problem{Title: pick("title", s.Title), Meaning: pick("meaning", s.Meaning), Do: pick("do", s.Do)}
	if s.Detail != "" {
		p.Detail = l.Say("say.detail", plain(s.Detail))
	}
	if !s.Since.IsZero() {
		p.Since = l.Say("say.since", when(s.Since, l, now))
	}
	return p
}

func lines(f Facts, l words.Lang, now time.Time) []Line {
	up := "fact.line_down"
	if f.Connected {
		up = "fact.line_up"
	}
	waiting := l.Say("fact.waiting_none")
	switch {
	case f.Waiting > 0 && !f.Oldest.IsZero():
		waiting = l.Say("fact.waiting_some", fmt.Sprint(f.Waiting), when(f.Oldest, l, now))
	case f.Waiting > 0:
		waiting = fmt.Sprint(f.Waiting)
	}
	out := []Line{{Label: l.Say("fact.line"), Value: l.Say(up)}, {Label: l.Say("fact.waiting"), Value: waiting}, {Label: l.Say("fact.ticket"), Value: orNone(f.LastTicket, l, now)}}
	if !f.Heard.IsZero() {
		out = append(out, Line{Label: l.Say("fact.heard"), Value: when(f.Heard, l, now)})
	}
	if f.Settings != "" {
		out = append(out, Line{Label: l.Say("fact.settings"), Value: l.Say("fact.settings_"+f.Settings, when(f.SettingsAt, l, now))})
	}
	for _, s := range f.Sources {
		out = append(out, source(s, l, now))
	}
	if f.DiskFree > 0 {
		out = append(out, Line{Label: l.Say("fact.disk"), Value: size(f.DiskFree)})
	}
	if !f.CertificateEnds.IsZero() {
		out = append(out, Line{Label: l.Say("fact.certificate"), Value: f.CertificateEnds.Local().Format(time.DateOnly)})
	}
	out = append(out, Line{Label: l.Say("fact.device"), Value: f.Device}, Line{Label: l.Say("fact.version"), Value: f.Version})
	if len(f.Update) > 0 {
		out = append(out, Line{Label: l.Say("fact.update"), Value: plain(l.Say(f.Update[0], f.Update[1:]...))})
	}
	return out
}

func source(s Source, l words.Lang, now time.Time) Line {
	out := Line{Label: s.Name, Value: l.Say("fact.source_" + s.State)}
	if s.Test {
		out.Value += ", " + l.Say("fact.test")
	}
	if s.State != "closed" {
		out.Note = plain(s.Reason)
		if !s.Since.IsZero() {
			out.Value += ", " + l.Say("say.since", when(s.Since, l, now))
		}
		if s.State == "refused" {
			out.Note = strings.TrimSpace(out.Note + " (agent connection retry " + s.Name + ")")
		}
	}
	return out
}

func orNone(t time.Time, l words.Lang, now time.Time) string {
	if t.IsZero() {
		return l.Say("fact.none")
	}
	return when(t, l, now)
}

// when is a time of this PC's clock.
func when(t time.Time, l words.Lang, now time.Time) string {
	t, now = t.In(time.Local), now.In(time.Local)
	if t.Format(time.DateOnly) == now.Format(time.DateOnly) {
		return l.Say("say.today", t.Format("15:04"))
	}
	return t.Format("2006-01-02 15:04")
}

func size(n uint64) string {
	if n >= 10<<30 {
		return fmt.Sprintf("%d GB", n>>30)
	}
	return fmt.Sprintf("%d MB", n>>20)
}

// plain is words of others on one line: they may come from a file's name or from another system.
func plain(s string) string {
	s = strings.Join(strings.FieldsFunc(s, func(r rune) bool {
		return r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 || r == '\u2028' || r == '\u2029'
	}), " ")
	if r := []rune(s); len(r) > 600 {
		return string(r[:600]) + "…"
	}
	return s
}

// Text writes a view for a console.
func (v View) Text(w io.Writer) {
	switch p := v.Next; {
	case p == nil:
		fmt.Fprintf(w, "%s. %s\n", v.Headline, v.Explain)
	case p.Title == v.Headline:
		p.text(w, v.Lang.Say("say.next"))
	default:
		fmt.Fprintf(w, "%s: ", v.Headline)
		p.text(w, v.Lang.Say("say.next"))
	}
	fmt.Fprintln(w)
	widest := 0
	for _, l := range v.Lines {
		widest = max(widest, len([]rune(l.Label)))
	}
	for _, l := range v.Lines {
		fmt.Fprintf(w, "  %s%s  %s\n", l.Label, strings.Repeat(" ", widest-len([]rune(l.Label))), l.Value)
		if l.Note != "" {
			fmt.Fprintf(w, "  %s  %s\n", strings.Repeat(" ", widest), l.Note)
		}
	}
	for i := range v.Also {
		if i == 0 {
			fmt.Fprintf(w, "\n%s:\n", v.Lang.Say("say.also"))
		}
		fmt.Fprintln(w)
		v.Also[i].text(w, "")
	}
}

func (p Problem) text(w io.Writer, next string) {
	title := p.Title
	if p.Since != "" {
		title += " (" + p.Since + ")"
	}
	fmt.Fprintf(w, "%s\n  %s\n", title, p.Meaning)
	if next != "" {
		fmt.Fprintf(w, "  %s: %s\n", next, p.Do)
	} else {
		fmt.Fprintf(w, "  %s\n", p.Do)
	}
	if p.Detail != "" {
		fmt.Fprintf(w, "  %s\n", p.Detail)
	}
}
