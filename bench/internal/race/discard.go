package race

// Discard is a writer that counts what it is given.
type Discard struct {
	Bytes  int64
	Writes int64
}

// Write counts.
func (d *Discard) Write(b []byte) (int, error) {
	d.Bytes += int64(len(b))
	d.Writes++
	return len(b), nil
}
