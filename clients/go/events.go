package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"math/rand/v2"
	"time"
)

// EventType tells what an [Event] is about.
type EventType string

const (
	// EventMessageUpdate: a message is new, or has grown; Message has its full text.
	EventMessageUpdate EventType = "message_update"
	// EventStatusChange: the agent began to work, or waits for input again; see Status.
	EventStatusChange EventType = "status_change"
	// EventAgentError: the agent server has a problem that the conversation does not show; see AgentError.
	EventAgentError EventType = "agent_error"
	// EventUnknown: of a newer server, or not understood; see Name and Data.
	EventUnknown EventType = "unknown"
)

// Event is one event of a session.
type Event struct {
	Type EventType
	// Message of an EventMessageUpdate, else nil.
	Message *Message
	// Status of an EventStatusChange, else empty.
	Status Status
	// AgentError of an EventAgentError, else nil.
	AgentError *AgentError
	// Name and Data as received.
	Name string
	Data []byte
}

// AgentError is a problem of an agent server.
type AgentError struct {
	Message string `json:"message"`
	// Level is "warning" or "error".
	Level string    `json:"level"`
	Time  time.Time `json:"time"`
}

// EventOptions changes how [Client.Events] follows a session. The zero value is good for most.
type EventOptions struct {
	// NoReconnect ends the events with the first connection.
	NoReconnect bool
	// OnReconnect is called before each pause; err is why the connection before has ended.
	OnReconnect func(attempt int, pause time.Duration, err error)
	// Silence is how long a connection may say nothing before it counts as lost; 0 means a minute.
	Silence time.Duration
}

const (
	// defaultSilence is four of the comments that the proxy sends while an agent is quiet.
	defaultSilence = time.Minute
	minPause       = 250 * time.Millisecond
	maxPause       = 15 * time.Second
	// steadyConnection: after one that held this long, the pauses begin small again.
	steadyConnection = 10 * time.Second
	// maxFirstAttempts: a server that was never reached is more likely misnamed than away.
	maxFirstAttempts = 3
)

var errSilent = errors.New("the event stream was silent for too long")

// Events is a session's conversation as it happens: first everything so far, then every change, until ctx or the
// loop ends. A lost connection is replaced; the server then repeats everything, and what was delivered before and
// has not changed is left out. The end of the session is a [SessionEndedError]. An error is the last thing
// delivered. Nothing runs while the loop's body does, and nothing is left when the loop is.
func (c *Client) Events(ctx context.Context, sessionID string, options *EventOptions) iter.Seq2[Event, error] {
	f := follower{client: c, sessionID: sessionID}
	if options != nil {
		f.options = *options
	}
	if f.options.Silence <= 0 {
		f.options.Silence = defaultSilence
	}
	return func(yield func(Event, error) bool) {
		if err := f.follow(ctx, func(event Event) bool { return yield(event, nil) }); err != nil {
			yield(Event{}, err)
		}
	}
}

// StreamEvents is [Client.Events] on channels, as the reference's library has it. The first channel is closed when
// the stream ends; then the second delivers the reason, once. Cancel ctx when you stop reading before that.
func (c *Client) StreamEvents(ctx context.Context, sessionID string) (<-chan Event, <-chan error) {
	events := make(chan Event, 100)
	ended := make(chan error, 1)
	go func() {
		defer close(ended)
		defer close(events)
		for event, err := range c.Events(ctx, sessionID, nil) {
			if err != nil {
				ended <- err
				return
			}
			select {
			case events <- event:
			case <-ctx.Done():
				ended <- context.Cause(ctx)
				return
			}
		}
	}()
	return events, ended
}

// follower is one run through a session's events.
type follower struct {
	client    *Client
	sessionID string
	options   EventOptions
	replay    replayFilter
	// connected: the stream was open at least once.
	connected bool
}

// follow delivers events until deliver returns false (nil) or something ends them for good.
func (f follower) follow(ctx context.Context, deliver func(Event) bool) error {
	path, err := agentPath(f.sessionID, "events")
	if err != nil {
		return err
	}
	f.replay = newReplayFilter()
	for attempt := 1; ; attempt++ {
		good, cause := f.connection(ctx, path, deliver)
		if cause == nil {
			return nil
		}
		if ctx.Err() != nil {
			return fmt.Errorf("GET %s: %w", path, context.Cause(ctx))
		}
		if f.options.NoReconnect {
			return cause
		}
		err := f.judge(ctx, cause)
		if ctx.Err() != nil {
			return fmt.Errorf("GET %s: %w", path, context.Cause(ctx))
		}
		if err != nil {
			return err
		}
		if good {
			attempt = 1
		}
		var refused *Error
		isRefused := errors.As(cause, &refused)
		if !f.connected && !isRefused && attempt >= maxFirstAttempts {
			return cause
		}
		pause := backoff(attempt)
		if isRefused {
			pause = max(pause, refused.RetryAfter)
		}
		if f.options.OnReconnect != nil {
			f.options.OnReconnect(attempt, pause, cause)
		}
		if err := sleep(ctx, pause); err != nil {
			return fmt.Errorf("GET %s: %w", path, err)
		}
	}
}

