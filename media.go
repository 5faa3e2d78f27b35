package souk

import (
	"context"
	"io"
)

// Blobs stores pictures by key. Keys are made by this node: lower-case letters, digits, '/', '-', '_' and '.'.
// What Put acknowledged survives a crash of the machine. A missing key is ErrNotFound.
type Blobs interface {
	Put(ctx context.Context, key string, body []byte, contentType string) error
	Open(ctx context.Context, key string) (io.ReadSeekCloser, error)
	Delete(ctx context.Context, key string) error
}
