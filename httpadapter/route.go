package httpadapter

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// An endpoint is what one method does on one path.
type endpoint struct {
	permission Permission
	serve      func(*handler, *call) error
}

// methods are the endpoints of a path.
type methods map[string]endpoint

// allow returns the value of the Allow header (RFC 9110, section 10.2.1).
func (m methods) allow() string {
	return strings.Join(slices.Sorted(maps.Keys(m)), ", ")
}

// The paths, as tables of constants.
var (
	exportsPath = methods{
		http.MethodGet:  {PermissionRead, (*handler).list},
		http.MethodHead: {PermissionRead, (*handler).list},
		http.MethodPost: {PermissionWrite, (*handler).create},
	}
	exportPath = methods{
		http.MethodGet:    {PermissionRead, (*handler).get},
		http.MethodHead:   {PermissionRead, (*handler).get},
		http.MethodDelete: {PermissionWrite, (*handler).delete},
	}
	downloadPath = methods{
		http.MethodGet:  {PermissionRead, (*handler).download},
		http.MethodHead: {PermissionRead, (*handler).download},
	}
)

// route finds the endpoints of a URL and the job id in it. It is written by hand because http.ServeMux cleans paths by
// redirects, which know nothing of the prefix that was stripped. The path is split while it is still escaped, so that an
// escaped slash is a part of an id.
func route(u *url.URL) (m methods, id string, found bool) {
	segments := strings.Split(u.EscapedPath(), "/")
	for i, segment := range segments {
		plain, err := url.PathUnescape(segment)
		if err != nil {
			return nil, "", false
		}
		segments[i] = plain
	}
	if len(segments) < 2 || len(segments) > 4 || segments[0] != "" || segments[1] != "exports" {
		return nil, "", false
	}
	if len(segments) == 2 {
		return exportsPath, "", true
	}
	if id = segments[2]; id == "" {
		return nil, "", false
	}
	if len(segments) == 3 {
		return exportPath, id, true
	}
	if segments[3] != "download" {
		return nil, "", false
	}
	return downloadPath, id, true
}
