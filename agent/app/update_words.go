package app

import (
	"fmt"

	"github.com/tillpost/tillpost/agent/update"
	"github.com/tillpost/tillpost/agent/words"
)

// updateWords tells in one sentence how versions stand on this PC.
func updateWords(u Update, l words.Lang) string {
	s := updateSentence(u)
	return l.Say(s[0], s[1:]...)
}

// updateSentence is a sentence of the catalogue, and what fills it in.
func updateSentence(u Update) []string {
	switch {
	case u.Phase == update.Probation:
		return []string{"update.probation", u.To}
	case u.Phase == update.Returning:
		return []string{"update.returning", u.To}
	case u.Phase == update.Staged:
		return []string{"update.staged", u.To}
	case u.Phase == update.Waiting && u.Why != "":
		return []string{"update.again", u.To, u.Why}
	case u.Phase != update.Idle && u.Phase != update.Trial:
		return []string{"update.coming", u.To}
	case u.Last == nil:
		return []string{"update.none"}
	case u.Last.Result == update.Committed:
		return []string{"update.committed", u.Last.Version}
	case u.Last.Result == update.RolledBack:
		return []string{"update.rolled_back", u.Last.Version, u.Last.From, u.Last.Detail}
	default:
		return []string{"update.failed", u.Last.Version, u.Last.Detail}
	}
}

// outcomeWords is the final word at a command line.
func outcomeWords(o update.Outcome) string {
	s := updateWords(Update{Last: &o}, words.English)
	if o.Cause != "" {
		s += fmt.Sprintf(" (%s)", o.Cause)
	}
	return s
}
