//go:build !windows

package fileblob

import (
	"errors"
	"os"
	"syscall"
)

// syncDirectory makes the entries of a directory durable and closes it. A file system that cannot do that, as some of a
// network, is let pass: its files are as durable as it makes them.
func syncDirectory(directory *os.File, err error) error {
	if err != nil {
		return err
	}
	err = directory.Sync()
	if errors.Is(err, errors.ErrUnsupported) || errors.Is(err, syscall.EINVAL) {
		err = nil
	}
	return errors.Join(err, directory.Close())
}
