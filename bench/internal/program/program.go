// Package program has the programs that are measured as processes of their own, so that starting them counts, as it does
// for psql, and the memory that they need is theirs alone. They are in the same binary as everything else: it starts
// itself.
package program

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"

	"github.com/dataexport/dataexport/bench/internal/race"
)

// argument is the first argument of a process that does a task.
const argument = "bench-program"

// A Task is what a program is to do.
type Task struct {
	Program     string // "postgres", "typical", "sqlite" or "serve"
	Database    string // a URL, or the name of a file
	Format      string // of the export
	Output      string // the file to write, or the directory to serve
	Records     int    // how many records to make and serve
	Pages       bool   // read PostgreSQL in pages by key, not in one statement
	Connections int    // how many read PostgreSQL in one snapshot; 0 is one
	Unhashed    bool   // leave the SHA-256 of the file out
}

// A report is what a program says at its end.
type report struct {
	Bytes      int64
	PeakMemory int64
}

// Main does the task that the arguments of the process name. It returns false if they name none. A program calls it first.
func Main() bool {
	if len(os.Args) != 3 || os.Args[1] != argument {
		return false
	}
	var task Task
	err := json.Unmarshal([]byte(os.Args[2]), &task)
	if err == nil {
		err = do(context.Background(), &task, os.Stdin, os.Stdout)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	return true
}

func do(ctx context.Context, task *Task, stdin io.Reader, stdout io.Writer) error {
	switch task.Program {
	case "postgres":
		return finish(stdout)(toFile(task.Output, func(w io.Writer) (int64, error) { return exportPostgres(ctx, w, task) }))
	case "sqlite":
		return finish(stdout)(toFile(task.Output, func(w io.Writer) (int64, error) { return exportSQLite(ctx, w, task) }))
	case "typical":
		return finish(stdout)(toFile(task.Output, func(w io.Writer) (int64, error) { return exportTypically(ctx, w, task) }))
	case "serve":
		return serve(ctx, task, stdin, stdout)
	}
	return fmt.Errorf("program: there is no program %q", task.Program)
}

// finish returns a function that writes the report of a program.
func finish(stdout io.Writer) func(int64, error) error {
	return func(size int64, err error) error {
		if err != nil {
			return err
		}
		return json.NewEncoder(stdout).Encode(report{Bytes: size, PeakMemory: peakMemory()})
	}
}

// toFile writes a file.
func toFile(name string, write func(io.Writer) (int64, error)) (int64, error) {
	file, err := os.Create(name)
	if err != nil {
		return 0, err
	}
	n, err := write(file)
	return n, errors.Join(err, file.Close())
}

// Side makes a side of a task.
func Side(name string, task Task) race.Side {
	return race.Side{Name: name, Run: func(ctx context.Context) (race.Sample, error) {
		if err := os.Remove(task.Output); err != nil && !errors.Is(err, os.ErrNotExist) {
			return race.Sample{}, err
		}
		command, err := command(ctx, task)
		if err != nil {
			return race.Sample{}, err
		}
		output, elapsed, err := run(command)
		if err != nil {
			return race.Sample{}, err
		}
		var said report
		if err := json.Unmarshal(output, &said); err != nil {
			return race.Sample{}, fmt.Errorf("the report %q: %w", output, err)
		}
		return race.Sample{Time: elapsed, Bytes: said.Bytes, PeakMemory: said.PeakMemory}, nil
	}}
}

// command returns the command that does a task.
func command(ctx context.Context, task Task) (*exec.Cmd, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(task)
	if err != nil {
		return nil, err
	}
	return exec.CommandContext(ctx, self, argument, string(text)), nil
}

// run runs a command to its end.
func run(command *exec.Cmd) (output []byte, elapsed time.Duration, err error) {
	var stderr, stdout bytes.Buffer
	command.Stderr = &stderr
	if command.Stdout == nil {
		command.Stdout = &stdout
	}
	start := time.Now()
	if err := command.Run(); err != nil {
		return nil, 0, fmt.Errorf("%s: %w: %s", command.Path, err, stderr.Bytes())
	}
	return stdout.Bytes(), time.Since(start), nil
}
