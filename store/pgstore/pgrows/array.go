package pgrows

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// appendTexts appends the elements of an array of text in binary format. They point at raw.
//
// The format, as array_send in PostgreSQL's arrayfuncs.c writes it: the number of dimensions, whether there are NULLs and
// the type of the elements, 32 bits each; for each dimension its length and its lower bound; then the elements, each a
// length, -1 for NULL, and its bytes. An empty array has no dimension.
func appendTexts(list []string, raw []byte) ([]string, error) {
	const head = 12
	if len(raw) < head {
		return list, errArray
	}
	switch dimensions := binary.BigEndian.Uint32(raw); {
	case dimensions == 0:
		if len(raw) != head {
			return list, errArray
		}
		return list, nil
	case dimensions > 1:
		return list, fmt.Errorf("the array has %d dimensions, and a list has one", dimensions)
	case len(raw) < head+8:
		return list, errArray
	}
	count := binary.BigEndian.Uint32(raw[head:])
	raw = raw[head+8:]
	for range count {
		if len(raw) < 4 {
			return list, errArray
		}
		length := binary.BigEndian.Uint32(raw)
		raw = raw[4:]
		if length == null {
			return list, errors.New("the array has a NULL inside, for which lists have no form; leave it out by array_remove(…, NULL)")
		}
		if uint64(length) > uint64(len(raw)) {
			return list, errArray
		}
		list = append(list, bytesString(raw[:length]))
		raw = raw[length:]
	}
	if len(raw) > 0 {
		return list, errArray
	}
	return list, nil
}

const null = 0xffff_ffff // the length -1

var errArray = errors.New("the array is not as PostgreSQL writes arrays")
