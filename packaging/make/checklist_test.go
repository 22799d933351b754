package main

import (
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// TestTheChecklistCanBeGoneThrough: each line says how long, what to do, what is expected and how it stands, and one PC's part takes an hour.
func TestTheChecklistCanBeGoneThrough(t *testing.T) {
	body, err := os.ReadFile("../windows-checklist.md")
	if err != nil {
		t.Fatal(err)
	}
	_, list, _ := strings.Cut(string(body), "\n## A.")
	one, more, found := strings.Cut(list, "\n## B.")
	if !found {
		t.Fatal("it has no two parts")
	}
	state := regexp.MustCompile(`^(open|(failed )?20\d\d-\d\d-\d\d Windows .+)$`)
	n, minutes := 0, 0
	for i, part := range []string{one, more} {
		for line := range strings.Lines(part) {
			if !strings.HasPrefix(line, "| ") || strings.HasPrefix(line, "| #") {
				continue
			}
			n++
			cells := strings.Split(strings.ReplaceAll(strings.Trim(strings.TrimSpace(line), "|"), `\|`, "/"), "|")
			if len(cells) != 5 {
				t.Errorf("line %d has %d cells: %s", n, len(cells), line)
				continue
			}
			for i := range cells {
				cells[i] = strings.TrimSpace(cells[i])
			}
			m, err := strconv.Atoi(cells[1])
			if cells[0] != strconv.Itoa(n) || err != nil || m <= 0 || len(cells[2]) < 10 || len(cells[3]) < 5 || !state.MatchString(cells[4]) {
				t.Errorf("line %d: %q", n, cells)
			}
			if i == 0 {
				minutes += m
			}
		}
	}
	if n < 25 || minutes > 60 {
		t.Errorf("%d lines, and one PC's take %d minutes", n, minutes)
	}
}
