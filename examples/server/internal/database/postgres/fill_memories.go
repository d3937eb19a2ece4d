package postgres

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"regexp"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/dataexport/dataexport/examples/server/internal/database"
	"github.com/dataexport/dataexport/memory"
)

// InsertMemories copies (COPY), which is several times as fast as inserting.
func (f *filling) InsertMemories(ctx context.Context, records iter.Seq2[*memory.Record, error]) (int64, error) {
	next, stop := iter.Pull2(records)
	defer stop()
	source := &copySource{next: next}
	n, err := f.tx.CopyFrom(ctx, pgx.Identifier{"memories"}, memoryColumns, source)
	switch {
	case source.err != nil: // PostgreSQL knows only that copying has ended
		return 0, source.err
	case err != nil:
		return 0, explainCopy(err)
	}
	return n, nil
}

// A copySource is a pgx.CopyFromSource.
type copySource struct {
	next   func() (*memory.Record, error, bool)
	record *memory.Record
	line   int64
	err    error
	values [14]any
}

func (s *copySource) Next() bool {
	record, err, more := s.next()
	if !more {
		return false
	}
	s.line++
	s.record, s.err = record, err
	return err == nil
}

func (s *copySource) Err() error { return s.err }

// Values returns the values in the order of database.Columns.
func (s *copySource) Values() ([]any, error) {
	r := s.record
	s.values = [...]any{
		r.ID, r.WorkspaceID, r.Content, r.UserID, r.AgentID, r.SessionID, r.Priority, r.Status, r.Categories, nil, r.AccessCount,
		database.InstantText(r.LastAccessedAt), database.FormatInstant(r.CreatedAt), database.InstantText(r.UpdatedAt),
	}
	if r.Metadata != nil {
		s.values[9] = string(r.Metadata)
	}
	for i, value := range s.values {
		if err := checkValue(value); err != nil {
			s.err = fmt.Errorf("line %d: %s %w", s.line, memoryColumns[i], err)
			return nil, s.err
		}
	}
	return s.values[:], nil
}

// memoryColumns are the columns by themselves.
var memoryColumns = strings.Split(database.Columns, ", ")

var number = regexp.MustCompile("[0-9]+")

// explainCopy has an error begin with its line. PostgreSQL says where in its copying it is, such as "COPY memories, line 3",
// in a language of its choice; there is one memory on each line.
func explainCopy(err error) error {
	said := (*pgconn.PgError)(nil)
	if !errors.As(err, &said) || !strings.HasPrefix(said.Where, "COPY memories") {
		return Explain(err)
	}
	line := number.FindString(said.Where)
	if said.Code == "23505" { // unique_violation
		return fmt.Errorf("line %s: its workspace has a memory with the same id already: %s", line, said.Detail)
	}
	return fmt.Errorf("line %s: %w", line, err)
}
