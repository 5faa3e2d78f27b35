package souk

import (
	"errors"
	"testing"
	"time"
)

func TestLadder(t *testing.T) {
	t.Parallel()
	n := annasShop(t)
	ctx := t.Context()
	since := n.Now().Add(-30 * 24 * time.Hour)
	ben := n.remote(t, "ben", "far.example")
	if err := n.ReceiveFollow(ctx, ben.URI+"#f", ben, n.owner, false); err != nil {
		t.Fatal(err)
	}
	post, err := n.CreatePost(ctx, n.owner.ID, NewPost{Source: "New bowls"})
	if err != nil {
		t.Fatal(err)
	}
	if l, err := n.Ladder(ctx, n.owner.ID, since); err != nil || *l != (Ladder{Followers: 1}) {
		t.Errorf("ladder with a follower: %+v, %v", l, err)
	}
	// Two ways of taking part are one participant; the account itself is none.
	answer, err := n.ReceivePost(ctx, RemotePost{URI: ben.URI + "/1", Author: ben, HTML: "<p>How big?</p>", Visibility: Public, InTimeline: true,
		InReplyToURI: post.URI, Published: n.Now()})
	if err != nil {
		t.Fatal(err)
	}
	if err := n.ReceiveLike(ctx, ben.URI+"#like", ben, post.ID); err != nil {
		t.Fatal(err)
	}
	if err := n.Like(ctx, n.owner.ID, post.ID); err != nil {
		t.Fatal(err)
	}
	if l, err := n.Ladder(ctx, n.owner.ID, since); err != nil || *l != (Ladder{Followers: 1, Participants: 1}) {
		t.Errorf("ladder with a participant: %+v, %v", l, err)
	}
	if l, err := n.Ladder(ctx, n.owner.ID, n.Now().Add(time.Hour)); err != nil || *l != (Ladder{Followers: 1}) {
		t.Errorf("ladder of the future: %+v, %v", l, err)
	}

	waiting, err := n.Unanswered(ctx, n.owner.ID, since, 5)
	if err != nil || len(waiting) != 1 || waiting[0].ID != answer.ID {
		t.Fatalf("unanswered: %v, %v", waiting, err)
	}
	if _, err := n.CreatePost(ctx, n.owner.ID, NewPost{Source: "Half a litre", InReplyTo: answer.ID}); err != nil {
		t.Fatal(err)
	}
	if waiting, err := n.Unanswered(ctx, n.owner.ID, since, 5); err != nil || len(waiting) != 0 {
		t.Errorf("unanswered after the answer: %v, %v", waiting, err)
	}
}

func TestChangePassword(t *testing.T) {
	t.Parallel()
	n := annasShop(t)
	ctx := t.Context()
	here, _, err := n.SignIn(ctx, "anna", "correct horse", "here")
	if err != nil {
		t.Fatal(err)
	}
	there, _, err := n.SignIn(ctx, "anna", "correct horse", "there")
	if err != nil {
		t.Fatal(err)
	}
	if err := n.ChangePassword(ctx, n.owner.ID, "wrong horse", "battery staple", here); !isInvalid(err, "old") {
		t.Errorf("wrong old password: %v", err)
	}
	if err := n.ChangePassword(ctx, n.owner.ID, "correct horse", "short", here); !isInvalid(err, "password") {
		t.Errorf("short password: %v", err)
	}
	if err := n.ChangePassword(ctx, n.owner.ID, "correct horse", "battery staple", here); err != nil {
		t.Fatal(err)
	}
	if _, err := n.Session(ctx, here); err != nil {
		t.Errorf("the session that changed it: %v", err)
	}
	if _, err := n.Session(ctx, there); err == nil {
		t.Error("another session outlived the old password")
	}
	if _, _, err := n.SignIn(ctx, "anna", "battery staple", ""); err != nil {
		t.Errorf("new password: %v", err)
	}
}

func TestResetPassword(t *testing.T) {
	t.Parallel()
	n := annasShop(t)
	ctx := t.Context()
	session, _, err := n.SignIn(ctx, "anna", "correct horse", "here")
	if err != nil {
		t.Fatal(err)
	}
	if err := n.ResetPassword(ctx, n.owner.ID, "short"); !isInvalid(err, "password") {
		t.Errorf("a short one: %v", err)
	}
	if err := n.ResetPassword(ctx, n.owner.ID, "battery staple"); err != nil {
		t.Fatal(err)
	}
	if _, err := n.Session(ctx, session); !errors.Is(err, ErrUnauthorized) {
		t.Errorf("the old session lives: %v", err)
	}
	if _, _, err := n.SignIn(ctx, "anna", "correct horse", "here"); !errors.Is(err, ErrUnauthorized) {
		t.Errorf("the old password works: %v", err)
	}
	if _, _, err := n.SignIn(ctx, "anna", "battery staple", "here"); err != nil {
		t.Errorf("the new one does not: %v", err)
	}
	instance, err := n.InstanceActor(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if err := n.ResetPassword(ctx, instance.ID, "battery staple"); !errors.Is(err, ErrNotFound) {
		t.Errorf("an account that nobody signs in to: %v", err)
	}
}
