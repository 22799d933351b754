// Package bug plants known mistakes in the product, one at a time and only with the build tag bug_<name>: the simulation proves with each
// that it would be noticed. In every other build all constants are false and the compiler removes what they guard.
package bug

// Names lists every planted bug; each is also a build tag, "bug_" in front.
var Names = []string{
	"ack_before_commit",
	"ack_failed_commit",
	"ack_on_publish",
	"assignment_unchecked",
	"clash_replaces",
	"delta_last_only",
	"discount_lost",
	"duplicate_posts",
	"fork_drops",
	"gap_accepted",
	"head_never_down",
	"head_not_monotone",
	"late_dropped",
	"lower_rank_wins",
	"no_compare_and_swap",
	"no_pin",
	"old_revision_wins",
	"one_lane",
	"parts_forgotten",
	"positions_only",
	"refused_blocks",
	"refused_dropped",
	"restore_unnoticed",
	"rounding",
	"salvage_drops",
	"salvage_silent",
	"tax_sign",
	"undo_forgotten",
	"void_posts",
}

// Releases lists the planted bugs that make a bad release of the agent, for updates to be taken back from: the simulation of tickets does not
// look for them.
var Releases = []string{
	"release_crash",
	"release_eats",
	"release_hang",
	"release_later",
	"release_offline",
	"release_schema",
	"release_windows_only",
}

// Hour is after how long ReleaseLater ends. Only a test's build sets another (-ldflags -X).
var Hour = "1h"

// Each constant is true in the build that plants it.
const (
	AckBeforeCommit     = active == "ack_before_commit"    // the hub acknowledges a batch before it is committed
	AckFailedCommit     = active == "ack_failed_commit"    // the hub acknowledges a batch whose commit failed
	AckOnPublish        = active == "ack_on_publish"       // the agent takes a sent batch as delivered, as a PUBACK would say
	AssignmentUnchecked = active == "assignment_unchecked" // a device may speak for locations that are not its own
	ClashReplaces       = active == "clash_replaces"       // the same number at another location replaces the ticket
	DeltaLastOnly       = active == "delta_last_only"      // a delta is built against the last document alone, not against all of the day
	DiscountLost        = active == "discount_lost"        // the roll-up forgets discounts
	DuplicatePosts      = active == "duplicate_posts"      // a ticket that is told again is booked again
	ForkDrops           = active == "fork_drops"           // a new epoch begins without the rows that are held
	GapAccepted         = active == "gap_accepted"         // a batch behind a gap is taken as the next
	HeadNeverDown       = active == "head_never_down"      // the agent ignores that a restored hub holds less than it promised
	HeadNotMonotone     = active == "head_not_monotone"    // an old ack moves the agent's head down
	LateDropped         = active == "late_dropped"         // what comes after a store-day's document never gets into the books
	LowerRankWins       = active == "lower_rank_wins"      // a poorer source replaces a better one
	NoCompareAndSwap    = active == "no_compare_and_swap"  // a batch is committed although the head is not the one it continues
	NoPin               = active == "no_pin"               // the agent obeys whichever hub speaks
	OldRevisionWins     = active == "old_revision_wins"    // an older version that comes late replaces the newer
	OneLane             = active == "one_lane"             // the hub keeps one head per stream, whatever the epoch
	PartsForgotten      = active == "parts_forgotten"      // a record in parts is put together from what came since the restart
	PositionsOnly       = active == "positions_only"       // positions are compared without checksums at both ends
	RefusedBlocks       = active == "refused_blocks"       // a record that cannot be understood stops its stream
	RefusedDropped      = active == "refused_dropped"      // a record that cannot be understood is stored without a case
	RestoreUnnoticed    = active == "restore_unnoticed"    // the hub opens no case when it holds less than it promised
	Rounding            = active == "rounding"             // the roll-up rounds tenders to five cents
	SalvageDrops        = active == "salvage_drops"        // what can be read of a damaged buffer is not carried over
	SalvageSilent       = active == "salvage_silent"       // a new epoch after damage does not name the old one
	TaxSign             = active == "tax_sign"             // taxes given back are added to the taxes taken
	UndoForgotten       = active == "undo_forgotten"       // a newer version does not take back what the older one posted
	VoidPosts           = active == "void_posts"           // a voided ticket is booked as if it stood

	ReleaseCrash   = active == "release_crash"        // a release that ends as soon as it is to work
	ReleaseEats    = active == "release_eats"         // a release that takes ever more memory
	ReleaseHang    = active == "release_hang"         // a release that never begins its work
	ReleaseLater   = active == "release_later"        // a release that is fine for an hour, then ends, each time
	ReleaseOffline = active == "release_offline"      // a release that ends when head office cannot be reached
	ReleaseSchema  = active == "release_schema"       // a release that leaves a buffer which the one before cannot open
	ReleaseWindows = active == "release_windows_only" // a release that ends on Windows alone
)
