package compressblob_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/require"

	"github.com/dataexport/dataexport/store/compressblob"
	"github.com/dataexport/dataexport/store/memblob"
)

// program returns the path of a program. Where there is none it skips the test, or fails it if DATAEXPORT_TEST_REQUIRED
// is 1 and the program is one that every machine of the project has.
func program(t *testing.T, name string, required bool) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		if required && os.Getenv("DATAEXPORT_TEST_REQUIRED") == "1" {
			t.Fatalf("this test needs %s: %v", name, err)
		}
		t.Skipf("this test needs %s: %v", name, err)
	}
	return path
}

// storedFiles returns contents of all kinds with the files that they become.
func storedFiles(t *testing.T, coding compressblob.Coding) (contents, files [][]byte) {
	inner := memblob.New()
	s := newStore(t, inner, compressblob.Options{Coding: coding, ChunkSize: 16 << 10})
	contents = [][]byte{nil, []byte("x"), lines(16<<10, 1), lines(1_000_003, 2), noise(100_001, 3), make([]byte, 5<<20)}
	for _, content := range contents {
		put(t, s, "job/1", content)
		files = append(files, read(t, inner, "job/1"))
	}
	return contents, files
}

// A command decodes its standard input to its standard output, or the file that is its last argument.
func testCommand(t *testing.T, coding compressblob.Coding, inFile bool, path string, arguments ...string) {
	t.Helper()
	contents, files := storedFiles(t, coding)
	for i, file := range files {
		command := exec.Command(path, arguments...)
		if inFile {
			name := filepath.Join(t.TempDir(), "file")
			require.NoError(t, os.WriteFile(name, file, 0o600))
			command.Args = append(command.Args, name)
		} else {
			command.Stdin = bytes.NewReader(file)
		}
		var errors bytes.Buffer
		command.Stderr = &errors
		got, err := command.Output()
		require.NoError(t, err, "content %d: %s", i, errors.String())
		require.True(t, bytes.Equal(contents[i], got), "content %d: %d bytes, want %d", i, len(got), len(contents[i]))
	}
}

func TestGzipCommand(t *testing.T) {
	testCommand(t, compressblob.Gzip, false, program(t, "gzip", false), "-dc")
}

func TestZstdCommand(t *testing.T) {
	testCommand(t, compressblob.Zstd, false, program(t, "zstd", false), "-dc")
}

// One object of zlib reads one member, and no bytes may be left over: what clients do that know of one member only.
const pythonOneMember = `
import sys, zlib
d = zlib.decompressobj(16 + zlib.MAX_WBITS)
size = int(sys.argv[1])
while piece := sys.stdin.buffer.read(size):
    assert not d.eof
    sys.stdout.buffer.write(d.decompress(piece))
assert d.eof and not d.unused_data and not d.flush()
`

func TestPython(t *testing.T) {
	python := program(t, "python3", false)
	testCommand(t, compressblob.Gzip, false, python, "-c", pythonOneMember, "65536")
	testCommand(t, compressblob.Gzip, false, python, "-c", pythonOneMember, "1009") // some pieces have no content
	testCommand(t, compressblob.Gzip, false, python, "-c", "import gzip, sys; sys.stdout.buffer.write(gzip.decompress(sys.stdin.buffer.read()))")
}

func TestNode(t *testing.T) {
	node := program(t, "node", false)
	testCommand(t, compressblob.Gzip, false, node, "-e", "process.stdin.pipe(require('zlib').createGunzip()).pipe(process.stdout)")
	testCommand(t, compressblob.Gzip, false, node, "-e", `
		const {Readable} = require('stream');
		const decoded = Readable.toWeb(process.stdin).pipeThrough(new DecompressionStream('gzip')); // one member by its standard
		Readable.fromWeb(decoded).pipe(process.stdout);`)
}

const javaProgram = `
import java.io.*;
import java.util.zip.*;
class Decode {
    public static void main(String[] arguments) throws IOException {
        try (InputStream in = new GZIPInputStream(new FileInputStream(arguments[0]))) { in.transferTo(System.out); }
        System.out.flush();
    }
}`

func TestJava(t *testing.T) {
	if testing.Short() {
		t.Skip("a Java process for each file takes long")
	}
	java := program(t, "java", false)
	source := filepath.Join(t.TempDir(), "Decode.java")
	require.NoError(t, os.WriteFile(source, []byte(javaProgram), 0o600))
	if output, err := exec.Command(java, "--version").CombinedOutput(); err != nil {
		t.Skipf("java does not run: %v: %s", err, output)
	}
	testCommand(t, compressblob.Gzip, true, java, source)
}

func TestStandardLibrary(t *testing.T) {
	contents, files := storedFiles(t, compressblob.Gzip)
	for i, file := range files {
		in := bytes.NewReader(file)
		z, err := gzip.NewReader(in)
		require.NoError(t, err)
		z.Multistream(false)
		got, err := io.ReadAll(z)
		require.NoError(t, err)
		require.True(t, bytes.Equal(contents[i], got))
		require.Zero(t, in.Len(), "bytes follow the member")
	}
}

func TestStreamOfZstd(t *testing.T) {
	contents, files := storedFiles(t, compressblob.Zstd)
	for i, file := range files {
		z, err := zstd.NewReader(bytes.NewReader(file))
		require.NoError(t, err)
		got, err := io.ReadAll(z)
		z.Close()
		require.NoError(t, err)
		require.True(t, bytes.Equal(contents[i], got))
	}
}

// A reader of the seekable format that knows nothing of this package.
func TestSeekTable(t *testing.T) {
	contents, files := storedFiles(t, compressblob.Zstd)
	z, err := zstd.NewReader(nil)
	require.NoError(t, err)
	defer z.Close()
	number := func(p []byte) int { return int(p[0]) | int(p[1])<<8 | int(p[2])<<16 | int(p[3])<<24 }
	for i, file := range files {
		end := file[len(file)-9:]
		require.Equal(t, []byte{0xB1, 0xEA, 0x92, 0x8F}, end[5:])
		require.EqualValues(t, 0x80, end[4])
		frames := number(end)
		table := file[len(file)-9-12*frames-8:]
		require.Equal(t, 0x184D2A5E, number(table))
		require.Equal(t, len(table)-8, number(table[4:]))
		rest, content := file, contents[i]
		for entry := table[8 : len(table)-9]; len(entry) > 0; entry = entry[12:] {
			stored, decoded := number(entry), number(entry[4:])
			got, err := z.DecodeAll(rest[:stored], nil)
			require.NoError(t, err)
			require.Len(t, got, decoded)
			require.True(t, bytes.Equal(content[:decoded], got))
			rest, content = rest[stored:], content[decoded:]
		}
		require.Empty(t, content)
		require.Len(t, rest, len(table))
	}
}
