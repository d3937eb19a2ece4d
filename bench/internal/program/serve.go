package program

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"net"
	"net/http"
	"os/exec"
	"strings"
	"time"

	"github.com/dataexport/dataexport"
	"github.com/dataexport/dataexport/bench/internal/records"
	"github.com/dataexport/dataexport/httpadapter"
	"github.com/dataexport/dataexport/memory"
	"github.com/dataexport/dataexport/store/fileblob"
	"github.com/dataexport/dataexport/store/memstore"
)

// serve does one export, says under which URL it can be downloaded, and serves it until stdin ends. Whoever asks is let in.
func serve(ctx context.Context, task *Task, stdin io.Reader, stdout io.Writer) error {
	service, err := newService(task)
	if err != nil {
		return err
	}
	scope := dataexport.Scope{WorkspaceID: records.Workspace, Subject: "bench"}
	_, _, err = service.Create(ctx, dataexport.CreateRequest{Scope: scope, Format: task.Format})
	if err != nil {
		return err
	}
	job, err := service.Runner().RunNext(ctx)
	if err != nil {
		return err
	}
	if job.Status != dataexport.StatusReady {
		return fmt.Errorf("program: the export is %s: %v", job.Status, job.Error)
	}
	handler := httpadapter.New(service, httpadapter.Options{Authenticate: func(*http.Request) (httpadapter.Principal, error) {
		return httpadapter.Principal{WorkspaceID: scope.WorkspaceID, Subject: scope.Subject, Permissions: []httpadapter.Permission{httpadapter.PermissionRead}}, nil
	}})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	go func() {
		_, _ = io.Copy(io.Discard, stdin) // until whoever has started this process lets go of it
		_ = server.Close()
	}()
	fmt.Fprintf(stdout, "http://%s/exports/%s/download\n", listener.Addr(), job.ID)
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

func newService(task *Task) (*dataexport.Service, error) {
	blobs, err := fileblob.New(task.Output)
	if err != nil {
		return nil, err
	}
	r, err := rendererOf(task.Format)
	if err != nil {
		return nil, err
	}
	return dataexport.New(dataexport.Config{
		Datasets:  []dataexport.Dataset{generated(task.Records)},
		Renderers: []dataexport.Renderer{r},
		Store:     memstore.New(),
		Blobs:     blobs,
		Logger:    slog.New(slog.DiscardHandler),
	})
}

// generated makes a dataset of records that are made while they are asked for.
func generated(n int) dataexport.Dataset {
	return memory.Dataset(func(context.Context, dataexport.Query) iter.Seq2[*memory.Record, error] {
		return func(yield func(*memory.Record, error) bool) {
			generator := records.NewGenerator(records.Dirty)
			for range n {
				if r := generator.Next(); !yield(&r, nil) {
					return
				}
			}
		}
	})
}

// A Server is a process that serves an export.
type Server struct {
	URL     string // of the download
	command *exec.Cmd
	stdin   io.Closer
}

// StartServer starts a process that serves an export of generated records, and keeps it in a directory.
func StartServer(ctx context.Context, task Task) (*Server, error) {
	task.Program = "serve"
	command, err := command(ctx, task)
	if err != nil {
		return nil, err
	}
	stdin, err := command.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	var stderr strings.Builder
	command.Stderr = &stderr
	if err := command.Start(); err != nil {
		return nil, err
	}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		return nil, errors.Join(fmt.Errorf("program: the server does not start: %w", err), stdin.Close(), command.Wait(), errors.New(stderr.String()))
	}
	return &Server{URL: strings.TrimSpace(line), command: command, stdin: stdin}, nil
}

// Stop ends the process.
func (s *Server) Stop() error { return errors.Join(s.stdin.Close(), s.command.Wait()) }
