package blob

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
	"syscall"
	"time"

	"souk"
)

// Disk is souk.Blobs in a folder: the key is the path below it. Nothing outside the folder can be reached, through a
// symbolic link neither. Several processes may share one folder. Content types are not kept: the media row has them.
type Disk struct {
	root *os.Root
}

const (
	// arriving holds what is being written. No key can name it, for no part of a key begins with a dot.
	arriving = ".arriving"
	// staleAfter is longer than any write takes: an older file was left behind by a crash.
	staleAfter = time.Hour

	maxKey     = 255
	folderMode = 0o750
	fileMode   = 0o640
)

// OpenDisk opens a folder as a store, makes it when it is missing, and clears away what a crash left half written.
func OpenDisk(folder string) (*Disk, error) {
	if err := os.MkdirAll(folder, folderMode); err != nil {
		return nil, fmt.Errorf("media folder: %w", err)
	}
	root, err := os.OpenRoot(folder)
	if err != nil {
		return nil, fmt.Errorf("media folder: %w", err)
	}
	d := &Disk{root}
	if err := d.clear(); err != nil {
		return nil, errors.Join(fmt.Errorf("media folder %s: %w", folder, err), root.Close())
	}
	return d, nil
}

// Put stores body under key, in place of what was there. Readers see the old bytes or the new ones, never a part. When it
// returns nil, the bytes and the name are on the disk.
func (d *Disk) Put(ctx context.Context, key string, body []byte, _ string) error {
	if err := checkKey(key); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("put %s: %w", key, err)
	}
	if err := d.put(key, body); err != nil {
		return fmt.Errorf("put %s: %w", key, err)
	}
	return nil
}

func (d *Disk) put(key string, body []byte) (err error) {
	temporary := path.Join(arriving, rand.Text())
	if err := d.write(temporary, body); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, d.remove(temporary))
		}
	}()
	folder := path.Dir(key)
	if err := d.root.MkdirAll(folder, folderMode); err != nil {
		return err
	}
	if err := d.root.Rename(temporary, key); err != nil {
		return err
	}
	// A new file is only there after a crash when its folder is, and so on up. Another Put may have made a folder
	// and not come here yet, so that the whole way is made sure, not only what this call made.
	for ; ; folder = path.Dir(folder) {
		if err := d.sync(folder); err != nil {
			return err
		}
		if folder == "." {
			return nil
		}
	}
}

// write makes a new file whose bytes are on the disk when it returns nil, and leaves none otherwise.
func (d *Disk) write(name string, body []byte) error {
	file, err := d.root.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, fileMode)
	if err != nil {
		return err
	}
	_, err = file.Write(body)
	if err == nil {
		err = file.Sync()
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return errors.Join(err, d.remove(name))
	}
	return nil
}

// Open returns the bytes under key; the caller closes them. A missing key, and one that could never be stored, is
// souk.ErrNotFound.
func (d *Disk) Open(ctx context.Context, key string) (io.ReadSeekCloser, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("open %s: %w", key, err)
	}
	if err := d.stored(key); err != nil {
		return nil, err
	}
	file, err := d.root.Open(key)
	if err != nil {
		return nil, missing("open", key, err)
	}
	return file, nil
}

// Delete removes the bytes under key for good. A missing key is souk.ErrNotFound. Who has it open reads on.
func (d *Disk) Delete(ctx context.Context, key string) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("delete %s: %w", key, err)
	}
	if err := d.stored(key); err != nil {
		return err
	}
	if err := d.root.Remove(key); err != nil {
		return missing("delete", key, err)
	}
	if err := d.sync(path.Dir(key)); err != nil {
		return fmt.Errorf("delete %s: %w", key, err)
	}
	return nil
}

// Close lets go of the folder. Bytes that are open stay readable.
func (d *Disk) Close() error { return d.root.Close() }

// stored tells a blob from a folder of blobs, which a shorter key names.
func (d *Disk) stored(key string) error {
	if err := checkKey(key); err != nil {
		return fmt.Errorf("%w: %w", souk.ErrNotFound, err)
	}
	info, err := d.root.Lstat(key)
	if err != nil {
		return missing("find", key, err)
	}
	if !info.Mode().IsRegular() {
		return missing("find", key, fs.ErrNotExist)
	}
	return nil
}

// clear makes the folder for what arrives, and empties it of what a crash left.
func (d *Disk) clear() error {
	if err := d.root.MkdirAll(arriving, folderMode); err != nil {
		return err
	}
	left, err := fs.ReadDir(d.root.FS(), arriving)
	if err != nil {
		return err
	}
	for _, entry := range left {
		info, err := entry.Info()
		if errors.Is(err, fs.ErrNotExist) { // another process finished it
			continue
		}
		if err != nil {
			return err
		}
		if time.Since(info.ModTime()) > staleAfter {
			if err := d.remove(path.Join(arriving, entry.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}

// remove removes a file that may be gone already.
func (d *Disk) remove(name string) error {
	if err := d.root.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// sync brings the names in a folder to the disk.
func (d *Disk) sync(folder string) error {
	file, err := d.root.Open(folder)
	if err != nil {
		return err
	}
	return errors.Join(file.Sync(), file.Close())
}

// missing wraps an error of the file system, as souk.ErrNotFound where that is what it means. A key below a
// blob, "a/b" where "a" is one, is ENOTDIR.
func missing(what, key string, err error) error {
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		return fmt.Errorf("%s %s: %w", what, key, souk.ErrNotFound)
	}
	return fmt.Errorf("%s %s: %w", what, key, err)
}

// checkKey admits what souk.Blobs promises: lower-case letters, digits, '/', '-', '_' and '.', parts that are neither
// empty nor begin with a dot, 255 bytes in all.
func checkKey(key string) error {
	if len(key) > maxKey {
		return fmt.Errorf("key of %d bytes: the limit is %d", len(key), maxKey)
	}
	for part := range strings.SplitSeq(key, "/") {
		if part == "" || part[0] == '.' {
			return fmt.Errorf("key %q: a part is empty or begins with a dot", key)
		}
	}
	for _, c := range []byte(key) {
		switch {
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9', strings.IndexByte("/-_.", c) >= 0:
		default:
			return fmt.Errorf("key %q: only a-z, 0-9, '/', '-', '_' and '.' are allowed", key)
		}
	}
	return nil
}
