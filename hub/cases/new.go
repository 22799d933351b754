package cases

import (
	"strings"
	"time"
)

// text is what a cause says to a person.
type text struct{ title, means, do string }

// texts words every cause for finance and store people: what happened, what it means for the money, the one thing to do.
var texts = map[Cause]text{
	Refused:         {"A record could not be understood", "Its money is not in the books yet. The record itself is safe.", "Read the reason, mend the profile or mapping, then retry."},
	Unbalanced:      {"A ticket's lines and payments differ", "The ticket is not in the books: it would not balance.", "Compare it with the till's receipt; edit it, or accept it as not booked with a reason."},
	UnknownCode:     {"The till uses a code that has no account", "Its amount stands in suspense until it is mapped; the day is posted all the same.", "Choose the account; the amount moves there by itself."},
	UnknownLocation: {"A location nobody has confirmed sends tickets", "Its days wait and are not posted.", "Confirm the location: its tills are confirmed with it, and its days go by themselves."},
	UnknownTill:     {"A till nobody has confirmed sends tickets", "Its location's days wait and are not posted.", "Confirm that the till belongs to the location."},
	Conflict:        {"Two records with one number contradict each other", "The first one is booked; the second one is kept aside and is not.", "Find out at the till. Is it a sale of its own, give the record an id of its own and it is booked; else accept that it is not."},
	Unfolded:        {"A ticket is in another currency than its store-day", "The ticket is kept and its money is not in the day's document.", "Correct it at the till, which takes this one back; or book it by hand and accept with where it stands."},
	Gap:             {"Ticket numbers are missing", "Sales may be missing from the day.", "Ask the store for these numbers, or accept that they were never used."},
	Fork:            {"Two machines send as the same device", "Nothing is lost or doubled: the second one continues in a line of its own.", "Find the copied or restored PC and enrol it as a device of its own."},
	Stopped:         {"A store's data arrives damaged again and again", "New sales of this store wait on its PC; none is lost.", "Check the store's network and disk, then release the stream."},
	HubRestored:     {"The hub was put back from a backup", "The stores send again what is missing; nothing is posted twice.", "Wait until it closes by itself; then look at the days concerned."},
	MissingProof:    {"A store-day is not proven complete", "The day waits: tickets may still be at the store.", "See which proof is missing; bring it, or approve the day as it is."},
	ControlTotal:    {"Our total differs from the till's own", "Sales may be missing or wrong in the day; it is not posted.", "Compare the two totals; import what is missing, or accept with a reason."},
	SuspenseCap:     {"Too much of a store-day has no account", "The day waits and is not posted.", "Map the codes listed; the day goes by itself."},
	Parked:          {"Odoo refuses a document", "The store-day is not in Odoo's books.", "Read Odoo's words, mend the cause there, then retry: it is sent under the same number."},
	DateShift:       {"Odoo put an entry on another date", "The money is in the books, in the wrong period.", "Decide with your accountant: open the period and repost, or accept."},
	LockedPeriod:    {"The day's period is closed in Odoo", "The store-day waits and is not in the books.", "Open the period, or let the document go to the first open date."},
	PeriodNext:      {"A store-day was dated to the first open date", "The money is in the books, in the first open period: its own is closed.", "Nothing: the location's rule for closed periods says so."},
	TotalDiffers:    {"Odoo's entry is not what was sent", "The books and the tills differ for this store-day.", "Open both side by side; correct in Odoo, then retry the check."},
	ForeignEdit:     {"A posted entry was changed in Odoo", "The books no longer show what the tills said.", "Ask who changed it and why; accept with the reason, or put it back."},
	Deleted:         {"A posted entry was deleted in Odoo", "The store-day is missing from the books.", "Ask who deleted it and why; retry sends a new document only on your word."},
	Lost:            {"A store's PC lost records that nobody else had", "What tills keep in files comes again by itself; what a till pushed may be missing in the books.", "Compare the store's days with the tills' own totals and let the tills push again what is missing."},
	ConnectionRefused: {"A system refuses us", "Nothing is lost: what it holds waits there. But nothing comes from it or goes to it until somebody acts.",
		"Renew the key or give the right named below; it then closes by itself."},
	OfflinePayments: {"A card terminal holds payments taken offline", "No bank has promised this money yet; those declined are lost unless the customer pays again.",
		"Let the store send them from the terminal (its menu: Send SAF) before its end of day, and follow up those declined."},
	ModeMix: {"Test and real must not meet", "What contradicts the books is kept aside and is not booked.",
		"Correct the key, address or setting named below, then retry: what was kept aside is read again."},
	Unread:          {"Nobody reads a Heartland Retail account", "New tickets of this account are not fetched; they wait there and none is lost.", "Set up one agent beside the hub that reads all its locations, or start the one that did."},
	TooLarge:        {"A record is too large to travel", "It stays on the store's PC and is not in the books.", "Export it there and look at it: no ticket is that large."},
	DepositMissing:  {"No deposit has paid a closed batch", "The takings stand on the clearing account; the bank has not booked them.", "Ask the processor for the deposit of this batch; a bank file that is missing closes it by itself."},
	DepositOpen:     {"A bank line of takings fits no batch and no bag of cash", "The money is at the bank and stands in no document yet.", "Read what is missing, or say what it is; it then closes by itself."},
	Disputed:        {"A cardholder's bank took a payment back", "The money has left the bank account and stands on the disputes account.", "Answer the dispute in time; when it is lost, say so here and the loss is booked."},
	BankAccount:     {"A bank account is not in the settings", "Its lines are kept and match nothing.", "Name the account in the settings under [[bank]]; its lines then match by themselves."},
	BankFile:        {"A part of a bank file could not be read", "Lines of the bank may be missing: deposits stay open.", "Export the file again, or ask the bank; the other lines were taken."},
	ReversedMatched: {"A store-day was taken back, and parts of it are matched in Odoo", "What is matched stays in the books; the same amount stands in suspense until you decide.", "Undo the match in Odoo and take the day back again, or release the day."},
	ClearingAge:     {"Takings stand on a clearing account for too long", "The tills say they were taken; no bank line shows them.", "Look for the deposit or the cash bag; what never comes is booked as a loss by a person."},
	ShadowDeposit: {"A deposit pays store-days of the old way's and of Tillpost's", "The deposit is not posted: a part of it would credit takings that the old way has booked.",
		"Book it by hand as the old way does and accept; or approve, and it is posted whole."},
	NotBack: {"Tickets of a posted store-day are not here since the hub was put back", "What is in Odoo stays as it is; nothing of it is taken back.",
		"Let the PCs named below connect: they send again what they hold. Is one lost for good, import its days from the till; else approve, and the books say what is here."},
	TwoHubs: {"Two hubs run on one Odoo database", "Nothing is posted twice: one of them is held, and its store-days wait there. None is lost.",
		"Stop the hub that should not run; below stands which one that is."},
	OtherHub: {"Another hub has posted this store-day already", "It is not posted a second time: what this hub has of the day is not in the books.",
		"Compare the two entries: accept to leave this one out, or cancel the other one in Odoo and retry."},
	CodeGuessed: {"Somebody guessed at a store's one-time code", "No money is touched. The code is ended and enrolled nobody.",
		"If the store only mistyped it, make it a new one: hub device code. Else find out who tries."},
	CodeStolen: {"Two PCs showed one one-time code", "One of the two was enrolled; if it is not the store's, it can send tickets as that store until you act.",
		"Ask the store which PC is theirs. If it was refused: hub device revoke, then hub device code. If it was enrolled, accept with a reason."},
	CertificateCopied: {"A copy of a store's PC wants in", "Nothing of it is taken: what it holds waits on it.",
		"Find the PC that was copied or put back to an older state. If it is the store's own, make it a code with hub device replace and enrol it again; else switch it off."},
	ReleaseEnds: {"The releases of the agents want looking after", "No money is touched and every store goes on selling. When it runs out, no PC is updated until it is signed anew.",
		"Do what is named below (see CEREMONY.md for the keys); it then closes by itself."},
	KeyEnds: {"A key to another system ends soon", "Nothing is held up yet. From that day on the system refuses us, and store-days wait until there is a new key.",
		"Make a new API key for the user named below in Odoo (Preferences > Account Security) and put it where the settings say: it is read without a restart, and this closes by itself."},
}

// New is a case of its cause with the texts for people. now may be zero: the store then stamps it.
func New(c Cause, subject string, now time.Time) Case {
	t := texts[c]
	return Case{ID: ID(c, subject), Cause: c, Subject: subject, Title: t.title, Means: t.means, Do: t.do, State: Open, Opened: now}
}

// ID is stable: the same trouble with the same thing is the same case on every run.
func ID(c Cause, subject string) string {
	return string(c) + ":" + strings.Map(func(r rune) rune {
		if r < ' ' {
			return '_'
		}
		return r
	}, subject)
}
