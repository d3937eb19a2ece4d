package httpadapter

import (
	"strconv"
	"strings"
)

// acceptsCoding reports whether a client that sent these Accept-Encoding headers is better served by a content coding than
// without (RFC 9110, section 12.5.3). One that sent none is not known to understand any.
func acceptsCoding(headers []string, coding string) bool {
	const unset = -1
	wanted, others, identity := float64(unset), float64(unset), float64(unset)
	for _, header := range headers {
		for element := range strings.SplitSeq(header, ",") {
			name, quality, ok := parseCoding(element)
			switch {
			case !ok:
			case name == coding, name == "x-"+coding:
				wanted = quality
			case name == "*":
				others = quality
			case name == "identity":
				identity = quality
			}
		}
	}
	if wanted == unset {
		wanted = others
	}
	return wanted > 0 && wanted >= identity
}

// parseCoding reads one element of Accept-Encoding, such as "gzip;q=0.5". One that is malformed is not ok.
func parseCoding(element string) (name string, quality float64, ok bool) {
	name, parameter, weighted := strings.Cut(element, ";")
	name = strings.ToLower(strings.Trim(name, " \t"))
	if !weighted {
		return name, 1, name != ""
	}
	key, value, _ := strings.Cut(strings.Trim(parameter, " \t"), "=")
	quality, err := strconv.ParseFloat(value, 64)
	ok = name != "" && strings.EqualFold(key, "q") && err == nil && quality >= 0 && quality <= 1
	return name, quality, ok
}