// connection delivers what is new on one connection, and tells whether it was a good one: it brought something new
// or held for a while. The error is nil only when deliver wants no more.
func (f *follower) connection(ctx context.Context, path string, deliver func(Event) bool) (good bool, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	body, err := f.client.stream(ctx, cancel, path)
	if err != nil {
		return false, err
	}
	defer body.Close()
	f.connected = true
	f.replay.connect()
	opened := time.Now()
	defer func() { good = good || time.Since(opened) >= steadyConnection }()
	in := newSSEReader(newIdleReader(body, f.options.Silence, cancel))
	for {
		name, data, err := in.next()
		if errors.Is(err, io.EOF) {
			return good, fmt.Errorf("GET %s: the server ended the event stream: %w", path, io.ErrUnexpectedEOF)
		}
		if err != nil {
			return good, brokenBy(ctx, call{method: "GET", path: path}, err)
		}
		event := parseEvent(name, data)
		if !f.replay.isNews(event) {
			continue
		}
		good = true
		if !deliver(event) {
			return good, nil
		}
	}
}

// judge returns the error that ends the stream, or nil when trying again can help.
func (f *follower) judge(ctx context.Context, cause error) error {
	if errors.Is(cause, ErrInvalidResponse) || errors.Is(cause, ErrInvalidArgument) {
		return cause
	}
	var refused *Error
	if !errors.As(cause, &refused) {
		return nil
	}
	unknown := refused.isSessionUnknown()
	if !unknown && !refused.isTransient() {
		return cause
	}
	// A failed session may answer "unavailable" for as long as its record is kept.
	session, err := f.client.GetSession(ctx, f.sessionID)
	if err != nil {
		session = nil
	}
	isOver := session == nil && unknown && f.connected
	if session != nil {
		isOver = session.State == StateStopped || session.State == StateFailed || (unknown && session.State == StateStopping)
	}
	if isOver {
		return &SessionEndedError{SessionID: f.sessionID, Session: session, Cause: cause}
	}
	if unknown {
		return cause
	}
	return nil
}

func parseEvent(name string, data []byte) Event {
	event := Event{Type: EventUnknown, Name: name, Data: data}
	switch EventType(name) {
	case EventMessageUpdate:
		// What GET /messages calls content is message here.
		var update struct {
			Message
			Text *string `json:"message"`
		}
		if json.Unmarshal(data, &update) == nil && update.Text != nil {
			update.Content = *update.Text
			event.Type, event.Message = EventMessageUpdate, &update.Message
		}
	case EventStatusChange:
		var change StatusResponse
		if json.Unmarshal(data, &change) == nil && change.Status != "" {
			event.Type, event.Status = EventStatusChange, change.Status
		}
	case EventAgentError:
		var problem AgentError
		if json.Unmarshal(data, &problem) == nil && problem.Message != "" {
			event.Type, event.AgentError = EventAgentError, &problem
		}
	}
	return event
}

// backoff draws the pause before an attempt from the upper half of a bound that doubles, so that many clients of a
// restarted server do not come back in step.
func backoff(attempt int) time.Duration {
	bound := min(maxPause, minPause<<min(attempt-1, 10))
	return bound/2 + rand.N(bound/2)
}

func sleep(ctx context.Context, pause time.Duration) error {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// idleReader cancels the connection when a read takes longer than the limit. Between reads no time passes: a
// consumer that takes its time is not a silent server.
type idleReader struct {
	in    io.Reader
	limit time.Duration
	timer *time.Timer
}

func newIdleReader(in io.Reader, limit time.Duration, cancel context.CancelCauseFunc) *idleReader {
	timer := time.AfterFunc(limit, func() { cancel(errSilent) })
	timer.Stop()
	return &idleReader{in: in, limit: limit, timer: timer}
}

func (r *idleReader) Read(into []byte) (int, error) {
	r.timer.Reset(r.limit)
	defer r.timer.Stop()
	return r.in.Read(into)
}
