package cloudblob_test

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gocloud.dev/blob"

	"github.com/dataexport/dataexport/store/cloudblob/s3test"
)

// urlVariable tells the child of TestKilled where to put a blob.
const urlVariable = "CLOUDBLOB_TEST_URL"

// A process that is killed leaves an upload behind, which another one finds and removes.
func TestKilled(t *testing.T) {
	onServers(t, func(t *testing.T, server *s3test.Server) {
		binary, err := os.Executable()
		require.NoError(t, err)
		child := exec.CommandContext(t.Context(), binary, "-test.run", "^TestKilledChild$")
		child.Env = append(os.Environ(), append(server.Environ(), urlVariable+"="+server.URL())...)
		child.Stderr = os.Stderr
		output, err := child.StdoutPipe()
		require.NoError(t, err)
		_, err = child.StdinPipe() // the child waits for its end
		require.NoError(t, err)
		require.NoError(t, child.Start())
		line, err := bufio.NewReader(output).ReadString('\n')
		require.NoError(t, err)
		require.Equal(t, "sent\n", line)
		require.NoError(t, child.Process.Kill())
		require.Error(t, child.Wait())

		assert.Equal(t, []string{"job/1"}, server.Uploads(t))
		store := withStorage(t, server.OpenBucket(t))
		assert.Equal(t, []string{"job/1?"}, brief(list(t, store, "")))
		require.NoError(t, store.Delete(t.Context(), "job/1"))
		wantNothing(t, server)
	})
}

func TestKilledChild(t *testing.T) {
	address := os.Getenv(urlVariable)
	if address == "" {
		t.Skip("only as a child of TestKilled")
	}
	bucket, err := blob.OpenBucket(t.Context(), address)
	require.NoError(t, err)
	err = withStorage(t, bucket).Put(t.Context(), "job/1", format(), func(w io.Writer) error {
		if err := writing(content(2*partSize + 1))(w); err != nil {
			return err
		}
		fmt.Println("sent")
		_, err := io.Copy(io.Discard, os.Stdin)
		return err
	})
	t.Errorf("Put has returned %v", err)
}
