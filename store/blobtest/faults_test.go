package blobtest_test

import (
	"cmp"
	"context"
	"errors"
	"io"
	"iter"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/dataexport/dataexport"
)

type (
	putFunc = func(context.Context, string, dataexport.Format, func(io.Writer) error) error
	info    = dataexport.BlobInfo
)

// A fault changes a store, and fails these subtests of the suite at least.
type fault struct {
	change func(s *store)
	fails  []string
}

func faults() map[string]fault {
	return map[string]fault{
		"commits although write fails": {
			change: func(s *store) {
				good := s.put
				s.put = func(ctx context.Context, key string, f dataexport.Format, write func(io.Writer) error) (failure error) {
					err := good(ctx, key, f, func(w io.Writer) error { failure = write(w); return nil })
					return cmp.Or(failure, err)
				}
			},
			fails: []string{"failure/error_after_some_bytes", "failure/error_keeps_the_old_blob"},
		},
		"hides the error of write": {
			change: func(s *store) {
				replacePut(s, func(good putFunc, ctx context.Context, key string, f dataexport.Format, write func(io.Writer) error) error {
					if good(ctx, key, f, write) != nil {
						return io.ErrUnexpectedEOF
					}
					return nil
				})
			},
			fails: []string{"failure/error_before_the_first_byte", "failure/cancelled_during", "keys/invalid"},
		},
		"recovers from a panic": {
			change: func(s *store) {
				replacePut(s, func(good putFunc, ctx context.Context, key string, f dataexport.Format, write func(io.Writer) error) (err error) {
					defer func() {
						if recover() != nil {
							err = io.ErrUnexpectedEOF
						}
					}()
					return good(ctx, key, f, write)
				})
			},
			fails: []string{"failure/panic", "failure/panic_keeps_the_old_blob"},
		},
		"commits after the end of the context": {
			change: func(s *store) {
				replacePut(s, func(good putFunc, ctx context.Context, key string, f dataexport.Format, write func(io.Writer) error) error {
					if ctx.Err() != nil {
						return context.Cause(ctx)
					}
					return good(context.WithoutCancel(ctx), key, f, write)
				})
			},
			fails: []string{"failure/cancelled_during", "failure/cancelled_after_the_last_write", "failure/cancelled_keeps_the_old_blob"},
		},
		"returns context.Canceled and not the cause": {
			change: func(s *store) {
				replacePut(s, func(good putFunc, ctx context.Context, key string, f dataexport.Format, write func(io.Writer) error) error {
					err := good(ctx, key, f, write)
					if ctx.Err() != nil {
						return ctx.Err()
					}
					return err
				})
			},
			fails: []string{"failure/cancelled_before", "failure/cancelled_after_the_last_write"},
		},
		"shows a blob before it is whole": {
			change: func(s *store) {
				replacePut(s, func(good putFunc, ctx context.Context, key string, f dataexport.Format, write func(io.Writer) error) error {
					if err := good(ctx, key, f, func(io.Writer) error { return nil }); err != nil {
						return err
					}
					return good(ctx, key, f, write)
				})
			},
			fails: []string{"put/invisible_until_committed", "put/old_blob_until_committed", "failure/error_after_some_bytes"},
		},
		"keeps the first blob": {
			change: func(s *store) {
				replacePut(s, func(good putFunc, ctx context.Context, key string, f dataexport.Format, write func(io.Writer) error) error {
					if b, err := s.open(ctx, key); err == nil {
						return errors.Join(b.Close(), write(io.Discard))
					}
					return good(ctx, key, f, write)
				})
			},
			fails: []string{"put/replaces_the_blob"},
		},
		"opens nothing without an error that is ErrNotFound": {
			change: func(s *store) {
				good := s.open
				s.open = func(ctx context.Context, key string) (dataexport.Blob, error) {
					b, err := good(ctx, key)
					if errors.Is(err, dataexport.ErrNotFound) {
						return nil, os.ErrNotExist
					}
					return b, err
				}
			},
			fails: []string{"read/not_found", "delete/removes_the_blob"},
		},
		"cannot seek": {
			change: func(s *store) { wrapBlobs(s, func(b dataexport.Blob) dataexport.Blob { return seekless{b} }) },
			fails:  []string{"read/seek", "read/ranges", "read/reader"},
		},
		"tells the wrong size": {
			change: func(s *store) { wrapBlobs(s, func(b dataexport.Blob) dataexport.Blob { return oversized{b} }) },
			fails:  []string{"put/one_byte", "read/size_after_reading"},
		},
		"deletes nothing": {
			change: func(s *store) {
				s.delete = func(ctx context.Context, key string) error {
					_, err := s.open(ctx, key)
					return err
				}
			},
			fails: []string{"delete/removes_the_blob", "delete/nothing_there", "delete/in_a_loop_over_List"},
		},
		"deletes by prefix": {
			change: func(s *store) {
				good := s.delete
				s.delete = func(ctx context.Context, key string) error {
					for i, err := range s.list(ctx, key) {
						if err := errors.Join(err, good(ctx, i.Key)); err != nil {
							return err
						}
					}
					return good(ctx, key)
				}
			},
			fails: []string{"delete/only_its_key", "keys/a_blob_and_a_directory"},
		},
		"takes any key": {
			change: func(s *store) {
				s.delete = func(context.Context, string) error { return nil }
			},
			fails: []string{"keys/invalid", "failure/read_methods_of_a_cancelled_ctx"},
		},
		"lists in another order": {
			change: func(s *store) {
				changeList(s, func(_ string, infos []info) []info { slices.Reverse(infos); return infos })
			},
			fails: []string{"list/order", "list/prefix", "list/many"},
		},
		"lists in the order of directories": {
			change: func(s *store) {
				changeList(s, func(_ string, infos []info) []info {
					slices.SortFunc(infos, func(a, b info) int {
						return slices.Compare(strings.Split(a.Key, "/"), strings.Split(b.Key, "/"))
					})
					return infos
				})
			},
			fails: []string{"list/order"},
		},
		"takes a prefix for a directory": {
			change: func(s *store) {
				changeList(s, func(prefix string, infos []info) []info {
					return slices.DeleteFunc(infos, func(i info) bool {
						return prefix != "" && !strings.HasPrefix(i.Key, strings.TrimSuffix(prefix, "/")+"/")
					})
				})
			},
			fails: []string{"list/prefix"},
		},
		"lists one page": {
			change: func(s *store) {
				changeList(s, func(_ string, infos []info) []info { return infos[:min(1000, len(infos))] })
			},
			fails: []string{"list/many"},
		},
		"lists no times": {
			change: func(s *store) {
				changeList(s, func(_ string, infos []info) []info {
					for i := range infos {
						infos[i].ModTime = time.Time{}
					}
					return infos
				})
			},
			fails: []string{"list/infos"},
		},
		"lists what is unfinished as blobs": {
			change: func(s *store) {
				changeList(s, func(_ string, infos []info) []info {
					for i := range infos {
						infos[i].Unfinished = false
					}
					return infos
				})
			},
			fails: []string{"list/unfinished", "put/invisible_until_committed"},
		},
		"goes on after the loop is left": {
			change: func(s *store) {
				good := s.list
				s.list = func(ctx context.Context, prefix string) iter.Seq2[info, error] {
					return func(yield func(info, error) bool) {
						for i, err := range good(ctx, prefix) {
							yield(i, err)
						}
					}
				}
			},
			fails: []string{"list/early_stop"},
		},
		"lists without a look at the context": {
			change: func(s *store) {
				good := s.list
				s.list = func(ctx context.Context, prefix string) iter.Seq2[info, error] {
					return good(context.WithoutCancel(ctx), prefix)
				}
			},
			fails: []string{"list/cancelled_before"},
		},
	}
}

