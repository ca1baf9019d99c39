package client

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// connections serves the n-th connection to /id/events from a script, and the session's record.
func connections(t *testing.T, record string, scripts ...string) (*Client, *atomic.Int32) {
	t.Helper()
	count := &atomic.Int32{}
	client := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/sessions/id" {
			status := 200
			if record == "" {
				status = 404
			}
			reply(status, "application/json", record)(w, r)
			return
		}
		n := int(count.Add(1))
		if n > len(scripts) {
			reply(404, "application/json", `{"message":"Session not found","code":"session_not_found"}`)(w, r)
			return
		}
		w.Header().Set("Content-Type", "text/event-stream")
		script, hang := strings.CutSuffix(scripts[n-1], "HANG")
		fmt.Fprint(w, script)
		w.(http.Flusher).Flush()
		if hang {
			<-r.Context().Done()
		}
	})
	return client, count
}

func message(id int, role, text string) string {
	return fmt.Sprintf("event: message_update\ndata: {\"id\":%d,\"role\":%q,\"message\":%q,\"time\":\"2030-01-01T00:00:00Z\"}\n\n", id, role, text)
}

func status(word string) string {
	return fmt.Sprintf("event: status_change\ndata: {\"status\":%q,\"agent_type\":\"custom\"}\n\n", word)
}

func describe(event Event) string {
	switch event.Type {
	case EventMessageUpdate:
		return fmt.Sprintf("%d %s %s", event.Message.ID, event.Message.Role, event.Message.Content)
	case EventStatusChange:
		return string(event.Status)
	case EventAgentError:
		return event.AgentError.Level + " " + event.AgentError.Message
	default:
		return "unknown " + event.Name + " " + string(event.Data)
	}
}

const problem = "event: agent_error\ndata: {\"message\":\"oh\",\"level\":\"warning\",\"time\":\"2030-01-01T00:00:00Z\"}\n\n"

func TestLostConnectionsAreReplacedAndRepetitionIsLeftOutUntilTheSessionEnds(t *testing.T) {
	client, _ := connections(t, `{"session_id":"id","state":"stopped","reason":"the agent exited with 0"}`,
		message(0, "agent", "Hello")+status("stable")+problem,
		message(0, "agent", "Hello")+message(1, "user", "Hi")+message(2, "agent", "Yes")+status("stable")+problem,
		message(0, "agent", "Hello")+message(2, "agent", "Yes, more")+status("running")+"event: news\ndata: 1\n\n",
	)
	got, pauses := []string{}, 0
	options := &EventOptions{OnReconnect: func(int, time.Duration, error) { pauses++ }}
	var ended *SessionEndedError
	for event, err := range client.Events(t.Context(), "id", options) {
		if err != nil {
			if !errors.As(err, &ended) || !errors.Is(err, ErrSessionEnded) || !errors.Is(err, ErrNotFound) {
				t.Fatalf("got %v", err)
			}
			break
		}
		got = append(got, describe(event))
	}
	want := "0 agent Hello,stable,warning oh,1 user Hi,2 agent Yes,stable,2 agent Yes, more,running,unknown news 1"
	if strings.Join(got, ",") != want {
		t.Errorf("got  %s\nwant %s", strings.Join(got, ","), want)
	}
	if pauses != 3 || ended == nil || ended.Session.Reason != "the agent exited with 0" {
		t.Errorf("%d pauses, ended %+v", pauses, ended)
	}
}

func TestASilentConnectionCountsAsLost(t *testing.T) {
	client, count := connections(t, "", status("stable")+"HANG", status("running")+"HANG")
	for event, err := range client.Events(t.Context(), "id", &EventOptions{Silence: 50 * time.Millisecond}) {
		if err != nil {
			t.Fatal(err)
		}
		if event.Status == StatusRunning {
			break
		}
	}
	if count.Load() != 2 {
		t.Errorf("%d connections", count.Load())
	}
}

func TestWithoutReconnectTheFirstEndIsTheLast(t *testing.T) {
	client, count := connections(t, "", status("stable"))
	var last error
	for _, err := range client.Events(t.Context(), "id", &EventOptions{NoReconnect: true}) {
		last = err
	}
	if last == nil || count.Load() != 1 {
		t.Errorf("error %v after %d connections", last, count.Load())
	}
}

func TestAServerThatWasNeverReachedIsGivenUp(t *testing.T) {
	client := serve(t, nil)
	client.baseURL = "http://127.0.0.1:1"
	var last error
	for _, err := range client.Events(t.Context(), "id", nil) {
		last = err
	}
	var refused *Error
	if last == nil || errors.As(last, &refused) {
		t.Errorf("got %v", last)
	}
}

func TestAnUnknownSessionIsNotFoundAtOnce(t *testing.T) {
	client, count := connections(t, "")
	for _, err := range client.Events(t.Context(), "id", nil) {
		if !errors.Is(err, ErrNotFound) || errors.Is(err, ErrSessionEnded) {
			t.Errorf("got %v", err)
		}
	}
	if count.Load() != 1 {
		t.Errorf("%d connections", count.Load())
	}
}

func TestNothingRunsOnWhenAStreamIsLeft(t *testing.T) {
	client, _ := connections(t, "", status("stable")+"HANG", status("stable")+"HANG", status("stable")+"HANG")
	before := runtime.NumGoroutine()
	for range client.Events(t.Context(), "id", nil) {
		break
	}
	ctx, cancel := context.WithCancel(t.Context())
	events, ended := client.StreamEvents(ctx, "id")
	if event := <-events; event.Status != StatusStable {
		t.Fatalf("got %+v", event)
	}
	cancel()
	for range events {
		t.Error("an event after the end")
	}
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if _, more := <-ended; more {
		t.Error("a second error")
	}
	client.CloseIdleConnections()
	deadline := time.Now().Add(10 * time.Second)
	for runtime.NumGoroutine() > before+1 {
		if time.Now().After(deadline) {
			stacks := make([]byte, 1<<16)
			t.Fatalf("%d goroutines before, now:\n%s", before, stacks[:runtime.Stack(stacks, true)])
		}
		runtime.Gosched()
		time.Sleep(5 * time.Millisecond)
	}
}
