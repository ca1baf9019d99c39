package client

import (
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Kinds of errors, for [errors.Is].
var (
	// ErrInvalidRequest: the request itself is wrong (400, 405, 413, 415, 422 and other 4xx).
	ErrInvalidRequest = errors.New("invalid request")
	// ErrUnauthorized: no key, or one that the server does not accept (401).
	ErrUnauthorized = errors.New("unauthorized")
	// ErrForbidden: the key may not do this, or the thing is somebody else's (403).
	ErrForbidden = errors.New("forbidden")
	// ErrNotFound: no such session, profile, key or route (404).
	ErrNotFound = errors.New("not found")
	// ErrConflict: the thing is in a state that does not allow this (409), or was changed since (412).
	ErrConflict = errors.New("conflict")
	// ErrRateLimited: too many sessions or too many starts (429).
	ErrRateLimited = errors.New("rate limited")
	// ErrAgentBusy: the agent does not wait for input, so the message was refused.
	ErrAgentBusy = errors.New("agent busy")
	// ErrUnavailable: starting, shutting down or unreachable behind the proxy (502, 503, 504).
	ErrUnavailable = errors.New("unavailable")
	// ErrRedirect: the server sent the request elsewhere (3xx), which is never followed.
	ErrRedirect = errors.New("redirect")
	// ErrServer: every other failure of the server.
	ErrServer = errors.New("server error")

	// ErrInvalidArgument: an argument cannot be right; no request was made.
	ErrInvalidArgument = errors.New("invalid argument")
	// ErrInvalidResponse: the server answered with something that this API does not give; often a wrong base URL.
	ErrInvalidResponse = errors.New("invalid response")
	// ErrSessionEnded: the session is over; see [SessionEndedError].
	ErrSessionEnded = errors.New("session ended")
)

// Error is what the server said when it refused or failed.
type Error struct {
	// Method and Path of the request.
	Method, Path string
	// StatusCode of the answer.
	StatusCode int
	// Code is the stable error code of the proxy, such as "session_not_found"; empty in answers of agents.
	Code string
	// Message is the server's own text.
	Message string
	// Field names the member, query parameter or variable that was wrong.
	Field string
	// RequestID is what the server's log calls the request.
	RequestID string
	// RetryAfter is how long the server asks to wait before the next try; 0 if it does not.
	RetryAfter time.Duration
	// Body of the answer, cut after 1 MiB.
	Body []byte
}

// Error names request, status, message and request id.
func (e *Error) Error() string {
	text := fmt.Sprintf("%s %s: %d %s", e.Method, e.Path, e.StatusCode, e.Message)
	if e.Field != "" {
		text += " (" + e.Field + ")"
	}
	if e.RequestID != "" {
		text += " [request " + e.RequestID + "]"
	}
	return text
}

// Is tells whether the error is of a kind: [ErrNotFound] and the others.
func (e *Error) Is(target error) bool { return target == e.kind() }

func (e *Error) kind() error {
	switch status := e.StatusCode; {
	case strings.Contains(e.Message, busyText):
		return ErrAgentBusy
	case status == http.StatusUnauthorized:
		return ErrUnauthorized
	case status == http.StatusForbidden:
		return ErrForbidden
	case status == http.StatusNotFound:
		return ErrNotFound
	case status == http.StatusConflict, status == http.StatusPreconditionFailed:
		return ErrConflict
	case status == http.StatusTooManyRequests:
		return ErrRateLimited
	case status >= 502 && status <= 504:
		return ErrUnavailable
	case status < 400:
		return ErrRedirect
	case status < 500:
		return ErrInvalidRequest
	default:
		return ErrServer
	}
}

// isTransient tells whether the same request may succeed later, without any change on the caller's side.
func (e *Error) isTransient() bool {
	switch e.StatusCode {
	case http.StatusNotImplemented:
		return false
	case http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests:
		return true
	}
	return e.StatusCode >= 500
}

// isSessionUnknown tells whether the proxy does not know the session (any more).
func (e *Error) isSessionUnknown() bool {
	if e.StatusCode != http.StatusNotFound {
		return false
	}
	return e.Code == "session_not_found" || (e.Code == "" && strings.EqualFold(e.Message, "session not found"))
}

// SessionEndedError says that a session is over, so that what the caller waits for cannot come any more.
type SessionEndedError struct {
	SessionID string
	// Session is the record with state, reason, exit code and last output; nil when the server keeps none.
	Session *SessionDetails
	// Cause is what told of the end.
	Cause error
}

func (e *SessionEndedError) Error() string {
	if e.Session == nil {
		return fmt.Sprintf("session %s has ended", e.SessionID)
	}
	text := fmt.Sprintf("session %s has %s", e.SessionID, e.Session.State)
	if e.Session.Reason != "" {
		text += ": " + e.Session.Reason
	}
	return text
}

// Is makes [ErrSessionEnded] stand for every error of this type.
func (e *SessionEndedError) Is(target error) bool { return target == ErrSessionEnded }

// Unwrap returns the cause.
func (e *SessionEndedError) Unwrap() error { return e.Cause }

// busyText is how an agent server words "not now"; its status is 500 for every refusal.
const busyText = "waiting for user input"

// maxPlainMessage is the longest plain text that is taken over as an error's message.
const maxPlainMessage = 300

func invalidArgument(text string) error { return fmt.Errorf("%w: %s", ErrInvalidArgument, text) }

func invalidResponse(call, text string) error {
	return fmt.Errorf("%w: %s: %s", ErrInvalidResponse, call, text)
}

// errorBody has the members of the proxy's errors, and those of an agent server's problem document.
type errorBody struct {
	Message   string `json:"message"`
	Code      string `json:"code"`
	RequestID string `json:"request_id"`
	Field     string `json:"field"`
	Detail    string `json:"detail"`
	Title     string `json:"title"`
	Errors    []struct {
		Message string `json:"message"`
	} `json:"errors"`
}

// errorOf makes the error of an answer that is no success.
func errorOf(method, path string, response *http.Response, body []byte) *Error {
	said := errorBody{}
	mediaType, _, _ := mime.ParseMediaType(response.Header.Get("Content-Type"))
	if strings.HasSuffix(mediaType, "json") {
		// What cannot be read leaves the status to speak.
		_ = json.Unmarshal(body, &said)
	}
	message := said.Message
	if message == "" {
		message = problemText(said)
	}
	if plain := strings.TrimSpace(string(body)); message == "" && mediaType == "text/plain" && len(plain) <= maxPlainMessage {
		message = plain
	}
	if location := response.Header.Get("Location"); response.StatusCode < 400 && location != "" {
		message = "the server redirects to " + location + "; use the final address as base URL"
	}
	if message == "" {
		message = http.StatusText(response.StatusCode)
	}
	requestID := said.RequestID
	if requestID == "" {
		requestID = response.Header.Get("X-Request-Id")
	}
	return &Error{
		Method:     method,
		Path:       path,
		StatusCode: response.StatusCode,
		Code:       said.Code,
		Message:    message,
		Field:      said.Field,
		RequestID:  requestID,
		RetryAfter: retryAfter(response.Header.Get("Retry-After"), time.Now()),
		Body:       body,
	}
}

func problemText(said errorBody) string {
	parts := []string{}
	if said.Detail != "" {
		parts = append(parts, said.Detail)
	} else if said.Title != "" {
		parts = append(parts, said.Title)
	}
	for _, reason := range said.Errors {
		if reason.Message != "" {
			parts = append(parts, reason.Message)
		}
	}
	return strings.Join(parts, ": ")
}

// retryAfter reads the header of that name: seconds, or a date.
func retryAfter(value string, now time.Time) time.Duration {
	const maxSeconds = int64(1 << 31)
	if seconds, err := strconv.ParseInt(strings.TrimSpace(value), 10, 64); err == nil {
		return time.Duration(min(max(seconds, 0), maxSeconds)) * time.Second
	}
	if at, err := http.ParseTime(value); err == nil {
		return max(at.Sub(now), 0)
	}
	return 0
}
