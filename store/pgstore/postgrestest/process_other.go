//go:build !linux

package postgrestest

import (
	"errors"
	"os"
)

const canStart = false

// A process is a server that runs. There is none on this system: findBinaries has said so before.
type process struct {
	done chan struct{}
	err  error
}

func makeDirectory() (string, *os.File, error) { return "", nil, errors.ErrUnsupported }

func removeLeftovers() {}

func runToEnd(string, ...string) error { return errors.ErrUnsupported }

func startProcess(string, string, ...string) (*process, error) { return nil, errors.ErrUnsupported }

func (*process) stop(Shutdown) error { return errors.ErrUnsupported }
