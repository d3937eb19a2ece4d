package program

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"

	"github.com/dataexport/dataexport/bench/internal/race"
)

// Foreign makes a side of a program that is not ours. It writes the file itself, or its output is made the file.
func Foreign(name, file string, captured bool, path string, arguments ...string) race.Side {
	return race.Side{Name: name, Run: func(ctx context.Context) (sample race.Sample, err error) {
		if err := os.Remove(file); err != nil && !errors.Is(err, os.ErrNotExist) {
			return race.Sample{}, err
		}
		command := exec.CommandContext(ctx, path, arguments...)
		if captured {
			output, err := os.Create(file)
			if err != nil {
				return race.Sample{}, err
			}
			defer func() { err = errors.Join(err, output.Close()) }()
			command.Stdout = output
		}
		_, elapsed, err := run(command)
		if err != nil {
			return race.Sample{}, err
		}
		info, err := os.Stat(file)
		if err != nil {
			return race.Sample{}, err
		}
		return race.Sample{Time: elapsed, Bytes: info.Size()}, nil
	}}
}

// FindPsql returns where psql is. Distributions put a script of that name in front of the versions that are installed; to
// start the script takes longer than to start psql.
func FindPsql() (string, error) {
	path, err := exec.LookPath("psql")
	if err != nil {
		return "", err
	}
	target, err := filepath.EvalSymlinks(path)
	if err != nil || filepath.Base(target) != "pg_wrapper" {
		return path, nil
	}
	versions, err := filepath.Glob("/usr/lib/postgresql/*/bin/psql")
	if err != nil || len(versions) == 0 {
		return path, nil
	}
	return slices.Max(versions), nil
}
