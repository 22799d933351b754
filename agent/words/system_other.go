//go:build !windows

package words

func system() Lang { return English }
