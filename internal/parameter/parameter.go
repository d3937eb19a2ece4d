// Package parameter reads single query parameters with one set of rules: a typo is an error, never a default.
package parameter

import (
	"fmt"
	"net/url"
	"unicode/utf8"
)

// MaxLength is how long a value may be, in bytes.
const MaxLength = 1024

// One returns the value of a parameter that may be given once, or "" if it is not there. Problem says what is wrong with
// it, or is empty.
func One(values url.Values, name string) (value, problem string) {
	list, ok := values[name]
	if !ok {
		return "", ""
	}
	if len(list) != 1 {
		return "", "is given more than once"
	}
	return list[0], Check(list[0])
}

// Check says what is wrong with a value, or nothing.
func Check(value string) (problem string) {
	switch {
	case value == "":
		return "is empty; leave the parameter out instead"
	case len(value) > MaxLength:
		return fmt.Sprintf("is longer than %d bytes", MaxLength)
	case !utf8.ValidString(value):
		return "is not valid UTF-8"
	}
	return ""
}
