package words

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

var placeholder = regexp.MustCompile(`\{\d\}`)

// Every sentence is there in every language, says something else in each, and fills in the same things.
func TestTheCatalogueIsWhole(t *testing.T) {
	if len(Keys()) < 60 {
		t.Fatalf("%d sentences: the catalogue was not read", len(Keys()))
	}
	for _, k := range Keys() {
		seen := map[string]Lang{}
		for _, l := range Langs {
			text, found := l.Find(k)
			if !found || strings.TrimSpace(text) != text || text == "" {
				t.Errorf("%s in %s: %q", k, l, text)
			}
			if other, same := seen[text]; same {
				t.Errorf("%s says %q in %s and %s", k, text, other, l)
			}
			seen[text] = l
			if got, want := placeholder.FindAllString(text, -1), placeholder.FindAllString(entries()[k][English], -1); !slices.Equal(got, want) {
				t.Errorf("%s in %s fills in %v, English %v", k, l, got, want)
			}
		}
	}
}

func TestPrefer(t *testing.T) {
	for wish, want := range map[string]Lang{"": English, "de-DE,es;q=0.8,en;q=0.7": Spanish, "es_US.UTF-8": Spanish, "ES-mx": Spanish, "en-US,es": English, "est": English, "fr": English} {
		if got := Prefer(wish); got != want {
			t.Errorf("%q: %s, want %s", wish, got, want)
		}
	}
}

func TestSay(t *testing.T) {
	if got := English.Say("fact.waiting_some", "3", "{0}"); got != "3, the oldest from {0}" {
		t.Errorf("got %q", got)
	}
	if got := Spanish.Say("no.such"); got != "no.such" {
		t.Errorf("got %q", got)
	}
}
