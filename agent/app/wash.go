package app

import (
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/tillpost/tillpost/shared/config"
	"github.com/tillpost/tillpost/shared/guard"
)

// wash takes out of a text what must not leave this PC: the secrets that the settings name, word by word; card data; and what looks like a
// person's: addresses of mail, telephone numbers, and the names of accounts in paths. It is the second line: the first is that none of it is
// written to a log or a status in the first place.
type wash struct {
	secrets *strings.Replacer
	folders []*regexp.Regexp // the watched ones: a file's name may be a customer's
}

// shortest is a secret that is looked for: shorter ones would take out ordinary words.
const shortest = 4

func newWash(cfg Config) wash {
	files, _ := config.Files(cfg)
	var words []string
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			continue
		}
		for _, line := range append(strings.Split(string(b), "\n"), string(b)) {
			if line = strings.TrimSpace(line); len(line) >= shortest {
				words = append(words, line)
				if quoted, err := json.Marshal(line); err == nil { // as it stands in JSON
					words = append(words, strings.Trim(string(quoted), `"`))
				}
			}
		}
	}
	slices.SortFunc(words, func(a, b string) int { return len(b) - len(a) }) // the longer before what it holds
	var pairs []string
	for _, w := range slices.Compact(words) {
		pairs = append(pairs, w, "[secret]")
	}
	w := wash{secrets: strings.NewReplacer(pairs...)}
	for _, d := range cfg.Source.FileDrop {
		quoted, _ := json.Marshal(d.Dir) // backslashes are doubled in JSON
		for _, dir := range slices.Compact([]string{d.Dir, strings.Trim(string(quoted), `"`)}) {
			if dir != "" {
				w.folders = append(w.folders, regexp.MustCompile("("+regexp.QuoteMeta(dir)+`[/\\]+)[^":\n]+`))
			}
		}
	}
	return w
}

var (
	mail    = regexp.MustCompile(`[\w.+-]+@[\w-]+(\.[\w-]+)+`)
	phone   = regexp.MustCompile(`(\+\d{1,3}[ .-]?)?\(?\b\d{3}\)?[ .-]\d{3}[ .-]\d{4}\b`)
	account = regexp.MustCompile(`(?i)((?:/home/|/users/|\\\\?users\\\\?))([^/\\"':,\n]+)`) // with its spaces: rather a word too many than half a name
	login   = regexp.MustCompile(`(?i)(://[^/\s:@]+:)[^@\s/]+@`)
)

func (w wash) clean(s string) string {
	s = w.secrets.Replace(s)
	for _, f := range w.folders {
		s = f.ReplaceAllString(s, "${1}[file]")
	}
	s = login.ReplaceAllString(s, "${1}[secret]@")
	s = mail.ReplaceAllString(s, "[mail]")
	s = phone.ReplaceAllString(s, "[phone]")
	s = account.ReplaceAllString(s, "${1}[account]")
	return guard.Text(s)
}

// loggable are the keys of our log lines whose values are ours: what has another key, or is no line of ours, stays here.
var loggable = map[string]bool{"time": true, "level": true, "msg": true, "err": true, "device": true, "version": true, "source": true, "stream": true, "epoch": true, "seq": true, "from": true, "to": true,
	"rows": true, "records": true, "whole": true, "listen": true, "detail": true, "hub": true, "why": true, "wait": true, "attempt": true, "code": true}

// quoted is what an error says in quotes: the name of a file or a value, which may be a customer's.
var quoted = regexp.MustCompile(`"(?:[^"\\]|\\.)*"`)

// logLines keeps of each line what helps, and of words of others nothing.
func logLines(said string) string {
	var b strings.Builder
	for line := range strings.Lines(said) {
		var all map[string]json.RawMessage
		if json.Unmarshal([]byte(line), &all) != nil {
			b.WriteString("(a line that is none of ours)\n")
			continue
		}
		for k, v := range all {
			all[k] = logValue(k, v)
		}
		if out, err := json.Marshal(all); err == nil {
			b.Write(append(out, '\n'))
		}
	}
	return b.String()
}

func logValue(key string, v json.RawMessage) json.RawMessage {
	var text string
	switch {
	case !loggable[key]:
		return json.RawMessage(`"(left out)"`)
	case key == "time" || key == "level" || key == "msg" || json.Unmarshal(v, &text) != nil:
		return v
	}
	if out, err := json.Marshal(quoted.ReplaceAllString(text, `"…"`)); err == nil {
		return out
	}
	return json.RawMessage(`"(left out)"`)
}
