package app

import (
	"time"

	"github.com/tillpost/tillpost/agent/words"
	"github.com/tillpost/tillpost/shared/health"
)

// What can be wrong at a store. The words stand in the catalogue, in every language; head office is told the English ones.
var (
	noLine            = condition("no_line", health.Medium, 2*time.Minute, notLetIn)
	notTaken          = condition("not_taken", health.High, 0)
	notLetIn          = condition("not_let_in", health.High, 0)
	notRenewed        = condition("certificate_ends", health.Medium, 2*time.Hour)
	sourceDown        = condition("source", health.High, time.Minute)
	sourceShut        = condition("source_shut", health.High, 0)
	connectionRefused = condition("connection_refused", health.High, 0)
	connectionDown    = condition("connection_down", health.Medium, 5*time.Minute)
	terminalDown      = condition("terminal_down", health.Low, 26*time.Hour)
	clockWrong        = condition("clock", health.Medium, 0)
	damaged           = condition("buffer_damaged", health.High, 0)
	diskFull          = condition("disk_full", health.High, 0)
	diskLow           = condition("disk_low", health.Medium, 0, diskFull)
	settingsBack      = condition("settings_back", health.Low, 0)
	settingsUnused    = condition("settings_unused", health.Medium, 0)
	pageShut          = condition("page_shut", health.Low, 0)
	crashed           = condition("crashed", health.Low, 0)
)

func condition(code string, s health.Severity, grace time.Duration, causes ...*health.Condition) *health.Condition {
	say := func(part string) string { return words.English.Say("condition." + code + "." + part) }
	return &health.Condition{Code: code, Title: say("title"), Meaning: say("meaning"), Do: say("do"), Severity: s, Grace: grace, DependsOn: causes}
}
