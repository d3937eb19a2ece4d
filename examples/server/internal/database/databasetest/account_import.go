package databasetest

import (
	"bytes"
	"context"
	"io/fs"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataexport/dataexport"
	"github.com/dataexport/dataexport/archive/threengram"
	"github.com/dataexport/dataexport/examples/server/internal/database"
)

// testNoHalfAccount fails in the middle of an import, after other records went well.
func testNoHalfAccount(t *testing.T, s *Subject) {
	content, err := os.ReadFile(s.accountFile(t))
	require.NoError(t, err)
	a := s.archive(t)
	for name, test := range map[string]struct{ old, with, problem string }{
		"a fault that Read finds":         {`"grandfathered": false`, `"grandfathered": "no"`, "subscriptions[1].grandfathered"},
		"a fault that the database finds": {`"id": "00000000-0000-4000-8000-000000000008"`, `"id": "00000000-0000-4000-8000-000000000007"`, "memoryEvents[7]: "},
	} {
		t.Run(name, func(t *testing.T) {
			s.emptyAccounts(t)
			text := strings.Replace(string(content), test.old, test.with, 1)
			require.NotEqual(t, string(content), text)
			_, err := database.InsertArchive(t.Context(), s, a, strings.NewReader(text), int64(len(text)), anna)
			require.ErrorContains(t, err, test.problem)
			s.assertNoAccounts(t)
			require.NoError(t, database.ImportAccount(t.Context(), s, a, s.accountFile(t), anna, Quiet()), "the database is as good as new")
		})
	}
}

func testAccountImportStops(t *testing.T, s *Subject) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, database.ImportAccount(ctx, s, s.archive(t), s.accountFile(t), anna, Quiet()), context.Canceled)
	found, err := s.HasAccount(t.Context(), anna)
	require.NoError(t, err)
	assert.False(t, found)
	require.ErrorIs(t, database.ImportAccount(t.Context(), s, s.archive(t), "no such file", anna, Quiet()), fs.ErrNotExist)
	require.NoError(t, database.ImportAccount(t.Context(), s, s.archive(t), "", anna, Quiet()), "no file is no account")
}

// testAccountsWithNUL imports texts with NUL characters. A database that cannot hold them says where they are.
func testAccountsWithNUL(t *testing.T, s *Subject) {
	const nul = "a\x00"
	for where, record := range map[string]any{
		"facts[1].subject":   &threengram.Fact{CreatedAt: noon, ID: accountID(1), Subject: nul},
		"memories[1].topic":  &threengram.Memory{CreatedAt: noon, ID: accountID(1), UpdatedAt: noon, Topic: new(nul)},
		"scopes[1].aliases":  &threengram.Scope{CreatedAt: noon, ID: accountID(1), Aliases: []string{"a", nul}},
		"llmUsage[1].model":  &threengram.LLMUsage{CreatedAt: noon, ID: accountID(1), CostUSD: "1", Model: nul},
		"edges[1].createdBy": &threengram.Edge{CreatedAt: noon, ID: accountID(1), CreatedBy: new(nul)},
	} {
		t.Run(where, func(t *testing.T) {
			s.emptyAccounts(t)
			collection, _, _ := strings.Cut(where, "[")
			err := tryToInsert(t, s, anna, someAccount(), accountRecord{collection, record})
			if s.HoldsNUL {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, where+" has a NUL character (U+0000)")
			s.assertNoAccounts(t)
		})
	}
	owner := dataexport.Scope{WorkspaceID: "w", Subject: nul}
	found, err := s.HasAccount(t.Context(), owner)
	require.NoError(t, err)
	assert.False(t, found)
	_, err = s.Accounts(s.archive(t)).Open(t.Context(), dataexport.Query{Scope: owner})
	require.ErrorIs(t, err, dataexport.ErrNotFound)
}

// accountFile returns an archive that the database can hold.
func (s *Subject) accountFile(t *testing.T) string {
	t.Helper()
	if s.HoldsNUL {
		return AccountFile
	}
	content, err := os.ReadFile(AccountFile)
	require.NoError(t, err)
	return File(t, "account.json", WithoutNUL(content))
}

// WithoutNUL returns JSON without the escapes of NUL characters.
func WithoutNUL(document []byte) []byte { return bytes.ReplaceAll(document, []byte(`\u0000`), nil) }

func (s *Subject) emptyAccounts(t *testing.T) {
	t.Helper()
	for _, table := range database.AccountTables {
		require.NoError(t, s.Exec(t.Context(), "DELETE FROM "+table.Name))
	}
}

func (s *Subject) assertNoAccounts(t *testing.T) {
	t.Helper()
	for _, table := range database.AccountTables {
		assert.Zero(t, s.count(t, table.Name), table.Name)
	}
}
