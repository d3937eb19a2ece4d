package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/dataexport/dataexport/bench/internal/nginx"
	"github.com/dataexport/dataexport/bench/internal/program"
	"github.com/dataexport/dataexport/bench/internal/race"
)

const downloadServer = "dataexport, GET /exports/{id}/download"

// runDownload downloads an export from our server and the same bytes from nginx.
func runDownload(ctx context.Context, b *bench) (err error) {
	ratio := race.Ratio{Name: "download/nginx", Target: 0.75, Ours: downloadServer, Theirs: []string{"nginx"}}
	path, err := findNginx()
	if err != nil {
		b.skip(fmt.Sprintf("nginx is missing: %v", err), ratio)
		return nil
	}
	count := b.pick(100_000, 1*million)
	store := filepath.Join(b.directory, "blobs")
	ours, err := program.StartServer(ctx, program.Task{Format: "json", Output: store, Records: count})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, ours.Stop(), os.RemoveAll(store)) }()
	blob, err := findBlob(store)
	if err != nil {
		return err
	}
	theirs, err := nginx.Start(ctx, path, filepath.Join(b.directory, "nginx"), blob)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, theirs.Stop()) }()
	return b.run(ctx, &race.Race{
		Title: "Download of a file of JSON", Records: count, Ratios: []race.Ratio{ratio},
		Sides: []race.Side{downloadSide(downloadServer, ours.URL), downloadSide("nginx", theirs.URL)},
	}, b.inMemory())
}

// findNginx returns where nginx is. Its folder is not always among those that are looked through for commands.
func findNginx() (string, error) {
	path, err := exec.LookPath("nginx")
	if err != nil {
		if other, otherErr := exec.LookPath("/usr/sbin/nginx"); otherErr == nil {
			return other, nil
		}
	}
	return path, err
}

// findBlob returns the one file under a directory.
func findBlob(directory string) (name string, err error) {
	err = filepath.WalkDir(directory, func(path string, entry os.DirEntry, err error) error {
		if err == nil && entry.Type().IsRegular() {
			name = path
		}
		return err
	})
	if err == nil && name == "" {
		err = fmt.Errorf("there is no file in %s", directory)
	}
	return name, err
}

// downloadSide downloads a URL over a connection that stays open.
func downloadSide(name, url string) race.Side {
	client := &http.Client{Transport: &http.Transport{DisableCompression: true, ReadBufferSize: 256 << 10}}
	buffer := make([]byte, 1<<20)
	return race.Side{Name: name, Run: func(ctx context.Context) (race.Sample, error) {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return race.Sample{}, err
		}
		start := time.Now()
		response, err := client.Do(request)
		if err != nil {
			return race.Sample{}, err
		}
		defer response.Body.Close()
		if response.StatusCode != http.StatusOK {
			return race.Sample{}, fmt.Errorf("%s answers %s", url, response.Status)
		}
		n, err := io.CopyBuffer(&race.Discard{}, response.Body, buffer)
		return race.Sample{Time: time.Since(start), Bytes: n}, err
	}}
}
