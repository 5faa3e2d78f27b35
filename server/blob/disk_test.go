package blob

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"souk"
)

var _ souk.Blobs = (*Disk)(nil)

func open(t *testing.T, folder string) *Disk {
	t.Helper()
	disk, err := OpenDisk(folder)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := disk.Close(); err != nil {
			t.Error(err)
		}
	})
	return disk
}

func read(t *testing.T, blobs souk.Blobs, key string) string {
	t.Helper()
	body, err := blobs.Open(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(body)
	if err = errors.Join(err, body.Close()); err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// left lists every file below folder, with slashes.
func left(t *testing.T, folder string) []string {
	t.Helper()
	var names []string
	err := filepath.WalkDir(folder, func(name string, entry os.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			name, err = filepath.Rel(folder, name)
			names = append(names, filepath.ToSlash(name))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func TestDiskKeeps(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "not", "yet", "there")
	disk := open(t, folder)
	for _, key := range []string{"a", "ab/cd/0123-320.jpg", "ab/cd/0123-640.jpg", "x_y/z..w.png", strings.Repeat("k", 255)} {
		if err := disk.Put(t.Context(), key, []byte("first "+key), "image/jpeg"); err != nil {
			t.Fatal(err)
		}
		if err := disk.Put(t.Context(), key, []byte("second "+key), "image/jpeg"); err != nil {
			t.Fatal(err)
		}
		if got := read(t, disk, key); got != "second "+key {
			t.Errorf("%s holds %q", key, got)
		}
	}
	// Another process sees the same.
	if got := read(t, open(t, folder), "ab/cd/0123-320.jpg"); got != "second ab/cd/0123-320.jpg" {
		t.Errorf("opened again, it holds %q", got)
	}
	if names := left(t, folder); len(names) != 5 {
		t.Errorf("%d files for 5 keys: %v", len(names), names)
	}
}

func TestDiskSeeks(t *testing.T) {
	t.Parallel()
	disk := open(t, t.TempDir())
	if err := disk.Put(t.Context(), "a/b", []byte("0123456789"), "text/plain"); err != nil {
		t.Fatal(err)
	}
	body, err := disk.Open(t.Context(), "a/b")
	if err != nil {
		t.Fatal(err)
	}
	if end, err := body.Seek(0, io.SeekEnd); err != nil || end != 10 {
		t.Errorf("ends at %d (%v), want 10", end, err)
	}
	if _, err := body.Seek(7, io.SeekStart); err != nil {
		t.Fatal(err)
	}
	// A reader goes on when the blob is deleted below it.
	if err := disk.Delete(t.Context(), "a/b"); err != nil {
		t.Fatal(err)
	}
	rest, err := io.ReadAll(body)
	if err = errors.Join(err, body.Close()); err != nil || string(rest) != "789" {
		t.Errorf("read %q (%v), want 789", rest, err)
	}
}

func TestDiskNotFound(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	disk := open(t, folder)
	if err := disk.Put(t.Context(), "a/b", []byte("x"), "text/plain"); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"nothing", "a", "a/c", "a/b/c", ".arriving", "../" + filepath.Base(folder) + "/a/b", ""} {
		if _, err := disk.Open(t.Context(), key); !errors.Is(err, souk.ErrNotFound) {
			t.Errorf("open %q: %v, want not found", key, err)
		}
		if err := disk.Delete(t.Context(), key); !errors.Is(err, souk.ErrNotFound) {
			t.Errorf("delete %q: %v, want not found", key, err)
		}
	}
	if err := disk.Delete(t.Context(), "a/b"); err != nil {
		t.Fatal(err)
	}
	if _, err := disk.Open(t.Context(), "a/b"); !errors.Is(err, souk.ErrNotFound) {
		t.Errorf("open after delete: %v, want not found", err)
	}
	if err := disk.Delete(t.Context(), "a/b"); !errors.Is(err, souk.ErrNotFound) {
		t.Errorf("second delete: %v, want not found", err)
	}
}

func TestDiskRefusesHostileKeys(t *testing.T) {
	t.Parallel()
	outside := t.TempDir()
	folder := filepath.Join(outside, "media")
	disk := open(t, folder)
	if err := os.WriteFile(filepath.Join(outside, "secret"), []byte("s"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, filepath.Join(folder, "link")); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{
		"", "/", "/a", "a/", "a//b", ".", "..", "../secret", "a/../../secret", "a/./b", ".hidden", "a/.hidden", ".arriving/x",
		"A", "a b", "a\x00b", "a\\b", "a\nb", "a%2fb", "ä", "a:b", "a*", "~root", strings.Repeat("k", 256), "link/secret", "link/new",
	} {
		if err := disk.Put(t.Context(), key, []byte("x"), "text/plain"); err == nil {
			t.Errorf("put %q was taken", key)
		}
		if body, err := disk.Open(t.Context(), key); err == nil {
			t.Errorf("open %q was answered", key)
			body.Close()
		}
		if err := disk.Delete(t.Context(), key); err == nil {
			t.Errorf("delete %q was done", key)
		}
	}
	if names := left(t, outside); len(names) != 2 { // the secret and the link
		t.Errorf("left behind: %v", names)
	}
}

func TestDiskConcurrentPuts(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	disks := []*Disk{open(t, folder), open(t, folder)}
	const writers, size = 16, 64 << 10
	var all sync.WaitGroup
	for i := range writers {
		all.Go(func() {
			own := fmt.Sprintf("own/%02d/%d", i%4, i)
			body := bytes.Repeat([]byte{byte('a' + i)}, size)
			for _, key := range []string{"one/key", own, "one/key"} {
				if err := disks[i%2].Put(t.Context(), key, body, "text/plain"); err != nil {
					t.Error(err)
				}
				got, err := disks[(i+1)%2].Open(t.Context(), key)
				if err != nil {
					t.Error(err)
					return
				}
				b, err := io.ReadAll(got)
				if err = errors.Join(err, got.Close()); err != nil {
					t.Error(err)
				}
				if len(b) != size || bytes.Count(b, b[:1]) != size {
					t.Errorf("%s: %d bytes, %d of them alike; want one whole body", key, len(b), bytes.Count(b, b[:1]))
				}
			}
		})
	}
	all.Wait()
	if names := left(t, folder); len(names) != writers+1 {
		t.Errorf("%d files, want %d: %v", len(names), writers+1, names)
	}
}

func TestDiskClearsWhatACrashLeft(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	open(t, folder)
	for name, age := range map[string]time.Duration{"OLD": 2 * time.Hour, "NEW": time.Minute} {
		name = filepath.Join(folder, arriving, name)
		if err := os.WriteFile(name, []byte("half"), 0o600); err != nil {
			t.Fatal(err)
		}
		then := time.Now().Add(-age)
		if err := os.Chtimes(name, then, then); err != nil {
			t.Fatal(err)
		}
	}
	open(t, folder)
	if names := left(t, folder); len(names) != 1 || names[0] != arriving+"/NEW" {
		t.Errorf("left: %v, want only what another process may be writing", names)
	}
}

func TestDiskPutFailsClean(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	disk := open(t, folder)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := disk.Put(ended, "a", []byte("x"), "text/plain"); !errors.Is(err, context.Canceled) {
		t.Errorf("put: %v, want canceled", err)
	}
	if err := disk.Put(t.Context(), "a/b", []byte("x"), "text/plain"); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"a", "a/b/c"} { // a folder is in the way; a blob is in the way
		if err := disk.Put(t.Context(), key, []byte("y"), "text/plain"); err == nil {
			t.Errorf("put %q was taken", key)
		}
	}
	if names := left(t, folder); len(names) != 1 {
		t.Errorf("left behind: %v", names)
	}
}

func TestNew(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	for _, mediaURL := range []string{"file:" + folder + "/a", "file://" + folder + "/b", "file://localhost" + folder + "/c%20d"} {
		blobs, err := New(mediaURL)
		if err != nil {
			t.Errorf("%s: %v", mediaURL, err)
			continue
		}
		if err := blobs.Put(t.Context(), "k", []byte("v"), "text/plain"); err != nil {
			t.Error(err)
		}
	}
	if names := left(t, folder); strings.Join(names, " ") != "a/k b/k c d/k" {
		t.Errorf("files: %v", names)
	}
	file := filepath.Join(folder, "a", "k")
	for mediaURL, want := range map[string]string{
		"s3://bucket/prefix": "S3 is not built yet", "": "unknown", "http://example.org/": "unknown", "file:": "names no folder",
		"file://elsewhere/media": "of this machine", "file:" + file: "media folder", "%": "media URL",
	} {
		if _, err := New(mediaURL); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want it to say %q", mediaURL, err, want)
		}
	}
}
