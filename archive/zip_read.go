package archive

// zipStart is what a zip begins with: the signature of the header of a file (APPNOTE.TXT, section 4.3.7).
const zipStart = "PK\x03\x04"

func (rd *reading) readZip() error {
	return &Fault{Record: -1, Problem: "zip is not read yet"}
}
