package launch

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"time"

	"github.com/tillpost/tillpost/agent/update"
	"github.com/tillpost/tillpost/agent/update/slots"
	"github.com/tillpost/tillpost/shared/fault"
)

// Processes starts versions as processes of this PC.
type Processes struct {
	Installed string    // the launcher's own file
	Settings  string    // agent.toml
	Err       io.Writer // what they say in error goes there, and its end into the final word
}

// process is a version that runs.
type process struct {
	ear
	cmd   *exec.Cmd
	in    io.WriteCloser
	box   *cage
	said  *tail
	done  chan struct{}
	ended error
	once  sync.Once
}

// Start starts a version. A file that a virus scanner holds is waited for.
func (s *Processes) Start(ctx context.Context, path string) (Program, error) {
	if path == "" {
		path = s.Installed
	}
	var p *process
	err := slots.OS{}.Patiently(func() (err error) {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		p, err = s.start(path)
		return err
	})
	if err != nil {
		return nil, err
	}
	return p, nil
}

func (s *Processes) start(path string) (*process, error) {
	p := &process{cmd: exec.Command(path, "run", "--launched", "--config", s.Settings), done: make(chan struct{}), said: &tail{to: s.Err}}
	p.started, p.heard = time.Now(), time.Now()
	p.cmd.Stderr = p.said
	p.cmd.SysProcAttr = alone()
	in, err := p.cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, errors.Join(err, in.Close())
	}
	p.in = in
	began := make(chan error)
	go p.live(out, began)
	return p, <-began
}

// live starts the program and waits for its end on one thread: on Linux a child dies with the thread that made it.
func (p *process) live(out io.ReadCloser, began chan<- error) {
	defer bound()()
	err := p.cmd.Start()
	if err == nil {
		p.box, err = encage(p.cmd.Process)
		if err != nil {
			_ = p.cmd.Process.Kill() // without its cage it would outlive us
			_ = p.cmd.Wait()
		}
	} else {
		out.Close()
		p.in.Close()
	}
	began <- err
	if err != nil {
		return
	}
	p.listen(out)
	p.ended = p.cmd.Wait()
	p.box.open()
	close(p.done)
}

// Sign tells what is heard and seen of it.
func (p *process) Sign() update.Sign { return p.sign(p.box.memory(p.cmd.Process.Pid)) }

// Stop asks it to end.
func (p *process) Stop() { p.once.Do(func() { p.in.Close() }) }

// Kill ends it.
func (p *process) Kill() {
	p.Stop()
	_ = p.cmd.Process.Kill() // it has ended already
}

// Done is closed when it has ended.
func (p *process) Done() <-chan struct{} { return p.done }

// Detail says how a program ended: empty when that was in order.
func (s *Processes) Detail(p Program) string {
	x, ok := p.(*process)
	if !ok || x.ended == nil {
		return ""
	}
	if last := x.said.last(); last != "" {
		return fmt.Sprintf("%v: %s", x.ended, last)
	}
	return x.ended.Error()
}

const askWithin = time.Minute

// Ask has a version look at the buffer and at the line, beside the one that runs.
func (s *Processes) Ask(ctx context.Context, path string) (a update.Answer) {
	if path == "" {
		path = s.Installed
	}
	if err := Answer(ctx, askWithin, path, &a, "update", "look", "--config", s.Settings); err != nil {
		return update.Answer{Failed: true}
	}
	return a
}

// Answer runs a command of a version that speaks JSON.
func Answer(ctx context.Context, within time.Duration, path string, into any, args ...string) error {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	var out, said bytes.Buffer
	err := slots.OS{}.Patiently(func() error {
		out.Reset()
		said.Reset()
		cmd := exec.CommandContext(ctx, path, args...)
		cmd.Stdout, cmd.Stderr, cmd.WaitDelay, cmd.SysProcAttr = &out, &said, 2*time.Second, alone()
		return cmd.Run()
	})
	if ctx.Err() != nil {
		return fault.Msg(fault.Unavailable, "ask "+path, fmt.Sprintf("it did not end within %s", within))
	}
	if err == nil {
		err = json.Unmarshal(out.Bytes(), into)
	}
	if err != nil {
		return fault.New(fault.Internal, "ask "+path, fmt.Errorf("%w %s", err, bytes.TrimSpace(said.Bytes())))
	}
	return nil
}

// tail hands on what is written, and remembers its end.
type tail struct {
	mu  sync.Mutex
	to  io.Writer
	end []byte
}

func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	const most = 2 << 10
	t.end = append(t.end, b...)
	if n := len(t.end); n > most {
		t.end = bytes.Clone(t.end[n-most:])
	}
	if t.to != nil {
		_, _ = t.to.Write(b) // a log that is full stops nobody
	}
	return len(b), nil
}

func (t *tail) last() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	const most = 400
	lines := bytes.Split(bytes.TrimSpace(t.end), []byte("\n"))
	last := lines[len(lines)-1]
	for _, l := range lines { // a crash says why in its first line, and then where
		if bytes.HasPrefix(l, []byte("panic:")) || bytes.HasPrefix(l, []byte("fatal error:")) {
			last = l
		}
	}
	return string(last[:min(most, len(last))])
}

// self is this program's file.
func self() string {
	exe, err := os.Executable()
	if err != nil {
		return os.Args[0]
	}
	return exe
}

// NewProcesses starts versions with these settings, and this program as the installed one.
func NewProcesses(settings string, to io.Writer) *Processes {
	return &Processes{Installed: self(), Settings: settings, Err: to}
}
