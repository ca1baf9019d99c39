package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// serve starts a server for one test and returns a client of it.
func serve(t *testing.T, handler http.HandlerFunc, options ...Option) *Client {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	client := NewClient(server.URL, options...)
	t.Cleanup(client.CloseIdleConnections)
	return client
}

func reply(status int, contentType, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

func TestIDsAreOneSegmentOfThePathWhateverTheyContain(t *testing.T) {
	var path string
	client := serve(t, func(w http.ResponseWriter, r *http.Request) {
		path = r.URL.EscapedPath()
		reply(200, "application/json", `{"status":"stable"}`)(w, r)
	})
	for id, want := range map[string]string{
		"a/../b":  "/a%2F..%2Fb/status",
		"a?b#c":   "/a%3Fb%23c/status",
		"50%":     "/50%25/status",
		"häß →":   "/h%C3%A4%C3%9F%20%E2%86%92/status",
		"a%2e%2e": "/a%252e%252e/status",
	} {
		if _, err := client.GetStatus(t.Context(), id); err != nil || path != want {
			t.Errorf("%q: path %q, error %v", id, path, err)
		}
	}
}

func TestArgumentsThatCannotBeRightMakeNoRequest(t *testing.T) {
	ctx := t.Context()
	client := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("a request was made") })
	_, empty := client.DeleteSession(ctx, "")
	_, dots := client.GetSession(ctx, "..")
	_, dot := client.GetMessages(ctx, ".")
	_, blank := client.SendMessage(ctx, "id", &Message{Content: " \n"})
	_, none := client.SendMessage(ctx, "id", nil)
	_, long := client.Upload(ctx, "id", "a", io.LimitReader(repeat('x'), maxUpload+1))
	_, key := NewClient("http://127.0.0.1:1", WithAPIKey("a\nb")).Me(ctx)
	_, noKey := NewClient("http://127.0.0.1:1", WithAPIKey("")).Me(ctx)
	_, scheme := NewClient("ftp://127.0.0.1").Me(ctx)
	_, word := NewClient("localhost:8080").Me(ctx)
	_, user := NewClient("http://me:secret@127.0.0.1").Me(ctx)
	var events error
	for _, err := range client.Events(ctx, "", nil) {
		events = err
	}
	for i, err := range []error{empty, dots, dot, blank, none, long, key, noKey, scheme, word, user, events} {
		if !errors.Is(err, ErrInvalidArgument) {
			t.Errorf("%d: got %v", i, err)
		}
		if strings.Contains(fmt.Sprint(err), "secret") {
			t.Errorf("%d: the error shows a secret: %v", i, err)
		}
	}
}

func TestErrorsHaveKindStatusCodeRequestIDAndRetryAfter(t *testing.T) {
	for status, kind := range map[int]error{
		400: ErrInvalidRequest, 401: ErrUnauthorized, 403: ErrForbidden, 404: ErrNotFound, 405: ErrInvalidRequest,
		409: ErrConflict, 412: ErrConflict, 413: ErrInvalidRequest, 429: ErrRateLimited, 500: ErrServer,
		502: ErrUnavailable, 503: ErrUnavailable, 504: ErrUnavailable, 302: ErrRedirect,
	} {
		client := serve(t, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Retry-After", "7")
			w.Header().Set("Location", "http://127.0.0.1:1/elsewhere")
			reply(status, "application/json; charset=utf-8", `{"message":"No","code":"c","field":"f","request_id":"r"}`)(w, r)
		}, WithAPIKey("a-secret-key"))
		_, err := client.Start(t.Context(), nil)
		var refused *Error
		if !errors.Is(err, kind) || !errors.As(err, &refused) {
			t.Fatalf("%d: got %v", status, err)
		}
		if refused.StatusCode != status || refused.Code != "c" || refused.Field != "f" || refused.RequestID != "r" || refused.RetryAfter != 7*time.Second {
			t.Errorf("%d: got %+v", status, refused)
		}
		if status != 302 && err.Error() != fmt.Sprintf("POST /start: %d No (f) [request r]", status) {
			t.Errorf("%d: got %q", status, err)
		}
		if strings.Contains(fmt.Sprintf("%+v", refused), "a-secret-key") {
			t.Error("the error shows the key")
		}
	}
}

func TestErrorsOfAgentServersAndOfOthersAreReadAsFarAsTheyGo(t *testing.T) {
	for name, test := range map[string]struct {
		contentType, body, message string
		kind                       error
	}{
		"problem document": {"application/problem+json", `{"title":"T","detail":"D","errors":[{"message":"E"}]}`, "D: E", ErrServer},
		"busy agent":       {"application/problem+json", `{"detail":"failed","errors":[{"message":"the agent is not waiting for user input"}]}`, "failed: the agent is not waiting for user input", ErrAgentBusy},
		"plain text":       {"text/plain; charset=utf-8", "Bad Gateway\n", "Bad Gateway", ErrServer},
		"page":             {"text/html", "<html>", "Internal Server Error", ErrServer},
		"broken JSON":      {"application/json", "{", "Internal Server Error", ErrServer},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := serve(t, reply(500, test.contentType, test.body)).GetStatus(t.Context(), "id")
			var refused *Error
			if !errors.As(err, &refused) || refused.Message != test.message || !errors.Is(err, test.kind) {
				t.Fatalf("got %v", err)
			}
		})
	}
}