func replacePut(s *store, put func(good putFunc, ctx context.Context, key string, f dataexport.Format, write func(io.Writer) error) error) {
	good := s.put
	s.put = func(ctx context.Context, key string, f dataexport.Format, write func(io.Writer) error) error {
		return put(good, ctx, key, f, write)
	}
}

func wrapBlobs(s *store, wrap func(dataexport.Blob) dataexport.Blob) {
	good := s.open
	s.open = func(ctx context.Context, key string) (dataexport.Blob, error) {
		b, err := good(ctx, key)
		if err != nil {
			return nil, err
		}
		return wrap(b), nil
	}
}

func changeList(s *store, change func(prefix string, infos []info) []info) {
	good := s.list
	s.list = func(ctx context.Context, prefix string) iter.Seq2[info, error] {
		return func(yield func(info, error) bool) {
			var infos []info
			for i, err := range good(ctx, prefix) {
				if err != nil {
					yield(i, err)
					return
				}
				infos = append(infos, i)
			}
			for _, i := range change(prefix, infos) {
				if !yield(i, nil) {
					return
				}
			}
		}
	}
}

type seekless struct{ dataexport.Blob }

func (seekless) Seek(offset int64, _ int) (int64, error) { return offset, nil }

type oversized struct{ dataexport.Blob }

func (b oversized) Size() int64 { return b.Blob.Size() + 1 }
