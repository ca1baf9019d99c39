package client

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

// Tests that begin with TestLive, and the examples, need a server: its address in AGENTAPI_PROXY_ENDPOINT and the
// key of an administrator in AGENTAPI_PROXY_API_KEY.
func TestMain(m *testing.M) {
	flag.Parse()
	if os.Getenv("AGENTAPI_PROXY_ENDPOINT") == "" {
		fmt.Println("AGENTAPI_PROXY_ENDPOINT is not set: examples and tests against a server are left out")
		if err := flag.Set("test.skip", "^(Example|TestLive)"); err != nil {
			panic(err)
		}
	}
	os.Exit(m.Run())
}

// within is how long the slowest of these tests may take on a busy machine.
const within = 90 * time.Second

func live(t *testing.T) (*Client, context.Context) {
	ctx, cancel := context.WithTimeout(t.Context(), within)
	t.Cleanup(cancel)
	return liveWith(t, os.Getenv("AGENTAPI_PROXY_API_KEY")), ctx
}

func liveWith(t *testing.T, key string) *Client {
	client := NewClient(os.Getenv("AGENTAPI_PROXY_ENDPOINT"), WithAPIKey(key))
	t.Cleanup(client.CloseIdleConnections)
	return client
}

func must[T any](value T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
}

func startDemo(t *testing.T, ctx context.Context, client *Client, request StartRequest) string {
	t.Helper()
	request.Agent = "demo"
	id := must(client.Start(ctx, &request))(t).SessionID
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), within)
		defer cancel()
		if _, err := client.DeleteSession(ctx, id); err != nil && !errors.Is(err, ErrNotFound) {
			t.Errorf("deleting: %v", err)
		}
	})
	return id
}

func TestLiveConversation(t *testing.T) {
	client, ctx := live(t)
	tags := map[string]string{"made by": "go & friends", "test": t.Name()}
	id := startDemo(t, ctx, client, StartRequest{
		UserID: "alice", Environment: map[string]string{"EDITOR": "vi"}, Tags: tags, Message: "first",
	})

	for name, found := range map[string]*SearchResponse{
		"user and status": must(client.Search(ctx, "alice", "active"))(t),
		"tags":            must(client.SearchWithTags(ctx, "active", tags))(t),
		"status and tags": must(client.SearchWithTags(ctx, "", tags))(t),
	} {
		if len(found.Sessions) != 1 || found.Sessions[0].SessionID != id || found.Sessions[0].UserID != "alice" || found.Sessions[0].StartedAt.IsZero() {
			t.Errorf("by %s: %+v", name, found.Sessions)
		}
	}
	if none := must(client.Search(ctx, "nobody", ""))(t); len(none.Sessions) != 0 {
		t.Errorf("of nobody: %+v", none.Sessions)
	}

	if err := client.WaitUntilReady(ctx, id); err != nil {
		t.Fatal(err)
	}
	if status := must(client.GetStatus(ctx, id))(t); status.Status != StatusStable || status.Transport != "pty" {
		t.Errorf("status %+v", status)
	}
	details := must(client.GetSession(ctx, id))(t)
	if details.State != StateRunning || details.InitialMessage == nil || details.InitialMessage.State != "delivered" || details.EnvironmentNames[0] != "EDITOR" || details.ExitCode != nil {
		t.Errorf("details %+v", details)
	}
	turn := must(client.SendAndWait(ctx, id, "second"))(t)
	if text := strings.TrimSpace(turn.Text()); text != "You said: second" || turn.Sent.Content != "second" {
		t.Errorf("turn %+v", turn)
	}
	if sent := must(client.SendMessage(ctx, id, &Message{Content: "third"}))(t); !sent.OK {
		t.Error("the message was not taken")
	}
	if err := client.WaitUntilReady(ctx, id); err != nil {
		t.Fatal(err)
	}
	users := []string{}
	for i, message := range must(client.GetMessages(ctx, id))(t).Messages {
		if message.ID != i || message.Time.IsZero() {
			t.Errorf("message %d: %+v", i, message)
		}
		if message.Role == RoleUser {
			users = append(users, message.Content)
		}
	}
	if strings.Join(users, ",") != "first,second,third" {
		t.Errorf("messages of the user: %q", users)
	}
	if stored := must(client.Upload(ctx, id, "notes.txt", strings.NewReader("hello")))(t); !strings.HasSuffix(stored.FilePath, "notes.txt") {
		t.Errorf("upload %+v", stored)
	}
	must(client.GetLog(ctx, id, 5))(t)

	if deleted := must(client.DeleteSession(ctx, id))(t); deleted.Status != "terminated" || deleted.SessionID != id {
		t.Errorf("deletion %+v", deleted)
	}
	if _, err := client.DeleteSession(ctx, id); !errors.Is(err, ErrNotFound) {
		t.Errorf("the second deletion: %v", err)
	}
}

