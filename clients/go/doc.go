// Package client talks to agentapi-proxy, a server that runs many coding agents behind one HTTP API.
//
// A [Client] is made by [NewClient], is safe for concurrent use, and needs nothing but the standard library:
//
//	c := client.NewClient("http://127.0.0.1:8080", client.WithAPIKey(key))
//	started, err := c.Start(ctx, &client.StartRequest{Agent: "demo"})
//	turn, err := c.SendAndWait(ctx, started.SessionID, "Hello")
//
// # Time limits
//
// Every call ends with its context. On top of this a call has a limit of 30 seconds ([WithTimeout]); sending a
// message has 60, because an agent server answers when the agent has taken it; uploads have two minutes. What concerns
// git has 90 seconds and pushes 330, a little more than the server takes before it gives up. Nothing but the context
// limits [Client.Events], [Client.StreamEvents], [Client.WaitUntilReady] and [Client.SendAndWait].
//
// No call is repeated by itself, with one exception: event streams are connected again when they break off.
//
// # Errors
//
// What the server refuses is an [*Error] with its status, code and request id. [errors.Is] tells kinds apart:
//
//	if errors.Is(err, client.ErrNotFound) { … }
//
// Arguments that cannot be right, such as an empty id, are [ErrInvalidArgument] before any request. An answer that
// this API does not give is [ErrInvalidResponse]. Everything else is an error of the connection or of the context.
package client
