//go:build unix

package fileblob_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dataexport/dataexport"
	"github.com/dataexport/dataexport/store/fileblob"
)

// These tests need processes of their own: to kill, and for what holds for a whole process (the umask, limits). They run
// this test binary again, which TestMain then makes the child named by the environment, in the directory of the store.
const childVariable = "FILEBLOB_TEST_CHILD"

func TestMain(m *testing.M) {
	children := map[string]func(*fileblob.Store) error{
		"half":  childHalf,
		"loop":  childLoop,
		"limit": childLimit,
		"umask": childUmask,
	}
	name := os.Getenv(childVariable)
	if name == "" {
		os.Exit(m.Run())
	}
	if err := runChild(name, children[name]); err != nil {
		fmt.Println("child failed:", err)
		os.Exit(1)
	}
}

func runChild(name string, child func(*fileblob.Store) error) error {
	if name == "umask" {
		return child(nil) // makes its store under that umask
	}
	s, err := fileblob.New(".")
	if err != nil {
		return err
	}
	return errors.Join(child(s), s.Close())
}

func childCommand(t *testing.T, name, dir string) *exec.Cmd {
	t.Helper()
	binary, err := os.Executable()
	require.NoError(t, err)
	command := exec.CommandContext(t.Context(), binary)
	command.Env = append(os.Environ(), childVariable+"="+name)
	command.Dir = dir
	command.Stderr = os.Stderr
	return command
}

const half = 1 << 20 // bytes

// childHalf puts one blob and half of another, says so and waits to be killed.
func childHalf(s *fileblob.Store) error {
	if err := s.Put(context.Background(), "job/1", dataexport.Format{}, text("whole")); err != nil {
		return err
	}
	return s.Put(context.Background(), "job/2", dataexport.Format{}, func(w io.Writer) error {
		if _, err := w.Write(make([]byte, half)); err != nil {
			return err
		}
		fmt.Println("half")
		_, err := io.Copy(io.Discard, os.Stdin) // does not end
		return err
	})
}

func TestKilledInTheMiddle(t *testing.T) {
	dir := t.TempDir()
	lines, kill := startChild(t, "half", dir)
	require.True(t, lines.Scan())
	require.Equal(t, "half", lines.Text())
	kill()

	s := newStore(t, dir)
	assert.Equal(t, "whole", read(t, s, "job/1"))
	_, err := s.Open(t.Context(), "job/2")
	require.ErrorIs(t, err, dataexport.ErrNotFound)
	infos := list(t, s, "job/2")
	require.Len(t, infos, 1)
	assert.True(t, infos[0].Unfinished)
	assert.Equal(t, int64(half), infos[0].Size)

	put(t, s, "job/2", "second attempt")
	assert.Equal(t, "second attempt", read(t, s, "job/2"))
	require.NoError(t, s.Delete(t.Context(), "job/2"))
	assert.Equal(t, []string{"job/", "job/1+blob"}, tree(t, dir))
}

// startChild starts a child whose standard input stays open. The function that it returns kills it (SIGKILL).
func startChild(t *testing.T, name, dir string) (lines *bufio.Scanner, kill func()) {
	t.Helper()
	command := childCommand(t, name, dir)
	_, err := command.StdinPipe()
	require.NoError(t, err)
	output, err := command.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, command.Start())
	return bufio.NewScanner(output), func() {
		require.NoError(t, command.Process.Kill())
		var exit *exec.ExitError
		require.ErrorAs(t, command.Wait(), &exit)
		require.Equal(t, syscall.SIGKILL, exit.Sys().(syscall.WaitStatus).Signal())
	}
}

func loopContent(i int) string { return strings.Repeat(fmt.Sprintf("%08d", i), 1000+i%7*3000) }

func loopKey(i int) string { return fmt.Sprintf("job%d/%d", i/5, i%5) }

// childLoop puts blob after blob in two goroutines and says of each that it is there.
func childLoop(s *fileblob.Store) error {
	failed := make(chan error)
	for first := range 2 {
		go func() {
			for i := first; ; i += 2 {
				if err := s.Put(context.Background(), loopKey(i), dataexport.Format{}, text(loopContent(i))); err != nil {
					failed <- err
					return
				}
				fmt.Println(i)
			}
		}()
	}
	return <-failed
}

