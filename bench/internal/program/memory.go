package program

import (
	"bufio"
	"fmt"
	"os"
	"strings"
)

// peakMemory returns the most memory that this process has had resident, in bytes, or 0 where the system does not say. It is not
// ru_maxrss, which a process on Linux inherits from the one that has started it.
func peakMemory() int64 {
	file, err := os.Open("/proc/self/status")
	if err != nil {
		return 0
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		if text, ok := strings.CutPrefix(lines.Text(), "VmHWM:"); ok {
			var kib int64
			if _, err := fmt.Sscan(text, &kib); err == nil {
				return kib << 10
			}
		}
	}
	return 0
}
