package scalar

import "encoding/hex"

// AppendUUID appends a UUID in its text form of 36 characters, with lower-case digits (RFC 9562, section 4).
func AppendUUID(dst []byte, id *[16]byte) []byte {
	var text [36]byte
	hex.Encode(text[0:8], id[0:4])
	text[8] = '-'
	hex.Encode(text[9:13], id[4:6])
	text[13] = '-'
	hex.Encode(text[14:18], id[6:8])
	text[18] = '-'
	hex.Encode(text[19:23], id[8:10])
	text[23] = '-'
	hex.Encode(text[24:36], id[10:16])
	return append(dst, text[:]...)
}
