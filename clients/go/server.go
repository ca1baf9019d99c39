package client

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// Version tells which server it is.
type Version struct {
	Name         string    `json:"name"`
	Version      string    `json:"version"`
	Node         string    `json:"node"`
	AgentServer  string    `json:"agent_server"`
	DefaultAgent string    `json:"default_agent"`
	StartedAt    time.Time `json:"started_at"`
}

// AuditEntry is something that was done, or refused. What does not apply is empty.
type AuditEntry struct {
	ID     int       `json:"id"`
	At     time.Time `json:"at"`
	UserID string    `json:"user_id"`
	KeyID  string    `json:"key_id"`
	Action string    `json:"action"`
	// Outcome is "allowed", "denied" (refused) or "failed" (allowed, but it did not work).
	Outcome       string `json:"outcome"`
	TargetKind    string `json:"target_kind"`
	TargetID      string `json:"target_id"`
	RemoteAddress string `json:"remote_address"`
	RequestID     string `json:"request_id"`
	// Details are texts, numbers and booleans.
	Details map[string]any `json:"details"`
}

// AuditPage is one page of the audit log, newest entry first.
type AuditPage struct {
	Entries []AuditEntry `json:"entries"`
	// NextCursor is empty on the last page.
	NextCursor string `json:"next_cursor"`
}

// AuditFilter narrows the audit log.
type AuditFilter struct {
	UserID string
	Action string
	Limit  int
	Cursor string
}

// Health returns nil while the server works.
func (c *Client) Health(ctx context.Context) error {
	_, err := get[struct{}](ctx, c, call{method: http.MethodGet, path: "/health"})
	return err
}

// Version tells which version of the server it is.
func (c *Client) Version(ctx context.Context) (*Version, error) {
	return get[Version](ctx, c, call{method: http.MethodGet, path: "/version"})
}

// Audit returns one page of the audit log; for administrators.
func (c *Client) Audit(ctx context.Context, filter AuditFilter) (*AuditPage, error) {
	query := url.Values{}
	for name, value := range map[string]string{"user_id": filter.UserID, "action": filter.Action, "cursor": filter.Cursor} {
		if value != "" {
			query.Set(name, value)
		}
	}
	if filter.Limit != 0 {
		query.Set("limit", strconv.Itoa(filter.Limit))
	}
	return get[AuditPage](ctx, c, call{method: http.MethodGet, path: "/audit", query: query})
}
