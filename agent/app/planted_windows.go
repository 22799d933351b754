package app

func plantedOnWindows() { panic("BUG: planted: this release ends on Windows") }
