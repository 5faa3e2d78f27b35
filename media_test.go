package souk

import (
	"errors"
	"regexp"
	"strings"
	"testing"
	"time"
)

func TestPicturesOfDeletedPostsGo(t *testing.T) {
	t.Parallel()
	n := annasShop(t)
	ctx := t.Context()
	picture := &Picture{Width: 4, Height: 5, MIME: "image/jpeg", Sizes: []PictureSize{{Width: 4, Height: 5, MIME: "image/jpeg", Bytes: []byte("jpeg")}}}
	add := func() *Media {
		m, err := n.AddPicture(ctx, n.owner.ID, picture, "a cup")
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	kept, gone, avatar := add(), add(), add()
	if _, err := n.CreatePost(ctx, n.owner.ID, NewPost{Source: "kept", MediaIDs: []int64{kept.ID}}); err != nil {
		t.Fatal(err)
	}
	p, err := n.CreatePost(ctx, n.owner.ID, NewPost{Source: "gone", MediaIDs: []int64{gone.ID}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := n.CreatePost(ctx, n.owner.ID, NewPost{Source: "twice", MediaIDs: []int64{gone.ID}}); !isInvalid(err, "media_ids[0]") {
		t.Errorf("one picture on two posts: %v", err)
	}
	if _, err := n.SaveProfile(ctx, n.owner.ID, Profile{AvatarID: &avatar.ID}); err != nil {
		t.Fatal(err)
	}
	if err := n.DeletePost(ctx, n.owner.ID, p.ID); err != nil {
		t.Fatal(err)
	}
	if count, err := n.PruneMedia(ctx, 10); err != nil || count != 0 {
		t.Errorf("pruned %d at once, %v", count, err)
	}
	n.clock.Advance(25 * time.Hour)
	if count, err := n.PruneMedia(ctx, 10); err != nil || count != 1 {
		t.Errorf("pruned %d, %v; want the deleted post's", count, err)
	}
	if _, err := n.Media(ctx, gone.ID); !errors.Is(err, ErrNotFound) {
		t.Errorf("still there: %v", err)
	}
	if _, err := n.Blobs().Open(ctx, gone.Sizes[0].Key); err == nil {
		t.Error("its file is still there")
	}
	for _, m := range []*Media{kept, avatar} {
		if _, err := n.Media(ctx, m.ID); err != nil {
			t.Error(err)
		}
	}
}

// Ids can be guessed from each other; the address of a draft's picture must not be.
func TestPictureAddressesCannotBeGuessed(t *testing.T) {
	t.Parallel()
	n := annasShop(t)
	picture := &Picture{Width: 4, Height: 5, MIME: "image/jpeg", Sizes: []PictureSize{{Width: 4, Height: 5, MIME: "image/jpeg", Bytes: []byte("jpeg")}}}
	random := regexp.MustCompile(`^[0-9a-f]{2}/[0-9a-f]{32}-4\.jpg$`)
	seen := map[string]bool{}
	for range 3 {
		m, err := n.AddPicture(t.Context(), n.owner.ID, picture, "")
		if err != nil {
			t.Fatal(err)
		}
		key := m.Sizes[0].Key
		if !random.MatchString(key) || strings.Contains(key, formatID(m.ID)) || seen[key[:8]] {
			t.Errorf("key %q of picture %d", key, m.ID)
		}
		seen[key[:8]] = true
	}
}
