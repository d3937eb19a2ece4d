package dataexport

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/dataexport/dataexport/internal/parameter"
	"github.com/dataexport/dataexport/internal/rfc3339"
)

// The names of the filter parameters, for Info.Filters.
const (
	FilterUserID        = "user_id"
	FilterAgentID       = "agent_id"
	FilterSessionID     = "session_id"
	FilterPriority      = "priority"
	FilterCategories    = "categories"
	FilterCreatedAfter  = "created_after"
	FilterCreatedBefore = "created_before"
)

var filterNames = []string{
	FilterUserID, FilterAgentID, FilterSessionID, FilterPriority, FilterCategories, FilterCreatedAfter, FilterCreatedBefore,
}

// FilterNames returns the names of all filter parameters.
func FilterNames() []string { return slices.Clone(filterNames) }

// MaxCategories is how many categories a filter can name.
const MaxCategories = 20

// A Priority is how much a record matters.
type Priority string

// The priorities that a filter can ask for.
const (
	PriorityLow    Priority = "LOW"
	PriorityMedium Priority = "MEDIUM"
	PriorityHigh   Priority = "HIGH"
)

// A Filter says which records to export: those that meet every condition that is set. The zero Filter sets none.
type Filter struct {
	UserID        string // empty if not set
	AgentID       string // empty if not set
	SessionID     string // empty if not set
	Priority      Priority
	Categories    []string  // records with at least one of them; nil if not set
	CreatedAfter  time.Time // exclusive; zero if not set
	CreatedBefore time.Time // exclusive; zero if not set

	unknown []string // names of conditions that UnmarshalJSON has met and does not know
}

// Attributes are what a Filter looks at in a record. Empty means that the record has none.
type Attributes struct {
	UserID, AgentID, SessionID string
	Priority                   Priority
	Categories                 []string
	CreatedAt                  time.Time
}

// Match reports whether a record meets every condition that is set.
func (f *Filter) Match(a *Attributes) bool {
	return (f.UserID == "" || f.UserID == a.UserID) &&
		(f.AgentID == "" || f.AgentID == a.AgentID) &&
		(f.SessionID == "" || f.SessionID == a.SessionID) &&
		(f.Priority == "" || f.Priority == a.Priority) &&
		(f.Categories == nil || slices.ContainsFunc(a.Categories, func(c string) bool { return slices.Contains(f.Categories, c) })) &&
		(f.CreatedAfter.IsZero() || a.CreatedAt.After(f.CreatedAfter)) &&
		(f.CreatedBefore.IsZero() || a.CreatedAt.Before(f.CreatedBefore))
}

// Names returns the names of the conditions that are set.
func (f *Filter) Names() []string {
	var names []string
	add := func(set bool, name string) {
		if set {
			names = append(names, name)
		}
	}
	add(f.UserID != "", FilterUserID)
	add(f.AgentID != "", FilterAgentID)
	add(f.SessionID != "", FilterSessionID)
	add(f.Priority != "", FilterPriority)
	add(f.Categories != nil, FilterCategories)
	add(!f.CreatedAfter.IsZero(), FilterCreatedAfter)
	add(!f.CreatedBefore.IsZero(), FilterCreatedBefore)
	return names
}

// Validate reports every fault of the filter at once as a *ValidationError.
func (f *Filter) Validate() error {
	var faults ValidationError
	text := func(name, value string) {
		if value != "" {
			if problem := parameter.Check(value); problem != "" {
				faults.Add(name, "%s %s", name, problem)
			}
		}
	}
	text(FilterUserID, f.UserID)
	text(FilterAgentID, f.AgentID)
	text(FilterSessionID, f.SessionID)
	switch f.Priority {
	case "", PriorityLow, PriorityMedium, PriorityHigh:
	default:
		faults.Add(FilterPriority, "priority must be LOW, MEDIUM or HIGH, in capitals")
	}
	if f.Categories != nil && len(f.Categories) == 0 {
		faults.Add(FilterCategories, "categories names none; leave it out instead")
	}
	if distinct := len(distinct(f.Categories)); distinct > MaxCategories {
		faults.Add(FilterCategories, "categories may name at most %d, not %d", MaxCategories, distinct)
	}
	for _, c := range f.Categories {
		if problem := parameter.Check(c); problem != "" {
			faults.Add(FilterCategories, "a category %s", problem)
			break
		}
	}
	instant := func(name string, t time.Time) {
		if year := t.UTC().Year(); year < 0 || year > 9999 {
			faults.Add(name, "%s is not within the years 0000 to 9999", name)
		}
	}
	instant(FilterCreatedAfter, f.CreatedAfter)
	instant(FilterCreatedBefore, f.CreatedBefore)
	for _, name := range f.unknown {
		faults.Add(name, "the condition %s was stored by another version, and this one does not know it", name)
	}
	if !f.CreatedAfter.IsZero() && !f.CreatedBefore.IsZero() && !f.CreatedAfter.Before(f.CreatedBefore) {
		faults.Add(FilterCreatedAfter, "created_after must be earlier than created_before")
	}
	return faults.Err()
}