// Wherever SIGKILL strikes, each blob that Put has returned for is there, and none is there in part.
func TestKilledAnywhere(t *testing.T) {
	for round := range 6 {
		dir := t.TempDir()
		lines, kill := startChild(t, "loop", dir)
		var done []int
		for range 1 + round*13 {
			require.True(t, lines.Scan())
			var i int
			_, err := fmt.Sscan(lines.Text(), &i)
			require.NoError(t, err, lines.Text())
			done = append(done, i)
		}
		kill()

		s := newStore(t, dir)
		for _, i := range done {
			require.Equal(t, loopContent(i), read(t, s, loopKey(i)))
		}
		for _, info := range list(t, s, "") {
			if !info.Unfinished {
				var job, version int
				_, err := fmt.Sscanf(info.Key, "job%d/%d", &job, &version)
				require.NoError(t, err)
				require.Equal(t, loopContent(job*5+version), read(t, s, info.Key))
			}
			require.NoError(t, s.Delete(t.Context(), info.Key))
		}
		for _, path := range tree(t, dir) { // a kill just after Mkdir leaves a directory, which its next Delete removes
			require.NoError(t, s.Delete(t.Context(), path+"1"))
		}
		require.Empty(t, tree(t, dir))
	}
}

// childLimit puts a blob that is larger than this process may write, which fails as a full disk does.
func childLimit(s *fileblob.Store) error {
	limit := syscall.Rlimit{Cur: half, Max: half}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		return err
	}
	for name, write := range map[string]func(io.Writer) error{
		"passed":    text(strings.Repeat("x", half+1)),
		"swallowed": func(w io.Writer) error { _ = text(strings.Repeat("x", half+1))(w); return nil },
	} {
		for _, key := range []string{"job/1", "new/1"} {
			if err := s.Put(context.Background(), key, dataexport.Format{}, write); !errors.Is(err, syscall.EFBIG) {
				return fmt.Errorf("an error that is %s: Put %q returns %w, want EFBIG", name, key, err)
			}
		}
	}
	return nil
}

func TestWriteFails(t *testing.T) {
	dir := t.TempDir()
	s := newStore(t, dir)
	put(t, s, "job/1", "old")
	output, err := childCommand(t, "limit", dir).Output()
	require.NoError(t, err, "%s", output)
	assert.Equal(t, []string{"job/", "job/1+blob"}, tree(t, dir))
	assert.Equal(t, "old", read(t, s, "job/1"))
}

const nobody = 65534

// childUmask puts a blob under each of some umasks, as no superuser if it can, and prints all modes before the commit and after.
func childUmask(*fileblob.Store) error {
	if os.Geteuid() == 0 {
		_ = errors.Join(syscall.Setgid(nobody), syscall.Setuid(nobody)) // a sandbox may forbid it
	}
	for _, umask := range []int{0, 0o022, 0o777} {
		syscall.Umask(umask)
		base := fmt.Sprintf("umask-%03o", umask)
		s, err := fileblob.New(filepath.Join(base, "exports"))
		if err != nil {
			return err
		}
		err = s.Put(context.Background(), "a/b/1", dataexport.Format{}, func(w io.Writer) error {
			return errors.Join(text("one")(w), printModes(base))
		})
		if err := errors.Join(err, printModes(base), s.Close()); err != nil {
			return err
		}
	}
	return nil
}

func printModes(dir string) error {
	return filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err == nil {
			fmt.Println(info.Mode(), path)
		}
		return err
	})
}

func TestModes(t *testing.T) {
	dir := t.TempDir()
	if os.Geteuid() == 0 {
		require.NoError(t, os.Chown(dir, nobody, nobody))
	}
	output, err := childCommand(t, "umask", dir).Output()
	require.NoError(t, err, "%s", output)
	lines := strings.Split(strings.TrimSpace(string(output)), "\n")
	require.Len(t, lines, 3*2*5, "%s", output) // umasks, times, and four directories and a file
	for _, line := range lines {
		want := "drwx------ "
		if strings.Contains(line, "+") {
			want = "-rw------- "
		}
		assert.True(t, strings.HasPrefix(line, want), "%s", line)
	}
}
