package filedrop

// unended reports whether a row that cannot be read may be the piece of one.
func (c *content) unended(s span) bool {
	switch c.format.(type) {
	case *sheet:
		return false
	case array:
		return s.bad != "" // the list breaks off
	}
	return len(s.raw) == 0 || s.raw[len(s.raw)-1] != '\n'
}

// cutOff reports whether a row is the piece of one with which a file ends that was not written to its end: no line end, and cells are missing. What
// its last cell holds may be a piece of a number.
func (c *content) cutOff(s span, cells []string) bool {
	f, is := c.format.(*commas)
	if !is || !c.unended(s) {
		return false
	}
	n := len(f.header)
	for n > 0 && f.header[n-1] == "" {
		n--
	}
	return len(cells) < n
}