// ParseFilter reads the filter parameters of a query; other parameters are not looked at. Every fault is reported at once
// as a *ValidationError: a parameter that is empty, too long, not UTF-8 or given twice (categories may be repeated), or
// whose value is none.
//
// Categories are separated by commas; blanks around a name are trimmed and repetitions dropped. Times are RFC 3339 with
// any offset and fraction, or a bare date, which is midnight UTC.
func ParseFilter(values url.Values) (Filter, error) {
	var f Filter
	var faults ValidationError
	one := func(name string) string {
		value, problem := parameter.One(values, name)
		if problem != "" {
			faults.Add(name, "%s %s", name, problem)
			return ""
		}
		return value
	}
	instant := func(name string) time.Time {
		value := one(name)
		if value == "" {
			return time.Time{}
		}
		t, err := parseTime(value)
		if err != nil {
			faults.Add(name, "%s %s", name, err)
		}
		return t
	}
	f.UserID = one(FilterUserID)
	f.AgentID = one(FilterAgentID)
	f.SessionID = one(FilterSessionID)
	f.Priority = Priority(one(FilterPriority))
	f.CreatedAfter = instant(FilterCreatedAfter)
	f.CreatedBefore = instant(FilterCreatedBefore)
	if lists, ok := values[FilterCategories]; ok {
		categories, problem := parseCategories(lists)
		if problem != "" {
			faults.Add(FilterCategories, "categories %s", problem)
		}
		f.Categories = categories
	}
	if err := faults.Merge(f.Validate()); err != nil {
		return Filter{}, err
	}
	if err := faults.Err(); err != nil {
		return Filter{}, err
	}
	return f, nil
}

func parseCategories(lists []string) (categories []string, problem string) {
	for _, list := range lists {
		if problem := parameter.Check(list); problem != "" {
			return nil, problem
		}
		for name := range strings.SplitSeq(list, ",") {
			name = strings.TrimSpace(name)
			if name == "" {
				return nil, "has an empty name between its commas"
			}
			categories = append(categories, name)
		}
	}
	return distinct(categories), ""
}

// canonical returns the same filter with its times in UTC and no category twice.
func (f Filter) canonical() Filter {
	f.Categories = distinct(f.Categories)
	if !f.CreatedAfter.IsZero() {
		f.CreatedAfter = f.CreatedAfter.UTC()
	}
	if !f.CreatedBefore.IsZero() {
		f.CreatedBefore = f.CreatedBefore.UTC()
	}
	return f
}

// distinct returns the list without repetitions, in order of first appearance.
func distinct(list []string) []string {
	var out []string
	for _, s := range list {
		if !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}

func parseTime(value string) (time.Time, error) {
	t, err := time.Parse(time.DateOnly, value)
	if err != nil {
		t, _, err = rfc3339.Parse(value)
	}
	switch {
	case errors.Is(err, rfc3339.ErrYear):
		return time.Time{}, errors.New("is not within the years 0000 to 9999")
	case err != nil && strings.LastIndexByte(value, ' ') > 0 && strings.Count(value, ":") > 2:
		return time.Time{}, errors.New("has a blank where its offset begins: write the + as %2B in a URL")
	case err != nil:
		return time.Time{}, errors.New("must be a time such as 2026-01-15T10:30:00Z (RFC 3339) or a date such as 2026-01-15")
	case t.IsZero():
		return time.Time{}, errors.New("is the one instant that stands for no time; use another")
	}
	return t, nil
}

// filterJSON is the canonical form of a Filter, as stores keep it and fingerprints are taken of it.
type filterJSON struct {
	UserID        string     `json:"user_id,omitempty"`
	AgentID       string     `json:"agent_id,omitempty"`
	SessionID     string     `json:"session_id,omitempty"`
	Priority      Priority   `json:"priority,omitempty"`
	Categories    []string   `json:"categories,omitempty"`
	CreatedAfter  *time.Time `json:"created_after,omitempty"`
	CreatedBefore *time.Time `json:"created_before,omitempty"`
}

// MarshalJSON returns the canonical form of the filter: one object with the conditions that are set, times in UTC.
func (f Filter) MarshalJSON() ([]byte, error) {
	instant := func(t time.Time) *time.Time {
		if t.IsZero() {
			return nil
		}
		t = t.UTC()
		return &t
	}
	return json.Marshal(filterJSON{
		f.UserID, f.AgentID, f.SessionID, f.Priority, f.Categories, instant(f.CreatedAfter), instant(f.CreatedBefore),
	})
}

// UnmarshalJSON reads the form that MarshalJSON writes. A condition that it does not know, which another version of this
// package has stored, makes the filter invalid: an export without it would hold too much.
func (f *Filter) UnmarshalJSON(data []byte) error {
	var stored filterJSON
	if err := json.Unmarshal(data, &stored); err != nil {
		return fmt.Errorf("dataexport: a stored filter: %w", err)
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(data, &members); err != nil {
		return fmt.Errorf("dataexport: a stored filter: %w", err)
	}
	var unknown []string
	for _, name := range slices.Sorted(maps.Keys(members)) {
		if !slices.Contains(filterNames, name) {
			unknown = append(unknown, name)
		}
	}
	instant := func(t *time.Time) time.Time {
		if t == nil {
			return time.Time{}
		}
		return t.UTC()
	}
	*f = Filter{
		stored.UserID, stored.AgentID, stored.SessionID, stored.Priority, stored.Categories,
		instant(stored.CreatedAfter), instant(stored.CreatedBefore), unknown,
	}
	return nil
}

// A Query says what to export.
type Query struct {
	Scope  Scope
	Filter Filter
	// AsOf is when the export was asked for: records whose time of creation is later are not in it. An edit that is made
	// while the export runs may show. The zero time sets no bound.
	AsOf time.Time
}

// Match reports whether a record meets the filter and was created at or before AsOf. The scope is the caller's to check.
func (q *Query) Match(a *Attributes) bool {
	return q.Filter.Match(a) && (q.AsOf.IsZero() || !a.CreatedAt.After(q.AsOf))
}
