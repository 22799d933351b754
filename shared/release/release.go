// Package release says what a release is: what the signed metadata tells of each program, which of two versions is the newer, and which step a
// PC may take from the version that runs to the one that is wanted (DESIGN D18). It decides and touches nothing; shared/release/client gets
// the metadata and the bytes, hub/release makes and signs them. See hub/release/DESIGN.md.
package release

import "errors"

// What a refusal is. Callers look with errors.Is; none of them may stop the agent or a sale.
var (
	// ErrExpired: signed metadata ran out. Updates wait until newer metadata is signed; nothing else does.
	ErrExpired = errors.New("the release metadata has run out")
	// ErrRefused: what came does not agree with what the offline keys signed, or this PC may not take that step.
	ErrRefused = errors.New("refused")
	// ErrUnknown: no signed metadata names what was asked for.
	ErrUnknown = errors.New("no signed metadata names it")
	// ErrCurrent: there is nothing newer.
	ErrCurrent = errors.New("nothing newer is released")
	// ErrSource: the place it comes from is away, broken or too slow. Asking again later may help.
	ErrSource = errors.New("the release cannot be fetched")
)

// The limits of what a client reads, so that nobody fills its disk or its memory.
const (
	MaxRoot      = 512 << 10 // a root with a dozen keys has 8 KB
	MaxTimestamp = 16 << 10
	MaxSnapshot  = 64 << 10
	MaxTargets   = 8 << 20   // a thousand releases of a dozen targets
	MaxProgram   = 256 << 20 // an agent has 18 MB
	MaxCustom    = 4 << 10   // what is said of one target
	MaxNames     = 20_000    // targets in one repository
	MaxRotations = 256       // roots that a client follows in one go
)

// Paths of a repository below its address, its folder or inside a bundle.
const (
	MetadataDir = "metadata/"
	TargetsDir  = "targets/"
	// Path is where a hub serves its repository.
	Path = "/release/"
)

// Agent is the program that is updated this way.
const Agent = "agent"
