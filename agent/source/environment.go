package source

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/tillpost/tillpost/shared/fault"
)

// Environment says whether a connection carries play money or real money.
type Environment string

const (
	Test       Environment = "test"
	Production Environment = "production"
)

// OneEnvironment refuses a mix: test tickets in real books cannot be told from real ones later. by names each connection's environment;
// one that cannot tell is "" and fits everywhere. Code invalid.
func OneEnvironment(by map[string]Environment) error {
	names := map[Environment][]string{}
	for _, name := range slices.Sorted(maps.Keys(by)) {
		names[by[name]] = append(names[by[name]], name)
	}
	if len(names[Test]) == 0 || len(names[Production]) == 0 {
		return nil
	}
	return fault.Msg(fault.Invalid, "connections", fmt.Sprintf("%s read a test system, %s a real one: play money must not reach real books; use one agent for each",
		strings.Join(names[Test], ", "), strings.Join(names[Production], ", ")))
}
