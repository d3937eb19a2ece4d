// Command bench compares dataexport with what it competes with.
package main

import (
	"context"
	"fmt"
	"os"
)

func main() {
	b := &bench{quick: true, log: func(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) }}
	for _, s := range sections(true) {
		if err := s.run(context.Background(), b); err != nil {
			panic(err)
		}
	}
	for _, o := range b.outcomes {
		fmt.Printf("%-30s %.2f (%.2f-%.2f) target %.2f  ours %v theirs %v %v/rec\n", o.Name, o.finding.Median, o.finding.Low, o.finding.High, o.Target, o.result.Time(o.Ours)/20000, o.finding.Theirs, o.result.Time(o.finding.Theirs)/20000)
	}
}
