package client

import (
	"context"
	"net/http"
	"net/url"
	"time"
)

// Profile is what would be repeated with every start.
type Profile struct {
	ID          string `json:"id"`
	UserID      string `json:"user_id"`
	Name        string `json:"name"`
	Description string `json:"description"`
	// Environment is shown to the owner with a key that may change the profile; others get EnvironmentNames.
	Environment       map[string]string   `json:"environment"`
	EnvironmentNames  []string            `json:"environment_names"`
	RepositoryHistory []ProfileRepository `json:"repository_history"`
	SystemPrompt      string              `json:"system_prompt"`
	MessageTemplates  []MessageTemplate   `json:"message_templates"`
	Agent             string              `json:"agent"`
	AgentArgs         []string            `json:"agent_args"`
	Repository        string              `json:"repository"`
	Script            string              `json:"script"`
	IsDefault         bool                `json:"is_default"`
	CreatedAt         time.Time           `json:"created_at"`
	UpdatedAt         time.Time           `json:"updated_at"`
	LastUsedAt        time.Time           `json:"last_used_at"`
	// Version is the ETag of the answer, to be given with a change; see [IfVersion].
	Version string `json:"-"`
}

// ProfileRepository is a repository that a profile remembers. ID and AccessedAt are the server's.
type ProfileRepository struct {
	ID         string            `json:"id,omitzero"`
	URL        string            `json:"url"`
	Name       string            `json:"name"`
	Branch     string            `json:"branch,omitzero"`
	LastCommit string            `json:"last_commit,omitzero"`
	Metadata   map[string]string `json:"metadata,omitzero"`
	AccessedAt time.Time         `json:"accessed_at,omitzero"`
}

// MessageTemplate is a message with variables as {{name}}. ID and CreatedAt are the server's.
type MessageTemplate struct {
	ID        string            `json:"id,omitzero"`
	Name      string            `json:"name"`
	Content   string            `json:"content"`
	Variables []string          `json:"variables,omitzero"`
	Category  string            `json:"category,omitzero"`
	Metadata  map[string]string `json:"metadata,omitzero"`
	CreatedAt time.Time         `json:"created_at,omitzero"`
}

// ProfileRequest says what a profile gets. A nil member stays as it is; an empty map, list or text empties it. See
// [Ptr].
type ProfileRequest struct {
	Name              *string             `json:"name,omitzero"`
	Description       *string             `json:"description,omitzero"`
	Environment       map[string]string   `json:"environment,omitzero"`
	RepositoryHistory []ProfileRepository `json:"repository_history,omitzero"`
	SystemPrompt      *string             `json:"system_prompt,omitzero"`
	MessageTemplates  []MessageTemplate   `json:"message_templates,omitzero"`
	Agent             *string             `json:"agent,omitzero"`
	AgentArgs         []string            `json:"agent_args,omitzero"`
	Repository        *string             `json:"repository,omitzero"`
	Script            *string             `json:"script,omitzero"`
	IsDefault         *bool               `json:"is_default,omitzero"`
}

// Ptr returns a pointer to a value, for the members of a [ProfileRequest].
func Ptr[T any](value T) *T { return &value }

// StartWithProfileRequest says what a session from a profile gets; what it names wins over the profile.
type StartWithProfileRequest struct {
	StartRequest
	// ProfileID names the profile; else it is the caller's default one.
	ProfileID string `json:"profile_id,omitzero"`
	// Template names a message template by id or name, for the first message, with Variables for it.
	Template  string            `json:"template,omitzero"`
	Variables map[string]string `json:"variables,omitzero"`
}

// ProfileDeletion answers the deletion of a profile.
type ProfileDeletion struct {
	Message   string `json:"message"`
	ProfileID string `json:"profile_id"`
}

// ChangeOption makes a change of a profile depend on something.
type ChangeOption func(*call)

