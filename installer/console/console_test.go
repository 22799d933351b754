package console

import (
	"errors"
	"strings"
	"testing"
)

func talk(t *testing.T, typed string) (hub, code string, look bool, out string, err error) {
	t.Helper()
	var b strings.Builder
	c := New(strings.NewReader(typed), &b)
	err = c.Ask([]Question{
		{Text: "Hub", Default: func() string { return hub }, Take: func(a string) string {
			if a == "" {
				return "It is needed."
			}
			hub = a
			return ""
		}},
		{Text: "Never", Skip: func() bool { return true }, Take: func(string) string { t.Error("a skipped question was asked"); return "" }},
		{Text: "Code", Help: "Head office tells it.", Take: func(a string) string { code = a; return "" }},
		{Text: "Look", Choices: []string{"yes", "no"}, Default: func() string { return "2" }, Take: func(a string) string { look = a == "1"; return "" }},
	})
	return hub, code, look, b.String(), err
}

func TestAPersonAnswers(t *testing.T) {
	hub, code, look, out, err := talk(t, "\nhub.example.com\nABC\n\n")
	if err != nil || hub != "hub.example.com" || code != "ABC" || look {
		t.Errorf("got %q %q %v %v", hub, code, look, err)
	}
	if !strings.Contains(out, "It is needed.") || !strings.Contains(out, "Head office tells it.") || !strings.Contains(out, "  2  no\nLook [2]: ") {
		t.Errorf("said:\n%s", out)
	}
}

func TestBackGoesOverASkippedQuestionAndKeepsTheAnswer(t *testing.T) {
	hub, code, look, out, err := talk(t, "wrong\r\nback\r\nright\r\nback\r\n\r\nABC\r\n9\r\n1\r\n")
	if err != nil || hub != "right" || code != "ABC" || !look {
		t.Errorf("got %q %q %v %v", hub, code, look, err)
	}
	if !strings.Contains(out, "Hub [wrong]") || !strings.Contains(out, "a number from 1 to 2") {
		t.Errorf("said:\n%s", out)
	}
}

func TestBackAtTheFirstQuestionAsksItAgain(t *testing.T) {
	if hub, _, _, _, err := talk(t, "back\nh\nc\n1\n"); err != nil || hub != "h" {
		t.Errorf("got %q %v", hub, err)
	}
}

func TestTheEndIsNoEndlessLoop(t *testing.T) {
	for _, typed := range []string{"", "h\n", "h\nquit\n", "h\nc\n" + strings.Repeat("x\n", 100)} {
		if _, _, _, _, err := talk(t, typed); !errors.Is(err, ErrQuit) {
			t.Errorf("%.10q: got %v", typed, err)
		}
	}
}

func TestYesNo(t *testing.T) {
	for a, want := range map[string]bool{"y": true, "YES": true, "sí": true, "n": false, "No": false} {
		got := !want
		if p := YesNo(a, &got); p != "" || got != want {
			t.Errorf("%q: got %v %q", a, got, p)
		}
	}
	var b bool
	if YesNo("maybe", &b) == "" {
		t.Error("maybe was taken")
	}
}
