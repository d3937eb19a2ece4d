package httpadapter

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"

	"github.com/dataexport/dataexport"
)

// A Permission is what a Principal may do.
type Permission string

// The permissions. Neither includes the other.
const (
	PermissionRead  Permission = "export.read"  // see exports and download their files
	PermissionWrite Permission = "export.write" // order and remove exports
)

// A Principal is who is behind a request. One without a workspace may do nothing.
type Principal struct {
	WorkspaceID string // the tenant whose data it is about
	Subject     string // the person behind the credential; exports of a personal dataset are theirs alone
	Permissions []Permission
}

// ErrUnauthorized is what Options.Authenticate returns, alone or wrapped, for a credential that is missing or wrong.
var ErrUnauthorized = errors.New("httpadapter: unauthorized")

// authorize finds out who is asking, and whether they may.
func (x *exchange) authorize(needed Permission) (dataexport.Scope, error) {
	principal, err := x.front.authenticate(x.r)
	if err != nil {
		return dataexport.Scope{}, authenticationError(err)
	}
	if !slices.Contains(principal.Permissions, needed) {
		return dataexport.Scope{}, explain(errForbidden, "This needs the permission %s.", needed)
	}
	if principal.WorkspaceID == "" {
		return dataexport.Scope{}, explain(errForbidden, "The credential belongs to no workspace.")
	}
	x.about = append(x.about, slog.String("workspace", principal.WorkspaceID))
	return dataexport.Scope{WorkspaceID: principal.WorkspaceID, Subject: principal.Subject}, nil
}

// authenticationError lets two kinds of errors of the host keep their meaning. The others are not wrapped: the
// ErrNotFound of a login database is not that of an export.
func authenticationError(err error) error {
	switch {
	case errors.Is(err, ErrUnauthorized):
		return ErrUnauthorized
	case errors.Is(err, dataexport.ErrUnavailable):
		return fmt.Errorf("%w: Authenticate: %s", dataexport.ErrUnavailable, err.Error())
	}
	return fmt.Errorf("httpadapter: Authenticate: %s", err.Error())
}
