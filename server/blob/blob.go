// Package blob keeps the pictures of a node behind souk.Blobs: in a folder of the machine.
package blob

import (
	"errors"
	"fmt"
	"net/url"

	"souk"
)

// New opens the store that a media URL names (SOUK_MEDIA_URL). "file:/path" is a folder, made when it is missing, its
// parents too. "s3:" and every other scheme are refused with the reason.
func New(mediaURL string) (souk.Blobs, error) {
	u, err := url.Parse(mediaURL)
	if err != nil {
		return nil, fmt.Errorf("media URL: %w", err)
	}
	switch u.Scheme {
	case "file":
		path := u.Path
		if path == "" {
			path = u.Opaque // file:media, relative to the working directory
		}
		if path == "" || u.Host != "" && u.Host != "localhost" {
			return nil, fmt.Errorf("media URL %q names no folder of this machine: write file:/var/lib/souk/media", mediaURL)
		}
		return OpenDisk(path)
	case "s3":
		return nil, errors.New("media URL: storage in S3 is not built yet; use file: and a folder")
	}
	return nil, fmt.Errorf("media URL: scheme %q is unknown; use file: and a folder", u.Scheme)
}
