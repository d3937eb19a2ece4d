package postgrestest

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"strconv"
	"syscall"
	"time"
)

const canStart = true

// prefix begins the names of the directories of clusters.
const prefix = "dataexport-pg-"

// longestDirectory leaves room for the name of the socket in the 107 bytes that the kernel has for its path (unix(7)).
const longestDirectory = 80

// stopTimeout is how long a server may take to shut down before it is killed.
const stopTimeout = 30 * time.Second

// makeDirectory makes a private directory for a cluster. The lock shows others, for as long as this process lives, that it
// is in use.
func makeDirectory() (directory string, lock *os.File, err error) {
	parent := os.TempDir()
	if len(parent)+len(prefix)+10 > longestDirectory {
		parent = "/tmp"
	}
	if directory, err = os.MkdirTemp(parent, prefix); err != nil {
		return "", nil, err
	}
	defer func() {
		if err != nil {
			_ = os.RemoveAll(directory)
		}
	}()
	if lock, err = lockDirectory(directory); err != nil {
		return "", nil, err
	}
	owner, err := credential()
	if err == nil && owner != nil {
		err = os.Chown(directory, int(owner.Uid), int(owner.Gid))
	}
	if err != nil {
		return "", nil, errors.Join(err, lock.Close())
	}
	return directory, lock, nil
}

// lockDirectory gives the lock its name once it is held, so that nobody finds one that is not held yet.
func lockDirectory(directory string) (*os.File, error) {
	lock, err := os.Create(filepath.Join(directory, "lock.new"))
	if err != nil {
		return nil, err
	}
	err = syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if err == nil {
		err = os.Rename(lock.Name(), filepath.Join(directory, "lock"))
	}
	if err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	return lock, nil
}

// removeLeftovers removes the directories of processes that were killed.
func removeLeftovers() {
	locks, _ := filepath.Glob(filepath.Join(os.TempDir(), prefix+"*", "lock")) // it fails for a bad pattern alone
	for _, path := range locks {
		lock, err := os.Open(path)
		if err != nil {
			continue // it is another user's, or was removed meanwhile
		}
		if syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil {
			_ = os.RemoveAll(filepath.Dir(path)) // the next may succeed
		}
		_ = lock.Close()
	}
}

// credential returns the user that a server runs as, or nil for that of this process.
func credential() (*syscall.Credential, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	account, err := user.Lookup("postgres")
	if err != nil {
		account, err = user.Lookup("nobody")
	}
	if err != nil {
		return nil, fmt.Errorf("PostgreSQL does not run as root, and there is no user for it: %w", err)
	}
	uid, uidErr := strconv.ParseUint(account.Uid, 10, 32)
	gid, gidErr := strconv.ParseUint(account.Gid, 10, 32)
	if err := errors.Join(uidErr, gidErr); err != nil {
		return nil, err
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
}

// command returns a command that the kernel ends together with the thread that starts it. It does not look at the
// environment of the tests, in which variables such as PGDATA or a language could change what it does.
func command(path string, arguments ...string) (*exec.Cmd, error) {
	owner, err := credential()
	if err != nil {
		return nil, err
	}
	c := exec.Command(path, arguments...)
	c.Dir = "/"
	c.Env = []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C", "TZ=UTC"}
	c.SysProcAttr = &syscall.SysProcAttr{Credential: owner, Pdeathsig: syscall.SIGQUIT, Setpgid: true}
	return c, nil
}

// runToEnd runs a program and waits for it.
func runToEnd(path string, arguments ...string) error {
	c, err := command(path, arguments...)
	if err != nil {
		return err
	}
	runtime.LockOSThread() // the thread must live as long as the program
	defer runtime.UnlockOSThread()
	if out, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", path, err, out)
	}
	return nil
}

// A process is a server that runs.
type process struct {
	command *exec.Cmd
	done    chan struct{} // closed when it has ended
	err     error         // how it has ended, once done is closed
}

// startProcess starts a server that appends what it says to a file.
func startProcess(path, logFile string, arguments ...string) (*process, error) {
	c, err := command(path, arguments...)
	if err != nil {
		return nil, err
	}
	log, err := os.OpenFile(logFile, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	c.Stdout, c.Stderr = log, log
	p := &process{command: c, done: make(chan struct{})}
	started := make(chan error)
	go func() {
		// The signal of the parent's death comes when the thread ends that has started the child, so this one stays.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		defer log.Close()
		err := c.Start()
		started <- err
		if err == nil {
			p.err = c.Wait()
			close(p.done)
		}
	}()
	return p, <-started
}

// stop ends the server as its documentation says ("Shutting Down the Server"), or kills it if that takes too long.
func (p *process) stop(how Shutdown) error {
	signal := syscall.SIGINT
	if how == Immediate {
		signal = syscall.SIGQUIT
	}
	if err := p.command.Process.Signal(signal); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("postgrestest: stopping the server: %w", err)
	}
	timer := time.NewTimer(stopTimeout)
	defer timer.Stop()
	select {
	case <-p.done:
		return nil
	case <-timer.C:
	}
	err := syscall.Kill(-p.command.Process.Pid, syscall.SIGKILL) // the group: a postmaster that is killed leaves others behind
	<-p.done
	return errors.Join(fmt.Errorf("postgrestest: the server had not shut down after %s and was killed", stopTimeout), err)
}
