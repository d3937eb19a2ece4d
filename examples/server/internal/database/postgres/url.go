package postgres

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
)

const (
	// connectTimeout is how long a connection may take to come about, unless the URL says otherwise.
	connectTimeout = 5 * time.Second
	// A connection on which nothing comes for about half a minute is probed, so that a server whose machine is gone
	// without a word is noticed.
	probeAfter, probeEvery, probes = 15 * time.Second, 5 * time.Second, 3
)

var errURL = errors.New("-store cannot be read; its form is postgres://USER:PASSWORD@HOST:PORT/DATABASE, and in a password the " +
	"signs : / ? # [ ] @ % are written %3A %2F %3F %23 %5B %5D %40 %25")

// CheckURL returns what is wrong with the URL of a database. It never shows a password.
func CheckURL(text string) error {
	_, err := parseURL(text)
	return err
}

// parseURL reads the URL, in which everything that libpq and package pgxpool know can be set, and the environment variables
// of libpq.
func parseURL(text string) (*pgxpool.Config, error) {
	if !strings.HasPrefix(text, "postgres://") && !strings.HasPrefix(text, "postgresql://") {
		return nil, errors.New("-store must be the URL of a PostgreSQL database, postgres://USER:PASSWORD@HOST:PORT/DATABASE; without -store there is SQLite")
	}
	// Where the URL is not clear nothing of it may be shown, for the piece that a message would show may be one of the
	// password. An @ behind the host means that the password had a sign in it that ends the host.
	parsed, err := url.Parse(text)
	if err != nil || strings.Contains(parsed.Path+parsed.RawQuery+parsed.Fragment, "@") || parsed.Fragment != "" {
		return nil, errURL
	}
	config, err := pgxpool.ParseConfig(text)
	if err != nil {
		return nil, fmt.Errorf("-store: %w", withoutPassword(err, parsed))
	}
	set := parsed.Query()
	if !set.Has("connect_timeout") {
		config.ConnConfig.ConnectTimeout = connectTimeout
	}
	dialer := net.Dialer{
		Timeout:         config.ConnConfig.ConnectTimeout,
		KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: probeAfter, Interval: probeEvery, Count: probes},
	}
	config.ConnConfig.DialFunc = func(ctx context.Context, network, address string) (net.Conn, error) {
		return dialer.DialContext(ctx, network, address)
	}
	if !set.Has("application_name") {
		config.ConnConfig.RuntimeParams["application_name"] = "dataexport-server"
	}
	return config, nil
}

// withoutPassword returns an error with the message of another, in which package pgconn has masked the password already.
func withoutPassword(err error, parsed *url.URL) error {
	message := err.Error()
	password, _ := parsed.User.Password()
	for _, secret := range []string{password, parsed.Query().Get("password"), parsed.Query().Get("sslpassword")} {
		if secret != "" {
			message = strings.ReplaceAll(message, secret, "xxxxx")
		}
	}
	return errors.New(strings.ReplaceAll(message, "\n", " "))
}
