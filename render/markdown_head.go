package render

import (
	"fmt"
	"time"

	"github.com/dataexport/dataexport"
)

// appendHead appends the title, the time of the document and the filter in words.
func (m *markdownValues) appendHead(dst []byte, doc *dataexport.Doc) (_ []byte, err error) {
	dst = appendTitle(dst, doc)
	if !doc.Time.IsZero() {
		dst = append(dst, "\nTime of the export: "...)
		if dst, err = m.appendTime(dst, doc.Time); err != nil {
			return dst, err
		}
		dst = append(dst, '\n')
	}
	return m.appendFilter(dst, doc)
}

func appendTitle(dst []byte, doc *dataexport.Doc) []byte {
	dst = append(dst, "# Export of "...)
	dst = appendMarkdownText(dst, doc.Info.Name)
	return append(dst, '\n')
}

// appendFilter appends the filter in words.
func (m *markdownValues) appendFilter(dst []byte, doc *dataexport.Doc) ([]byte, error) {
	if len(doc.Filter.Names()) == 0 {
		return append(dst, "\nAll records.\n"...), nil
	}
	dst = append(dst, "\nThe records that meet all of these conditions:\n\n"...)
	return m.appendConditions(dst, &doc.Filter)
}

func (m *markdownValues) appendConditions(dst []byte, f *dataexport.Filter) (_ []byte, err error) {
	dst = appendCondition(dst, dataexport.FilterUserID, f.UserID)
	dst = appendCondition(dst, dataexport.FilterAgentID, f.AgentID)
	dst = appendCondition(dst, dataexport.FilterSessionID, f.SessionID)
	dst = appendCondition(dst, dataexport.FilterPriority, string(f.Priority))
	if f.Categories != nil {
		dst = append(dst, "- categories has at least one of "...)
		dst = append(trimBlanks(m.appendList(dst, f.Categories)), '\n')
	}
	if !f.CreatedAfter.IsZero() {
		dst = append(dst, "- created after "...)
		if dst, err = m.appendTime(dst, f.CreatedAfter); err != nil {
			return dst, err
		}
		dst = append(dst, '\n')
	}
	if !f.CreatedBefore.IsZero() {
		dst = append(dst, "- created before "...)
		if dst, err = m.appendTime(dst, f.CreatedBefore); err != nil {
			return dst, err
		}
		dst = append(dst, '\n')
	}
	return dst, nil
}

func appendCondition(dst []byte, name, value string) []byte {
	if value == "" {
		return dst
	}
	dst = append(dst, "- "...)
	dst = append(dst, name...)
	dst = append(dst, " is "...)
	return append(trimBlanks(appendMarkdownText(dst, value)), '\n')
}

func (m *markdownValues) appendTime(dst []byte, t time.Time) ([]byte, error) {
	dst, ok := m.column.times.Append(dst, t.Unix(), uint32(t.Nanosecond())) //nolint:gosec // 0 to 999,999,999
	if !ok {
		return dst, fmt.Errorf("%w: the time %s is not in the years 0000 to 9999", dataexport.ErrInvalid, t)
	}
	return dst, nil
}
