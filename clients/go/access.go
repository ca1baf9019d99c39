package client

import (
	"context"
	"net/http"
	"time"
)

// Me is whom the server takes the caller for.
type Me struct {
	UserID      string   `json:"user_id"`
	Role        string   `json:"role"`
	Permissions []string `json:"permissions"`
	// Authentication is "on" or "off".
	Authentication string    `json:"authentication"`
	ExpiresAt      time.Time `json:"expires_at"`
	// SessionID is the one session that a link is for.
	SessionID string `json:"session_id"`
}

// APIKey is a key that the server issued, without its secret. Times that are not set are zero.
type APIKey struct {
	ID          string    `json:"id"`
	Name        string    `json:"name"`
	Hint        string    `json:"hint"`
	UserID      string    `json:"user_id"`
	Role        string    `json:"role"`
	Permissions []string  `json:"permissions"`
	CreatedBy   string    `json:"created_by"`
	CreatedAt   time.Time `json:"created_at"`
	ExpiresAt   time.Time `json:"expires_at"`
	RevokedAt   time.Time `json:"revoked_at"`
	LastUsedAt  time.Time `json:"last_used_at"`
}

// IssuedAPIKey is a key as it is shown once, when it is made.
type IssuedAPIKey struct {
	APIKey
	// Key is the secret.
	Key string `json:"key"`
}

// APIKeyRequest says what a new key gets. Everything is optional.
type APIKeyRequest struct {
	Name string `json:"name,omitzero"`
	// UserID is the holder; else the caller.
	UserID string `json:"user_id,omitzero"`
	// Role is "admin", "user" or "readonly".
	Role        string    `json:"role,omitzero"`
	Permissions []string  `json:"permissions,omitzero"`
	ExpiresAt   time.Time `json:"expires_at,omitzero"`
}

// RotateAPIKeyRequest says how a key is replaced.
type RotateAPIKeyRequest struct {
	ExpiresAt time.Time `json:"expires_at,omitzero"`
	// OverlapSeconds is how long the old key is good beside the new one; nil leaves it to the server.
	OverlapSeconds *int `json:"overlap_seconds,omitzero"`
}

// Revocation answers when something with an id was taken back.
type Revocation struct {
	Message string `json:"message"`
	ID      string `json:"id"`
}

// SessionShare is a user who may use a session of somebody else.
type SessionShare struct {
	ID        string `json:"id"`
	SessionID string `json:"session_id"`
	UserID    string `json:"user_id"`
	// Access is "read" or "write".
	Access    string    `json:"access"`
	CreatedBy string    `json:"created_by"`
	CreatedAt time.Time `json:"created_at"`
	ExpiresAt time.Time `json:"expires_at"`
}

// ShareLink is a link through which anybody may look on.
type ShareLink struct {
	ID        string    `json:"id"`
	SessionID string    `json:"session_id"`
	CreatedBy string    `json:"created_by"`
	CreatedAt time.Time `json:"created_at"`
	ExpiresAt time.Time `json:"expires_at"`
}

// IssuedShareLink is a link as it is shown once, when it is made.
type IssuedShareLink struct {
	ShareLink
	// Token works as an API key.
	Token string `json:"token"`
}

// SessionShares is everybody who may use a session besides its owner.
type SessionShares struct {
	Shares []SessionShare `json:"shares"`
	Links  []ShareLink    `json:"links"`
}

// ShareRequest says whom to let into a session.
type ShareRequest struct {
	UserID string `json:"user_id"`
	// Access is "read" or "write".
	Access    string    `json:"access"`
	ExpiresAt time.Time `json:"expires_at,omitzero"`
}

// ShareLinkRequest says how long a link is good: one of the two, or a day.
type ShareLinkRequest struct {
	TTLSeconds int       `json:"ttl_seconds,omitzero"`
	ExpiresAt  time.Time `json:"expires_at,omitzero"`
}

// Me tells whom the server takes the caller for.
func (c *Client) Me(ctx context.Context) (*Me, error) {
	return get[Me](ctx, c, call{method: http.MethodGet, path: "/me"})
}

// ListAPIKeys returns the caller's keys; for administrators everybody's, or with userID somebody's.
func (c *Client) ListAPIKeys(ctx context.Context, userID string) ([]APIKey, error) {
	answer, err := get[struct {
		Keys []APIKey `json:"api_keys"`
	}](ctx, c, call{method: http.MethodGet, path: "/api-keys", query: ofUser(userID)})
	if err != nil {
		return nil, err
	}
	return answer.Keys, nil
}

// CreateAPIKey makes a key. Its secret is in this answer only.
func (c *Client) CreateAPIKey(ctx context.Context, request APIKeyRequest) (*IssuedAPIKey, error) {
	return get[IssuedAPIKey](ctx, c, call{method: http.MethodPost, path: "/api-keys", json: request})
}

// RotateAPIKey makes a key that replaces this one, which is good for a while longer.
func (c *Client) RotateAPIKey(ctx context.Context, keyID string, request RotateAPIKeyRequest) (*IssuedAPIKey, error) {
	id, err := segment("key", keyID)
	if err != nil {
		return nil, err
	}
	return get[IssuedAPIKey](ctx, c, call{method: http.MethodPost, path: "/api-keys/" + id + "/rotate", json: request})
}

// RevokeAPIKey ends a key at once, with everything that is open under it.
func (c *Client) RevokeAPIKey(ctx context.Context, keyID string) (*Revocation, error) {
	id, err := segment("key", keyID)
	if err != nil {
		return nil, err
	}
	return get[Revocation](ctx, c, call{method: http.MethodDelete, path: "/api-keys/" + id})
}

// ListShares returns the users and links that a session is shared with.
func (c *Client) ListShares(ctx context.Context, sessionID string) (*SessionShares, error) {
	return recordCall[SessionShares](ctx, c, http.MethodGet, sessionID, "/shares", nil)
}

// ShareSession lets a user in, or changes what they may do.
func (c *Client) ShareSession(ctx context.Context, sessionID string, request ShareRequest) (*SessionShare, error) {
	return recordCall[SessionShare](ctx, c, http.MethodPost, sessionID, "/shares", request)
}

// CreateShareLink makes a link through which anybody may look on. Its token is in this answer only.
func (c *Client) CreateShareLink(ctx context.Context, sessionID string, request ShareLinkRequest) (*IssuedShareLink, error) {
	return recordCall[IssuedShareLink](ctx, c, http.MethodPost, sessionID, "/links", request)
}

// RevokeShare takes a share or a link back at once, with everything that is open under it.
func (c *Client) RevokeShare(ctx context.Context, sessionID, shareID string) (*Revocation, error) {
	id, err := segment("share", shareID)
	if err != nil {
		return nil, err
	}
	return recordCall[Revocation](ctx, c, http.MethodDelete, sessionID, "/shares/"+id, nil)
}
