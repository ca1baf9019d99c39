package client

import (
	"context"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// State is the state of a session.
type State string

// States of a session; failed is reached from the first three only.
const (
	StateCreating State = "creating"
	StateStarting State = "starting"
	StateRunning  State = "running"
	StateStopping State = "stopping"
	StateStopped  State = "stopped"
	StateFailed   State = "failed"
)

// StartRequest says what a new session gets. Everything is optional.
type StartRequest struct {
	// UserID names the owner. It counts while authentication is off, and for administrators.
	UserID string `json:"user_id,omitzero"`
	// Environment has variables for the agent.
	Environment map[string]string `json:"environment,omitzero"`
	// Tags are stored with the session and can be searched for.
	Tags map[string]string `json:"tags,omitzero"`
	// Message is sent once, when the agent is ready.
	Message string `json:"message,omitzero"`
	// Agent names an agent of the server's configuration; else its default.
	Agent string `json:"agent,omitzero"`
	// AgentArgs are appended to the agent's arguments.
	AgentArgs []string `json:"agent_args,omitzero"`
	// Script names the start script; else the server chooses.
	Script string `json:"script,omitzero"`
	// Repository is cloned into the session's workspace: OWNER/NAME, or its address.
	Repository string `json:"repository,omitzero"`
	// Branch is checked out, or made first if CreateBranch is set and there is none.
	Branch       string `json:"branch,omitzero"`
	CreateBranch bool   `json:"create_branch,omitzero"`
	// Ref is a branch, tag or commit to check out.
	Ref string `json:"ref,omitzero"`
	// Depth limits how much history is fetched.
	Depth int `json:"depth,omitzero"`
	// GitHubToken is used for the repository instead of the profile's and the server's.
	GitHubToken string `json:"github_token,omitzero"`
}

// StartResponse names the new session.
type StartResponse struct {
	SessionID string `json:"session_id"`
}

// SessionInfo is one row of a search.
type SessionInfo struct {
	SessionID string `json:"session_id"`
	UserID    string `json:"user_id"`
	// Status is "active", "stopped" or "failed"; State tells more.
	Status        string            `json:"status"`
	State         State             `json:"state"`
	Agent         string            `json:"agent"`
	Port          int               `json:"port"`
	StartedAt     time.Time         `json:"started_at"`
	CreatedAt     time.Time         `json:"created_at"`
	UpdatedAt     time.Time         `json:"updated_at"`
	Tags          map[string]string `json:"tags"`
	WorkspaceName string            `json:"workspace_name"`
	// ProfileID is the profile that the session was started with; empty when there was none.
	ProfileID string `json:"profile_id"`
	// Access is what the caller may do with the session: "own", "write" or "read"; older servers do not tell.
	Access string `json:"access"`
}

// SearchResponse is one page of a search, newest session first.
type SearchResponse struct {
	Sessions []SessionInfo `json:"sessions"`
	// NextCursor is empty on the last page.
	NextCursor string `json:"next_cursor"`
}

// SearchFilter narrows a search. The zero value finds every session that has not ended.
type SearchFilter struct {
	// UserID is the owner; it has an effect for those who see sessions of others.
	UserID string
	// Status is exactly this word: "active", "stopped" or "failed".
	Status string
	// States are any of these; State("all") also finds sessions that have ended.
	States []State
	// Tags must all be there with exactly these values.
	Tags map[string]string
	// Limit is the length of a page, Cursor the NextCursor of the page before.
	Limit  int
	Cursor string
}

func (f SearchFilter) query() url.Values {
	query := url.Values{}
	set := func(name, value string) {
		if value != "" {
			query.Set(name, value)
		}
	}
	set("user_id", f.UserID)
	set("status", f.Status)
	states := make([]string, len(f.States))
	for i, state := range f.States {
		states[i] = string(state)
	}
	set("state", strings.Join(states, ","))
	set("cursor", f.Cursor)
	if f.Limit != 0 {
		query.Set("limit", strconv.Itoa(f.Limit))
	}
	for name, value := range f.Tags {
		query.Set("tag."+name, value)
	}
	return query
}

// SessionDetails is everything the server tells about one session.
type SessionDetails struct {
	SessionInfo
	AgentType   string `json:"agent_type"`
	AgentServer string `json:"agent_server"`
	// EnvironmentNames are the names of the variables of the request; values are never shown.
	EnvironmentNames []string `json:"environment_names"`
	// Reason says why the session is in its state; empty on the ordinary way.
	Reason     string   `json:"reason"`
	ExitCode   *int     `json:"exit_code"`
	ExitSignal string   `json:"exit_signal"`
	LastOutput []string `json:"last_output"`
	// InitialMessage tells what became of the message given at the start; nil without one.
	InitialMessage *InitialMessage `json:"initial_message"`
	History        []StateChange   `json:"history"`
}

// InitialMessage tells what became of the message given at the start.
type InitialMessage struct {
	// State is "pending", "delivered" or "failed".
	State  string    `json:"state"`
	At     time.Time `json:"at"`
	Reason string    `json:"reason"`
}

// StateChange is one entry of a session's history.
type StateChange struct {
	State  State     `json:"state"`
	At     time.Time `json:"at"`
	Reason string    `json:"reason"`
}

// DeleteResponse answers a deletion.
type DeleteResponse struct {
	Message   string `json:"message"`
	SessionID string `json:"session_id"`
	// Status is "terminated", or "terminating" when a process cannot be ended yet; delete again later then.
	Status string `json:"status"`
}

// Start starts a session; nil asks for one with the server's defaults. It returns before the agent is ready.
func (c *Client) Start(ctx context.Context, request *StartRequest) (*StartResponse, error) {
	if request == nil {
		request = &StartRequest{}
	}
	return get[StartResponse](ctx, c, call{method: http.MethodPost, path: "/start", json: request})
}

// Search finds sessions of a user with a status; empty ones do not narrow the search.
func (c *Client) Search(ctx context.Context, userID, status string) (*SearchResponse, error) {
	return c.SearchSessions(ctx, SearchFilter{UserID: userID, Status: status})
}

// SearchWithTags finds sessions with a status that carry all the tags.
func (c *Client) SearchWithTags(ctx context.Context, status string, tags map[string]string) (*SearchResponse, error) {
	return c.SearchSessions(ctx, SearchFilter{Status: status, Tags: tags})
}

// SearchSessions finds sessions, one page of them.
func (c *Client) SearchSessions(ctx context.Context, filter SearchFilter) (*SearchResponse, error) {
	return get[SearchResponse](ctx, c, call{method: http.MethodGet, path: "/search", query: filter.query()})
}

// AllSessions finds sessions on all pages. It ends after the first error.
func (c *Client) AllSessions(ctx context.Context, filter SearchFilter) iter.Seq2[SessionInfo, error] {
	return func(yield func(SessionInfo, error) bool) {
		for {
			page, err := c.SearchSessions(ctx, filter)
			if err != nil {
				yield(SessionInfo{}, err)
				return
			}
			for _, session := range page.Sessions {
				if !yield(session, nil) {
					return
				}
			}
			if page.NextCursor == "" {
				return
			}
			filter.Cursor = page.NextCursor
		}
	}
}

// GetSession returns a session's record, also of one that has ended.
func (c *Client) GetSession(ctx context.Context, sessionID string) (*SessionDetails, error) {
	return recordCall[SessionDetails](ctx, c, http.MethodGet, sessionID, "", nil)
}

// GetLog returns the last lines that the session's processes printed; 0 asks for the server's usual number.
func (c *Client) GetLog(ctx context.Context, sessionID string, lines int) (string, error) {
	path, err := recordPath(sessionID, "/log")
	if err != nil {
		return "", err
	}
	query := url.Values{}
	if lines != 0 {
		query.Set("lines", strconv.Itoa(lines))
	}
	text, _, err := c.read(ctx, call{method: http.MethodGet, path: path, query: query, accept: "text/plain"})
	return string(text), err
}

// ResumeSession starts a session that has ended again, in its workspace and with its conversation. It is
// [ErrConflict] while the session lives, and when its workspace is gone.
func (c *Client) ResumeSession(ctx context.Context, sessionID string) (*StartResponse, error) {
	return recordCall[StartResponse](ctx, c, http.MethodPost, sessionID, "/resume", nil)
}

// DeleteSession ends a session and removes its workspace. It returns when no process of the session is left. An
// unknown session is [ErrNotFound].
func (c *Client) DeleteSession(ctx context.Context, sessionID string) (*DeleteResponse, error) {
	return recordCall[DeleteResponse](ctx, c, http.MethodDelete, sessionID, "", nil)
}

func recordPath(sessionID, rest string) (string, error) {
	id, err := segment("session", sessionID)
	return "/sessions/" + id + rest, err
}

// recordCall calls /sessions/ID and what is below it.
func recordCall[T any](ctx context.Context, c *Client, method, sessionID, rest string, body any) (*T, error) {
	path, err := recordPath(sessionID, rest)
	if err != nil {
		return nil, err
	}
	return get[T](ctx, c, call{method: method, path: path, json: body})
}
