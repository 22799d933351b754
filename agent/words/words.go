// Package words is the catalogue of everything that a store manager reads, in each language that is spoken in stores.
package words

import (
	_ "embed"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/pelletier/go-toml/v2"
)

// Lang is a language of the catalogue.
type Lang string

const (
	English Lang = "en"
	Spanish Lang = "es"
)

// Langs are all of them; the first is spoken where nothing else is wished.
var Langs = []Lang{English, Spanish}

// Other is the language that a page offers instead.
func (l Lang) Other() Lang {
	if l == Spanish {
		return English
	}
	return Spanish
}

//go:embed catalogue.toml
var catalogue string

// entries are the catalogue by key ("condition.clock.title") and language.
var entries = sync.OnceValue(func() map[string]map[Lang]string {
	var tree map[string]any
	out := map[string]map[Lang]string{}
	if toml.Unmarshal([]byte(catalogue), &tree) == nil { // a test reads it
		flatten("", tree, out)
	}
	return out
})

func flatten(key string, tree map[string]any, out map[string]map[Lang]string) {
	for name, v := range tree {
		switch v := v.(type) {
		case string:
			if out[key] == nil {
				out[key] = map[Lang]string{}
			}
			out[key][Lang(name)] = v
		case map[string]any:
			flatten(strings.TrimPrefix(key+"."+name, "."), v, out)
		}
	}
}

// Keys lists the catalogue.
func Keys() []string {
	var out []string
	for k := range entries() {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

// Find is a sentence; found is false when the catalogue has none under that key.
func (l Lang) Find(key string) (text string, found bool) {
	text, found = entries()[key][l]
	return text, found
}

// Say is a sentence with its placeholders {0}, {1}, … filled in. A key that is missing is said as it is.
func (l Lang) Say(key string, with ...string) string {
	text, found := l.Find(key)
	if !found {
		return key
	}
	if len(with) == 0 {
		return text
	}
	pairs := make([]string, 0, 2*len(with))
	for i, w := range with {
		pairs = append(pairs, "{"+strconv.Itoa(i)+"}", w)
	}
	return strings.NewReplacer(pairs...).Replace(text)
}

// Prefer chooses by what a browser says (Accept-Language) or the system (LANG): the first that is in the catalogue.
func Prefer(wish string) Lang {
	for one := range strings.SplitSeq(wish, ",") {
		tag, _, _ := strings.Cut(strings.TrimSpace(one), ";")
		for _, l := range Langs {
			if t := strings.ToLower(tag); t == string(l) || strings.HasPrefix(t, string(l)+"-") || strings.HasPrefix(t, string(l)+"_") {
				return l
			}
		}
	}
	return English
}

// OfSystem is the language of the account that asks.
func OfSystem() Lang {
	for _, name := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
		if v := os.Getenv(name); v != "" {
			return Prefer(v)
		}
	}
	return system()
}