func TestLiveEventsTellTheConversationAndTheEndOfTheSession(t *testing.T) {
	client, ctx := live(t)
	id := startDemo(t, ctx, client, StartRequest{})
	events, ended := client.StreamEvents(ctx, id)
	sent, answered, deleted := false, false, false
	for event := range events {
		switch {
		case event.Type == EventStatusChange && event.Status == StatusStable && !sent:
			must(client.SendMessage(ctx, id, &Message{Content: "Hello"}))(t)
			sent = true
		case event.Type == EventMessageUpdate && strings.Contains(event.Message.Content, "You said: Hello"):
			answered = true
		case event.Type == EventStatusChange && event.Status == StatusStable && answered && !deleted:
			must(client.DeleteSession(ctx, id))(t)
			deleted = true
		}
	}
	if err := <-ended; !answered || !errors.Is(err, ErrSessionEnded) {
		t.Errorf("answered %v, ended by %v", answered, err)
	}
}

func TestLiveRawKeysEndTheAgentAndTheSessionIsResumed(t *testing.T) {
	client, ctx := live(t)
	id := startDemo(t, ctx, client, StartRequest{})
	if err := client.WaitUntilReady(ctx, id); err != nil {
		t.Fatal(err)
	}
	if _, err := client.ResumeSession(ctx, id); !errors.Is(err, ErrConflict) {
		t.Errorf("resuming a session that lives: %v", err)
	}
	must(client.SendMessage(ctx, id, &Message{Content: "/exit\r", Type: MessageRaw}))(t)
	var ended *SessionEndedError
	for _, err := range client.Events(ctx, id, nil) {
		if err != nil && !errors.As(err, &ended) {
			t.Fatal(err)
		}
	}
	if ended == nil || ended.Session == nil || ended.Session.State != StateStopped || *ended.Session.ExitCode != 0 {
		t.Fatalf("ended %+v", ended)
	}
	if resumed := must(client.ResumeSession(ctx, id))(t); resumed.SessionID != id {
		t.Errorf("resumed %+v", resumed)
	}
	if turn := must(client.SendAndWait(ctx, id, "again"))(t); !strings.Contains(turn.Text(), "You said: again") {
		t.Errorf("turn %+v", turn)
	}
}

func TestLiveErrorsAreTyped(t *testing.T) {
	client, ctx := live(t)
	_, noKey := NewClient(os.Getenv("AGENTAPI_PROXY_ENDPOINT")).Me(ctx)
	_, wrongKey := liveWith(t, "wrong").Me(ctx)
	_, unknown := client.GetMessages(ctx, "00000000-0000-4000-8000-000000000000")
	_, odd := client.GetMessages(ctx, "a/b")
	_, agent := client.Start(ctx, &StartRequest{Agent: "no such agent"})
	for _, test := range []struct {
		err  error
		kind error
		code string
	}{
		{noKey, ErrUnauthorized, "api_key_required"}, {wrongKey, ErrUnauthorized, "invalid_api_key"},
		{unknown, ErrNotFound, "session_not_found"}, {odd, ErrInvalidRequest, "invalid_session_id"},
		{agent, ErrInvalidRequest, "unknown_agent"},
	} {
		var refused *Error
		if !errors.Is(test.err, test.kind) || !errors.As(test.err, &refused) || refused.Code != test.code || refused.RequestID == "" {
			t.Errorf("%s: %v", test.code, test.err)
		}
	}
}

