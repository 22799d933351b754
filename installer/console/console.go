// Package console asks a person in a plain console: one line a question, no colours and no cursor, so that it also works over remote support
// and in a screen reader. "back" goes one question back, "quit" ends; Enter takes the answer in brackets.
package console

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// ErrQuit is a person's "quit", or the end of what can be read: nothing was changed.
var ErrQuit = errors.New("ended by you: nothing was changed")

// errBack is a person's "back".
var errBack = errors.New("back")

// tries is how often a wrong answer is asked again before the run ends: a script that feeds nonsense must not hang.
const tries = 20

// Console is one person at one keyboard.
type Console struct {
	in  *bufio.Scanner
	out io.Writer
}

// New talks to whoever is at in and out.
func New(in io.Reader, out io.Writer) *Console {
	return &Console{in: bufio.NewScanner(in), out: out}
}

// Say writes a paragraph.
func (c *Console) Say(format string, args ...any) { fmt.Fprintf(c.out, format+"\n", args...) }

// Question is one thing that is asked. A question that needs none of the answers says so with Skip.
type Question struct {
	Text    string
	Help    string                               // shown before it, and again on "?"
	Choices []string                             // numbered; empty: free text
	Default func() string                        // what Enter means; with Choices the number, from "1"
	Take    func(answer string) (problem string) // keeps the answer; a problem is shown and the question asked again
	Skip    func() bool                          // nil: never
}

// Ask goes through questions, forwards and back. ErrQuit when the person ends it.
func (c *Console) Ask(qs []Question) error {
	for i := 0; i < len(qs); {
		if qs[i].Skip != nil && qs[i].Skip() {
			i++
			continue
		}
		err := c.one(qs[i])
		switch {
		case errors.Is(err, errBack):
			i = before(qs, i)
		case err != nil:
			return err
		default:
			i++
		}
	}
	return nil
}

// before is the question asked before i; the first has none.
func before(qs []Question, i int) int {
	for j := i - 1; j >= 0; j-- {
		if qs[j].Skip == nil || !qs[j].Skip() {
			return j
		}
	}
	return i
}

func (c *Console) one(q Question) error {
	fmt.Fprintln(c.out)
	if q.Help != "" {
		fmt.Fprintln(c.out, q.Help)
	}
	for i, choice := range q.Choices {
		fmt.Fprintf(c.out, "  %d  %s\n", i+1, choice)
	}
	for range tries {
		enter := ""
		if q.Default != nil {
			enter = q.Default()
		}
		fmt.Fprint(c.out, q.Text)
		if enter != "" {
			fmt.Fprintf(c.out, " [%s]", enter)
		}
		fmt.Fprint(c.out, ": ")
		if !c.in.Scan() {
			fmt.Fprintln(c.out)
			return ErrQuit
		}
		a := strings.TrimSpace(strings.TrimPrefix(c.in.Text(), "\ufeff"))
		switch strings.ToLower(a) {
		case "back":
			return errBack
		case "quit", "exit":
			return ErrQuit
		case "?":
			fmt.Fprintln(c.out, q.Help)
			continue
		case "":
			a = enter
		}
		problem := q.choose(a)
		if problem == "" {
			problem = q.Take(a)
		}
		if problem == "" {
			return nil
		}
		fmt.Fprintln(c.out, "  "+problem)
	}
	return ErrQuit
}

// choose checks a number.
func (q Question) choose(a string) string {
	if len(q.Choices) == 0 {
		return ""
	}
	if n, err := strconv.Atoi(a); err != nil || n < 1 || n > len(q.Choices) {
		return fmt.Sprintf("Please type a number from 1 to %d.", len(q.Choices))
	}
	return ""
}

// YesNo reads a yes or a no, in English or Spanish.
func YesNo(a string, into *bool) (problem string) {
	switch strings.ToLower(a) {
	case "y", "yes", "s", "si", "sí":
		*into = true
	case "n", "no":
		*into = false
	default:
		return "Please type y or n."
	}
	return ""
}
