package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataexport/dataexport"
)

func TestSettingsOfTheURL(t *testing.T) {
	config, err := parseURL("postgres://u:p%40ss@h:1/d")
	require.NoError(t, err)
	assert.Equal(t, "p@ss", config.ConnConfig.Password)
	assert.Equal(t, connectTimeout, config.ConnConfig.ConnectTimeout)
	assert.Equal(t, "dataexport-server", config.ConnConfig.RuntimeParams["application_name"])

	config, err = parseURL("postgresql://h/d?connect_timeout=30&application_name=mine&pool_max_conns=3")
	require.NoError(t, err)
	assert.Equal(t, 30*time.Second, config.ConnConfig.ConnectTimeout)
	assert.Equal(t, "mine", config.ConnConfig.RuntimeParams["application_name"])

	for text, want := range map[string]int32{"postgres://h/d": 9, "postgres://h/d?pool_max_conns=3": 3} {
		db, err := Open(text, 9)
		require.NoError(t, err)
		assert.Equal(t, want, db.Pool.Config().MaxConns)
		require.NoError(t, db.Close())
	}
}

func TestExplain(t *testing.T) {
	said := func(code string) error { return fmt.Errorf("wrapped: %w", &pgconn.PgError{Code: code}) }
	for _, err := range []error{
		said("57P01"), said("57P03"), said("53300"), said("08006"), said("25006"), said("40P01"), io.ErrUnexpectedEOF,
		&net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}, fmt.Errorf("again: %w", dataexport.ErrUnavailable),
	} {
		assert.ErrorIs(t, Explain(err), dataexport.ErrUnavailable, "%v", err)
		assert.ErrorIs(t, Explain(err), err)
	}
	for _, err := range []error{
		said("28P01"), said("3D000"), said("42501"), said("42P01"), said("57014"), said(""), errors.New("else"), context.Canceled,
		&fs.PathError{Op: "open", Path: "x", Err: syscall.ENOENT},
	} {
		assert.NotErrorIs(t, Explain(err), dataexport.ErrUnavailable, "%v", err)
		assert.ErrorIs(t, Explain(err), err)
	}
	assert.NoError(t, Explain(nil))
}

func TestNumbered(t *testing.T) {
	assert.Equal(t, "a = $1 AND b IN ($2, $3)", numbered("a = ? AND b IN (?, ?)"))
	assert.Equal(t, "none", numbered("none"))
}