func TestLiveProfiles(t *testing.T) {
	client, ctx := live(t)
	made := must(client.CreateProfile(ctx, &ProfileRequest{
		Name: Ptr("docs"), Agent: Ptr("demo"), Environment: map[string]string{"A": "b"},
		MessageTemplates: []MessageTemplate{{Name: "greet", Content: "Hello {{name}}"}},
	}))(t)
	changed := must(client.UpdateProfile(ctx, made.ID, &ProfileRequest{Description: Ptr("new"), Environment: map[string]string{}}, IfVersion(made.Version)))(t)
	if changed.Name != "docs" || changed.Description != "new" || len(changed.Environment) != 0 || changed.Version == made.Version {
		t.Errorf("changed %+v", changed)
	}
	if _, err := client.UpdateProfile(ctx, made.ID, &ProfileRequest{Name: Ptr("old")}, IfVersion(made.Version)); !errors.Is(err, ErrConflict) {
		t.Errorf("a change of an old version: %v", err)
	}
	if err := client.AddProfileRepository(ctx, made.ID, ProfileRepository{URL: "https://github.com/o/r", Name: "r"}); err != nil {
		t.Error(err)
	}
	if err := client.AddMessageTemplate(ctx, made.ID, MessageTemplate{Name: "bye", Content: "Bye"}); err != nil {
		t.Error(err)
	}
	read := must(client.GetProfile(ctx, made.ID))(t)
	if len(read.RepositoryHistory) != 1 || len(read.MessageTemplates) != 2 || read.RepositoryHistory[0].AccessedAt.IsZero() {
		t.Errorf("read %+v", read)
	}
	if list := must(client.ListProfiles(ctx, ""))(t); len(list) != 1 {
		t.Errorf("list %+v", list)
	}
	id := must(client.StartWithProfile(ctx, &StartWithProfileRequest{ProfileID: made.ID, Template: "greet", Variables: map[string]string{"name": "Go"}}))(t).SessionID
	if err := client.WaitUntilReady(ctx, id); err != nil {
		t.Error(err)
	}
	if messages := must(client.GetMessages(ctx, id))(t).Messages; messages[1].Content != "Hello Go" {
		t.Errorf("messages %+v", messages)
	}
	must(client.DeleteSession(ctx, id))(t)
	if deleted := must(client.DeleteProfile(ctx, made.ID))(t); deleted.ProfileID != made.ID {
		t.Errorf("deleted %+v", deleted)
	}
	if _, err := client.GetProfile(ctx, made.ID); !errors.Is(err, ErrNotFound) {
		t.Errorf("after the deletion: %v", err)
	}
}

func TestLiveKeysSharesAndTheAuditLog(t *testing.T) {
	client, ctx := live(t)
	expiry := time.Now().Add(time.Hour).UTC().Truncate(time.Second)
	bob := must(client.CreateAPIKey(ctx, APIKeyRequest{UserID: "bob", Name: "laptop", ExpiresAt: expiry}))(t)
	if !bob.ExpiresAt.Equal(expiry) || !bob.RevokedAt.IsZero() || bob.Key == "" {
		t.Errorf("key of %s: %v, %v", bob.UserID, bob.ExpiresAt, bob.RevokedAt)
	}
	asBob := liveWith(t, bob.Key)
	if me := must(asBob.Me(ctx))(t); me.UserID != "bob" || me.Role != "user" || me.Authentication != "on" {
		t.Errorf("me %+v", me)
	}
	id := startDemo(t, ctx, client, StartRequest{})
	if _, err := asBob.GetSession(ctx, id); !errors.Is(err, ErrForbidden) {
		t.Errorf("a session of somebody else: %v", err)
	}
	share := must(client.ShareSession(ctx, id, ShareRequest{UserID: "bob", Access: "read"}))(t)
	must(asBob.GetSession(ctx, id))(t)
	link := must(client.CreateShareLink(ctx, id, ShareLinkRequest{TTLSeconds: 600}))(t)
	must(liveWith(t, link.Token).GetMessages(ctx, id))(t)
	if all := must(client.ListShares(ctx, id))(t); len(all.Shares) != 1 || len(all.Links) != 1 {
		t.Errorf("shares %+v", all)
	}
	must(client.RevokeShare(ctx, id, share.ID))(t)
	if _, err := asBob.GetSession(ctx, id); !errors.Is(err, ErrForbidden) {
		t.Errorf("after the share: %v", err)
	}
	next := must(asBob.RotateAPIKey(ctx, bob.ID, RotateAPIKeyRequest{OverlapSeconds: Ptr(0)}))(t)
	if keys := must(client.ListAPIKeys(ctx, "bob"))(t); len(keys) != 2 {
		t.Errorf("keys %+v", keys)
	}
	must(client.RevokeAPIKey(ctx, next.ID))(t)
	if _, err := liveWith(t, next.Key).Me(ctx); !errors.Is(err, ErrUnauthorized) {
		t.Errorf("a revoked key: %v", err)
	}
	if page := must(client.Audit(ctx, AuditFilter{Action: "key.revoke", Limit: 1}))(t); len(page.Entries) != 1 || page.Entries[0].TargetID != next.ID {
		t.Errorf("audit %+v", page.Entries)
	}
}

func TestLiveServer(t *testing.T) {
	client, ctx := live(t)
	if err := client.Health(ctx); err != nil {
		t.Error(err)
	}
	if version := must(client.Version(ctx))(t); version.Name != "agentapi-proxy" || version.StartedAt.IsZero() {
		t.Errorf("version %+v", version)
	}
}
