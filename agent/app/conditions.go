package app

import (
	"time"

	"github.com/tillpost/tillpost/shared/health"
)

// What can be wrong at a store, in a store manager's words.
var (
	noLine = &health.Condition{
		Code: "no_line", Title: "Head office cannot be reached",
		Meaning: "Nothing is lost: what you sell is kept on this PC and goes out by itself when the line is back.",
		Do:      "Check the internet connection. If it works, call head office's IT.", Severity: health.Medium, Grace: 2 * time.Minute,
		DependsOn: []*health.Condition{notLetIn},
	}
	notTaken = &health.Condition{
		Code: "not_taken", Title: "Head office does not take this PC's tickets",
		Meaning: "Nothing is lost, but the books at head office wait for these tickets.",
		Do:      "Call head office's IT and read them the detail below.", Severity: health.High,
	}
	notLetIn = &health.Condition{
		Code: "not_let_in", Title: "Head office does not let this PC in",
		Meaning: "Nothing is lost: what you sell is kept on this PC. But nothing gets to head office until somebody acts.",
		Do:      "Call head office's IT and read them the detail below. With a new code from them: agent enrol --hub ADDRESS --code CODE.", Severity: health.High,
	}
	notRenewed = &health.Condition{
		Code: "certificate_ends", Title: "This PC's certificate could not be renewed yet",
		Meaning: "Tickets still get to head office. When the certificate has run out they wait on this PC until it is renewed.",
		Do:      "It is tried again by itself. If this stays for a day, call head office's IT and read them the detail below.", Severity: health.Medium, Grace: 2 * time.Hour,
	}
	sourceDown = &health.Condition{
		Code: "source", Title: "A source of tickets cannot be read",
		Meaning: "Tickets from it wait where they are until it can be read again.",
		Do:      "Check that the folder below exists and can be opened from this PC.", Severity: health.High, Grace: time.Minute,
	}
	connectionRefused = &health.Condition{
		Code: "connection_refused", Title: "A source of tickets refuses this PC",
		Meaning: "Nothing is lost: what it holds waits there. But nothing comes from it until somebody acts.",
		Do:      "Call head office's IT and read them the detail below: a key or a right must be renewed.", Severity: health.High,
	}
	connectionDown = &health.Condition{
		Code: "connection_down", Title: "A source of tickets does not answer",
		Meaning: "Nothing is lost: what it holds waits there, and it is asked again by itself.",
		Do:      "See that what is named below is switched on and connected.", Severity: health.Medium, Grace: 5 * time.Minute,
	}
	terminalDown = &health.Condition{
		Code: "terminal_down", Title: "A card terminal has not answered for more than a day",
		Meaning: "It takes cards as ever. Only what it may hold of payments taken offline is not seen here.",
		Do:      "See that it is switched on at night, or correct its address in the settings.", Severity: health.Low, Grace: 26 * time.Hour,
	}
	clockWrong = &health.Condition{
		Code: "clock", Title: "This PC's clock is wrong",
		Meaning: "Tickets may land on the wrong business day, and services may refuse this PC.",
		Do:      "Switch on the automatic time of the system.", Severity: health.Medium,
	}
	damaged = &health.Condition{
		Code: "buffer_damaged", Title: "This PC's disk has damaged tickets that waited here",
		Meaning: "What could be read was saved and goes to head office; what is missing is listed there.",
		Do:      "Call head office's IT: the disk should be checked. Do not delete the folder named below.", Severity: health.High,
	}
	diskFull = &health.Condition{
		Code: "disk_full", Title: "This PC's disk is full",
		Meaning: "New tickets cannot be kept here; a till that hands them in is told so.",
		Do:      "Make room on the disk at once.", Severity: health.High,
	}
)