// IfVersion lets a change happen only if the profile still has this Version; else it is [ErrConflict].
func IfVersion(version string) ChangeOption {
	return func(k *call) { k.ifMatch = version }
}

// StartWithProfile starts a session from a profile.
func (c *Client) StartWithProfile(ctx context.Context, request *StartWithProfileRequest) (*StartResponse, error) {
	if request == nil {
		request = &StartWithProfileRequest{}
	}
	return get[StartResponse](ctx, c, call{method: http.MethodPost, path: "/start-with-profile", json: request})
}

// ListProfiles returns the profiles that the caller may see, newest first. userID narrows them down for those who
// may see other people's.
func (c *Client) ListProfiles(ctx context.Context, userID string) ([]Profile, error) {
	answer, err := get[struct {
		Profiles []Profile `json:"profiles"`
	}](ctx, c, call{method: http.MethodGet, path: "/profiles", query: ofUser(userID)})
	if err != nil {
		return nil, err
	}
	return answer.Profiles, nil
}

// CreateProfile makes a profile of the caller; it needs a name.
func (c *Client) CreateProfile(ctx context.Context, request *ProfileRequest) (*Profile, error) {
	return versioned(ctx, c, call{method: http.MethodPost, path: "/profiles", json: request}, nil)
}

// GetProfile returns a profile with its Version.
func (c *Client) GetProfile(ctx context.Context, profileID string) (*Profile, error) {
	path, err := profilePath(profileID, "")
	if err != nil {
		return nil, err
	}
	return versioned(ctx, c, call{method: http.MethodGet, path: path}, nil)
}

// UpdateProfile changes what request names; lists and maps are replaced as a whole.
func (c *Client) UpdateProfile(ctx context.Context, profileID string, request *ProfileRequest, options ...ChangeOption) (*Profile, error) {
	path, err := profilePath(profileID, "")
	if err != nil {
		return nil, err
	}
	return versioned(ctx, c, call{method: http.MethodPut, path: path, json: request}, options)
}

// DeleteProfile removes a profile; sessions that were started from it go on.
func (c *Client) DeleteProfile(ctx context.Context, profileID string, options ...ChangeOption) (*ProfileDeletion, error) {
	path, err := profilePath(profileID, "")
	if err != nil {
		return nil, err
	}
	return get[ProfileDeletion](ctx, c, changing(call{method: http.MethodDelete, path: path}, options))
}

// AddProfileRepository notes a repository in a profile's history.
func (c *Client) AddProfileRepository(ctx context.Context, profileID string, repository ProfileRepository, options ...ChangeOption) error {
	return c.addToProfile(ctx, profileID, "/repositories", repository, options)
}

// AddMessageTemplate appends a message template to a profile.
func (c *Client) AddMessageTemplate(ctx context.Context, profileID string, template MessageTemplate, options ...ChangeOption) error {
	return c.addToProfile(ctx, profileID, "/templates", template, options)
}

func (c *Client) addToProfile(ctx context.Context, profileID, list string, entry any, options []ChangeOption) error {
	path, err := profilePath(profileID, list)
	if err != nil {
		return err
	}
	_, err = get[struct{}](ctx, c, changing(call{method: http.MethodPost, path: path, json: entry}, options))
	return err
}

func versioned(ctx context.Context, c *Client, k call, options []ChangeOption) (*Profile, error) {
	answer, header, err := do[struct {
		Profile Profile `json:"profile"`
	}](ctx, c, changing(k, options))
	if err != nil {
		return nil, err
	}
	answer.Profile.Version = header.Get("ETag")
	return &answer.Profile, nil
}

func changing(k call, options []ChangeOption) call {
	for _, option := range options {
		option(&k)
	}
	return k
}

func profilePath(profileID, rest string) (string, error) {
	id, err := segment("profile", profileID)
	return "/profiles/" + id + rest, err
}

func ofUser(userID string) url.Values {
	if userID == "" {
		return nil
	}
	return url.Values{"user_id": {userID}}
}
