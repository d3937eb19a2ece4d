package fileblob

import "os"

// syncDirectory closes a directory. Windows has no way to sync one; NTFS keeps a journal of its entries.
func syncDirectory(directory *os.File, err error) error {
	if err != nil {
		return err
	}
	return directory.Close()
}
