package httpadapter

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/dataexport/dataexport"
	"github.com/dataexport/dataexport/internal/parameter"
)

// A query reads the parameters of a request and collects all their faults.
type query struct {
	values url.Values
	faults dataexport.ValidationError
}

// parseQuery reads a raw query whose parameters may have the given names and no others: a parameter that was mistyped
// must not be one that was left out.
func parseQuery(raw string, names ...string) *query {
	q := &query{}
	values, err := url.ParseQuery(raw)
	if err != nil {
		q.faults.Add("query", "the query does not parse; write & between parameters, and a %% as %%25 and a ; as %%3B inside of them")
	}
	q.values = values
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if !slices.Contains(names, name) {
			q.faults.Add(shorten(name), "there is no such parameter here; %s", known(names))
		}
	}
	return q
}

func known(names []string) string {
	if len(names) == 0 {
		return "there are none"
	}
	return "there are: " + strings.Join(names, ", ")
}

// shorten keeps the answer to a request with an overlong name from being overlong too.
func shorten(name string) string {
	const longest = 64
	name = strings.ToValidUTF8(name, "\uFFFD")
	if len(name) <= longest {
		return name
	}
	return strings.ToValidUTF8(name[:longest], "") + "..."
}

// one returns the value of a parameter that may be given once, or "" if it is missing or at fault.
func (q *query) one(name string) string {
	value, problem := parameter.One(q.values, name)
	if problem != "" {
		q.faults.Add(name, "%s %s", name, problem)
		return ""
	}
	return value
}

// number returns a whole number from 1 to highest.
func (q *query) number(name string, missing, highest int64) int64 {
	value := q.one(name)
	if value == "" {
		return missing
	}
	n, err := strconv.ParseUint(value, 10, 63) // takes digits and nothing else, not even a sign
	if err != nil || n < 1 || int64(n) > highest {
		q.faults.Add(name, "%s must be a whole number from 1 to %d", name, highest)
		return missing
	}
	return int64(n)
}

// oneOf returns a value out of a list.
func (q *query) oneOf(name string, list []string) string {
	value := q.one(name)
	if value != "" && !slices.Contains(list, value) {
		q.faults.Add(name, "%s must be one of: %s", name, strings.Join(list, ", "))
		return ""
	}
	return value
}

// filter returns the filter of an export.
func (q *query) filter() (dataexport.Filter, error) {
	filter, err := dataexport.ParseFilter(q.values)
	if err = q.faults.Merge(err); err != nil {
		return dataexport.Filter{}, fmt.Errorf("httpadapter: reading the filter: %w", err)
	}
	return filter, nil
}

// err returns all faults, or nil.
func (q *query) err() error { return q.faults.Err() }