func TestRetryAfterIsSecondsOrADate(t *testing.T) {
	now := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	for value, want := range map[string]time.Duration{
		"": 0, "3": 3 * time.Second, "-3": 0, "nonsense": 0,
		"Tue, 01 Jan 2030 00:01:00 GMT": time.Minute, "Mon, 31 Dec 2029 23:00:00 GMT": 0,
	} {
		if got := retryAfter(value, now); got != want {
			t.Errorf("%q: got %v", value, got)
		}
	}
	if retryAfter("99999999999999999", now) <= 0 {
		t.Error("a huge number has overflowed")
	}
}

func TestAnswersAreBoundedAndMustBeOfThisAPI(t *testing.T) {
	ctx := t.Context()
	endless := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		chunk := bytes.Repeat([]byte(" "), 1<<20)
		for range maxAnswer>>20 + 1 {
			if _, err := w.Write(chunk); err != nil {
				return
			}
		}
	})
	if _, err := endless.GetMessages(ctx, "id"); !errors.Is(err, ErrInvalidResponse) {
		t.Errorf("endless: %v", err)
	}
	if _, err := serve(t, reply(200, "text/html", "<html>")).Version(ctx); !errors.Is(err, ErrInvalidResponse) {
		t.Errorf("page: %v", err)
	}
	for _, err := range serve(t, reply(200, "text/html", "<html>")).Events(ctx, "id", nil) {
		if !errors.Is(err, ErrInvalidResponse) {
			t.Errorf("page for a stream: %v", err)
		}
	}
}

func TestACallEndsWithItsContextAndWithItsLimit(t *testing.T) {
	hang := func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
	limited := serve(t, hang, WithTimeout(20*time.Millisecond))
	if _, err := limited.GetStatus(t.Context(), "id"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("limit: %v", err)
	}
	why := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	time.AfterFunc(20*time.Millisecond, func() { cancel(why) })
	if _, err := serve(t, hang).GetStatus(ctx, "id"); !errors.Is(err, why) {
		t.Errorf("context: %v", err)
	}
}

func TestGitHasLongerThanTheServerTakesBeforeItGivesUp(t *testing.T) {
	left := map[string]time.Duration{}
	transport := roundTripper(func(r *http.Request) (*http.Response, error) {
		deadline, _ := r.Context().Deadline()
		left[r.URL.Path] = time.Until(deadline)
		return http.DefaultTransport.RoundTrip(r)
	})
	client := serve(t, reply(200, "application/json", "{}"), WithHTTPClient(&http.Client{Transport: transport}))
	ctx := t.Context()
	_, status := client.GitStatus(ctx, "id")
	_, diff := client.GitDiff(ctx, "id")
	_, pull := client.CreatePullRequest(ctx, "id", PullRequestRequest{Title: "t"})
	_, push := client.GitPush(ctx, "id", GitPushRequest{})
	if err := errors.Join(status, diff, pull, push); err != nil {
		t.Fatal(err)
	}
	for path, server := range map[string]time.Duration{
		"/sessions/id/git/status":       time.Minute,
		"/sessions/id/git/diff":         time.Minute,
		"/sessions/id/git/pull-request": time.Minute,
		"/sessions/id/git/push":         5 * time.Minute,
	} {
		if left[path] <= server {
			t.Errorf("%s has %v, and the server %v", path, left[path], server)
		}
	}
}

func TestKeyAndHeadersAreSentAndAnotherClientsTransportIsUsed(t *testing.T) {
	var header http.Header
	used := false
	transport := roundTripper(func(r *http.Request) (*http.Response, error) {
		used = true
		return http.DefaultTransport.RoundTrip(r)
	})
	client := serve(t, func(w http.ResponseWriter, r *http.Request) {
		header = r.Header
		reply(200, "application/json", "{}")(w, r)
	}, WithAPIKey("key"), WithHeader("X-Team", "docs"), WithHTTPClient(&http.Client{Transport: transport}))
	if err := client.Health(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !used || header.Get("X-Api-Key") != "key" || header.Get("X-Team") != "docs" {
		t.Fatalf("used %v, header %v", used, header)
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestRequestsHaveTheMembersOfTheWire(t *testing.T) {
	for want, request := range map[string]any{
		`{}`: &StartRequest{},
		`{"user_id":"a","environment":{"A":"b"},"tags":{"c":"d"},"message":"m","agent":"demo"}`: &StartRequest{UserID: "a", Environment: map[string]string{"A": "b"}, Tags: map[string]string{"c": "d"}, Message: "m", Agent: "demo"},
		`{"agent":"demo","profile_id":"p"}`:                                                     &StartWithProfileRequest{StartRequest: StartRequest{Agent: "demo"}, ProfileID: "p"},
		`{"name":"","environment":{}}`:                                                          &ProfileRequest{Name: Ptr(""), Environment: map[string]string{}},
	} {
		if got, err := json.Marshal(request); err != nil || string(got) != want {
			t.Errorf("got %s, %v; want %s", got, err, want)
		}
	}
}

func TestAllSessionsReadsEveryPageAndNoMoreThanAsked(t *testing.T) {
	pages := 0
	client := serve(t, func(w http.ResponseWriter, r *http.Request) {
		pages++
		next := map[string]string{"": "2", "2": "3", "3": ""}[r.URL.Query().Get("cursor")]
		reply(200, "application/json", fmt.Sprintf(`{"sessions":[{"session_id":"s%d","tags":null}],"next_cursor":%q}`, pages, next))(w, r)
	})
	ids := ""
	for session, err := range client.AllSessions(t.Context(), SearchFilter{}) {
		if err != nil {
			t.Fatal(err)
		}
		ids += session.SessionID
	}
	if ids != "s1s2s3" {
		t.Errorf("got %s", ids)
	}
	for range client.AllSessions(t.Context(), SearchFilter{}) {
		break
	}
	if pages != 4 {
		t.Errorf("%d pages were read", pages)
	}
}
