package archive

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/dataexport/dataexport"
	"github.com/dataexport/dataexport/internal/jsontext"
)

// parseText reads a value of any kind but JSON and list, which is text or is written like JSON writes it. If it is none,
// problem says so.
func parseText(kind dataexport.Kind, text string) (v dataexport.Value, problem string) {
	if !utf8.ValidString(text) {
		return v, "not valid UTF-8"
	}
	switch kind {
	case dataexport.KindString:
		return dataexport.StringValue(text), ""
	case dataexport.KindDecimal:
		if isDecimal(text) {
			return dataexport.DecimalValue(text), ""
		}
		return v, "not a decimal number such as 19.90"
	case dataexport.KindTime:
		if t, ok := parseTime(text); ok {
			return dataexport.TimeValue(t), ""
		}
		return v, timeProblem
	case dataexport.KindUUID:
		id, err := uuid.Parse(text)
		if err == nil && len(text) == len("00000000-0000-0000-0000-000000000000") {
			return dataexport.UUIDValue((*[16]byte)(&id)), ""
		}
		return v, "not a UUID of 36 characters"
	case dataexport.KindBool:
		if text == "true" || text == "false" {
			return dataexport.BoolValue(text == "true"), ""
		}
		return v, "neither true nor false"
	default:
		return parseNumber(kind, text)
	}
}

// parseNumber reads an integer or a floating-point number that is written as in JSON.
func parseNumber(kind dataexport.Kind, text string) (v dataexport.Value, problem string) {
	if !isJSONNumber(text) {
		return v, "not a number"
	}
	if kind == dataexport.KindInt {
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return v, "not an integer that fits 64 bits, without fraction and exponent"
		}
		return dataexport.IntValue(n), ""
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsInf(f, 0) {
		return v, "the number is too large for a float of 64 bits"
	}
	return dataexport.FloatValue(f), ""
}

// parseJSONText reads a value of a kind that is written as JSON in JSON and CSV alike: a list or any JSON.
func parseJSONText(kind dataexport.Kind, text string) (v dataexport.Value, problem string) {
	if !utf8.ValidString(text) {
		return v, "not valid UTF-8"
	}
	compact, err := jsontext.AppendCompact(nil, text)
	if err != nil {
		return v, err.Error()
	}
	if kind == dataexport.KindJSON {
		return dataexport.JSONValue(compact), ""
	}
	list, problem := parseStrings(string(compact))
	if problem != "" {
		return v, problem
	}
	return dataexport.StringsValue(list), ""
}

// parseStrings reads an array of strings, which is valid and compact JSON.
func parseStrings(text string) (list []string, problem string) {
	if text[0] != '[' {
		return nil, fmt.Sprintf("%s, where a list of text must be", jsonType(text))
	}
	list = []string{}
	for rest := text[1:]; rest[0] != ']'; rest = strings.TrimPrefix(rest, ",") {
		if rest[0] != '"' {
			return nil, fmt.Sprintf("%s in the list, where a string must be", jsonType(rest))
		}
		end := stringEnd(rest)
		item, problem := unquote(rest[:end])
		if problem != "" {
			return nil, problem
		}
		list, rest = append(list, item), rest[end:]
	}
	return list, ""
}

// isDecimal reports whether a text is what the pattern of the schema describes.
func isDecimal(s string) bool {
	if s != "" && (s[0] == '-' || s[0] == '+') {
		s = s[1:]
	}
	mantissa, exponent, hasExponent := cutExponent(s)
	whole, fraction, hasFraction := strings.Cut(mantissa, ".")
	return isDigits(whole) && (!hasFraction || isDigits(fraction)) && (!hasExponent || isDigits(exponent))
}

// cutExponent returns what is in front of an e, and behind it and its sign.
func cutExponent(s string) (mantissa, exponent string, found bool) {
	i := strings.IndexAny(s, "eE")
	if i < 0 {
		return s, "", false
	}
	exponent = s[i+1:]
	if exponent != "" && (exponent[0] == '-' || exponent[0] == '+') {
		exponent = exponent[1:]
	}
	return s[:i], exponent, true
}

func isDigits(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

// isJSONNumber reports whether a text is a number of RFC 8259, section 6: a decimal number without a plus sign in front
// and without a zero too many.
func isJSONNumber(s string) bool {
	if !isDecimal(s) || s[0] == '+' {
		return false
	}
	s = strings.TrimPrefix(s, "-")
	return s[0] != '0' || len(s) == 1 || s[1] < '0' || s[1] > '9'
}

// kindName names the kind of a column in words.
func kindName(k dataexport.Kind) string {
	switch k {
	case dataexport.KindStrings:
		return "list of text"
	case dataexport.KindUUID:
		return "UUID"
	default:
		return k.String()
	}
}
