// Command hold opens the first file that comes to fit a pattern, lets nobody else near it for a while, and says so: as a virus scanner does.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

func main() {
	d, err := time.ParseDuration(os.Args[2])
	if err != nil {
		panic(err)
	}
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(time.Millisecond) {
		found, _ := filepath.Glob(os.Args[1])
		for _, path := range found {
			p, err := syscall.UTF16PtrFromString(path)
			if err != nil {
				panic(err)
			}
			h, err := syscall.CreateFile(p, syscall.GENERIC_READ, 0, nil, syscall.OPEN_EXISTING, syscall.FILE_ATTRIBUTE_NORMAL, 0)
			if err != nil {
				continue
			}
			fmt.Println("held", path)
			time.Sleep(d)
			syscall.CloseHandle(h)
			return
		}
	}
	fmt.Println("nothing came")
	os.Exit(1)
}
