package app

// passes: whoever knows a path goes through the folders above it, as Windows is set up.
func passes(string) bool { return true }
