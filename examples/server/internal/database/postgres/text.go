package postgres

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/dataexport/dataexport/examples/server/internal/database"
)

// checkText returns what is wrong with a text that PostgreSQL cannot hold, one with a NUL character in it. Nothing is altered
// in silence.
func checkText(text string) error {
	if i := strings.IndexByte(text, 0); i >= 0 {
		return fmt.Errorf("has a NUL character (U+0000) after %d bytes, which PostgreSQL cannot keep", i)
	}
	return nil
}

// checkValue is checkText for any value that may be a text or a list of them.
func checkValue(value any) error {
	switch v := value.(type) {
	case string:
		return checkText(v)
	case *string:
		if v != nil {
			return checkText(*v)
		}
	case []string:
		for i, text := range v {
			if err := checkText(text); err != nil {
				return fmt.Errorf("%w, in its element %d", err, i)
			}
		}
	}
	return nil
}

// isText reports whether PostgreSQL can hold a text.
func isText(text string) bool { return checkText(text) == nil }

// numbered returns a statement in which the arguments have numbers, as PostgreSQL wants it, in place of question marks.
// There are no other question marks in our statements.
func numbered(statement string) string {
	return replaceMarks(statement, func(n int) string { return "$" + strconv.Itoa(n) })
}

// named returns a condition in which the arguments have names, as package pgrows wants it.
func named(c *database.Condition) (condition string, args pgx.NamedArgs) {
	args = make(pgx.NamedArgs)
	return replaceMarks(c.String(), func(n int) string {
		name := "arg" + strconv.Itoa(n)
		args[name] = c.Args[n-1]
		return "@" + name
	}), args
}

// replaceMarks replaces each question mark, given which one it is, from 1.
func replaceMarks(statement string, replacement func(n int) string) string {
	var b strings.Builder
	for n := 1; ; n++ {
		before, after, found := strings.Cut(statement, "?")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		b.WriteString(replacement(n))
		statement = after
	}
}
