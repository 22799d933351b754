//go:build !windows

package app

func plantedOnWindows() {}
