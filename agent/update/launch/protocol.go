package launch

import (
	"bufio"
	"encoding/json"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/tillpost/tillpost/agent/update"
)

// What goes between launcher and agent, for ever: the launcher starts `agent run --launched --config FILE`; the agent says a word a line on its
// standard output, and ends in order when its standard input ends. A word that is not known is left alone, on both sides.
const (
	wordReady = "ready"  // it does its work
	wordAlive = "alive"  // and still does; at least twice a minute
	wordProof = "proof " // and how it stands: update.Proof in JSON
)

// Voice is the agent's side. It is safe for concurrent use, and a nil one is silent.
type Voice struct {
	mu sync.Mutex
	to io.Writer
}

// NewVoice speaks to w.
func NewVoice(w io.Writer) *Voice { return &Voice{to: w} }

func (v *Voice) say(word string) {
	if v == nil {
		return
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	_, _ = io.WriteString(v.to, word+"\n") // nobody hears: then the input ends, too
}

// Ready says that the agent does its work.
func (v *Voice) Ready() { v.say(wordReady) }

// Alive says that it still does.
func (v *Voice) Alive() { v.say(wordAlive) }

// Prove says how it stands.
func (v *Voice) Prove(p update.Proof) {
	b, err := json.Marshal(p)
	if err == nil {
		v.say(wordProof + string(b))
	}
}

// ear is the launcher's side.
type ear struct {
	mu      sync.Mutex
	started time.Time
	heard   time.Time
	ready   bool
	proof   update.Proof
}

// listen hears until the program ends.
func (e *ear) listen(r io.Reader) {
	s := bufio.NewScanner(r)
	s.Buffer(nil, 1<<20)
	for s.Scan() {
		e.hear(s.Text())
	}
	_, _ = io.Copy(io.Discard, r) // a line without end stops nobody
}

func (e *ear) hear(line string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	line = strings.TrimSpace(line)
	body, isProof := strings.CutPrefix(line, wordProof)
	switch {
	case line == wordReady:
		e.ready = true
	case isProof:
		var p update.Proof
		if json.Unmarshal([]byte(body), &p) != nil {
			return
		}
		e.proof = p
		return // only a word of life is a sign of it
	case line != wordAlive:
		return
	}
	e.heard = time.Now()
}

func (e *ear) sign(memory uint64) update.Sign {
	e.mu.Lock()
	defer e.mu.Unlock()
	return update.Sign{Up: time.Since(e.started), Ready: e.ready, Silent: time.Since(e.heard), Memory: memory, Proof: e.proof}
}
