package cloudblob_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gocloud.dev/blob/fileblob"
	"gocloud.dev/blob/memblob"

	"github.com/dataexport/dataexport"
	"github.com/dataexport/dataexport/store/cloudblob"
	"github.com/dataexport/dataexport/store/cloudblob/s3test"
)

func signing(expiry time.Duration) dataexport.SignedURLOptions {
	return dataexport.SignedURLOptions{
		Expiry: expiry, ContentType: "text/csv; charset=utf-8", ContentDisposition: `attachment; filename="memories 2026.csv"`,
	}
}

// get fetches a URL as anybody would.
func get(ctx context.Context, t *testing.T, address string) (*http.Response, []byte) {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	require.NoError(t, err)
	response, err := client.Do(request)
	require.NoError(t, err)
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	return response, body
}

func TestSignURL(t *testing.T) {
	onServers(t, func(t *testing.T, server *s3test.Server) {
		bucket, wire := through(t, server, nil)
		store := withStorage(t, bucket)
		require.NoError(t, put(t.Context(), store, "job/1", content(1000)))
		wire.take()
		signed, err := store.SignURL(t.Context(), "job/1", signing(7*24*time.Hour))
		require.NoError(t, err)
		assert.Empty(t, wire.take())
		parsed, err := url.Parse(signed)
		require.NoError(t, err)
		assert.Equal(t, "604800", parsed.Query().Get("X-Amz-Expires"))
		assert.Equal(t, "text/csv; charset=utf-8", parsed.Query().Get("response-content-type"))
		assert.Equal(t, `attachment; filename="memories 2026.csv"`, parsed.Query().Get("response-content-disposition"))

		response, body := get(t.Context(), t, signed)
		assert.Equal(t, http.StatusOK, response.StatusCode)
		assert.Equal(t, content(1000), body)
		// Without headers of its own a URL answers with those of the object.
		plain, err := store.SignURL(t.Context(), "job/1", dataexport.SignedURLOptions{Expiry: time.Minute})
		require.NoError(t, err)
		response, _ = get(t.Context(), t, plain)
		assert.Equal(t, `attachment; filename="export.csv"`, response.Header.Get("Content-Disposition"))
	})
}

// What only a real server does: the headers that the URL asks for, expiry, and a signature that covers them.
func TestSignedURLOnGateway(t *testing.T) {
	server := s3test.StartGateway(t)
	store := withStorage(t, server.OpenBucket(t))
	require.NoError(t, put(t.Context(), store, "job/1", content(1000)))
	signed, err := store.SignURL(t.Context(), "job/1", signing(time.Minute))
	require.NoError(t, err)
	response, body := get(t.Context(), t, signed)
	assert.Equal(t, http.StatusOK, response.StatusCode)
	assert.Equal(t, "text/csv; charset=utf-8", response.Header.Get("Content-Type"))
	assert.Equal(t, `attachment; filename="memories 2026.csv"`, response.Header.Get("Content-Disposition"))
	assert.Equal(t, content(1000), body)

	parsed, err := url.Parse(signed)
	require.NoError(t, err)
	query := parsed.Query()
	query.Set("response-content-type", "text/html")
	parsed.RawQuery = query.Encode()
	response, _ = get(t.Context(), t, parsed.String())
	assert.Equal(t, http.StatusForbidden, response.StatusCode)

	short, err := store.SignURL(t.Context(), "job/1", signing(time.Second))
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for ticker := time.NewTicker(100 * time.Millisecond); ; <-ticker.C {
		if response, _ = get(ctx, t, short); response.StatusCode != http.StatusOK {
			ticker.Stop()
			break
		}
	}
	assert.Equal(t, http.StatusForbidden, response.StatusCode)
}

func TestCannotSign(t *testing.T) {
	files, err := fileblob.OpenBucket(t.TempDir(), nil)
	require.NoError(t, err)
	for name, store := range map[string]*cloudblob.Store{
		"memory": cloudblob.New(closing(t, memblob.OpenBucket(nil)), cloudblob.Options{}),
		"files":  cloudblob.New(closing(t, files), cloudblob.Options{}),
	} {
		_, err := store.SignURL(t.Context(), "job/1", signing(time.Minute))
		require.ErrorIs(t, err, errors.ErrUnsupported, name)
	}
	store := withStorage(t, s3test.Start(t).OpenBucket(t))
	for _, expiry := range []time.Duration{0, -time.Second, cloudblob.MaxExpiry + 1} {
		_, err := store.SignURL(t.Context(), "job/1", signing(expiry))
		require.ErrorIs(t, err, dataexport.ErrInvalid, expiry)
	}
	_, err = store.SignURL(t.Context(), "../1", signing(time.Minute))
	require.ErrorIs(t, err, dataexport.ErrInvalid)
}

// A host can put into a URL what its driver knows of; its error is that of SignURL.
func TestBeforeSign(t *testing.T) {
	bucket := s3test.Start(t).OpenBucket(t)
	want := signing(time.Minute)
	var got dataexport.SignedURLOptions
	store := cloudblob.New(bucket, cloudblob.Options{BeforeSign: func(_ func(any) bool, o dataexport.SignedURLOptions) error {
		got = o
		return errTest
	}})
	_, err := store.SignURL(t.Context(), "job/1", want)
	require.ErrorIs(t, err, errTest)
	assert.Equal(t, want, got)
}
