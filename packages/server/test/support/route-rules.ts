/**
 * Whose things a route works on, and how: the own ones of the caller, nobody's in particular, or those of the owner of
 * what the path names. `session-read`, `session-write` and `session-manage` may be shared.
 */
export type RouteRule =
  | 'open'
  | 'console'
  | 'own'
  | 'admins'
  | 'session-read'
  | 'session-write'
  | 'session-manage'
  | 'profile'
  | 'key';

/** The rule of every route of the control plane; a route that is missing here fails the tests. */
export const ROUTE_RULES: Readonly<Record<string, RouteRule>> = {
  'GET /health': 'open',
  'GET /livez': 'open',
  'GET /readyz': 'open',
  'GET /version': 'open',
  'GET /openapi.json': 'open',
  'GET /docs': 'open',
  'GET /me': 'own',
  'GET /start/agents': 'own',
  'GET /start/scripts': 'own',
  'GET /': 'own',
  'HEAD /': 'own',
  'GET /console': 'open',
  'HEAD /console': 'open',
  'GET /console/*': 'open',
  'HEAD /console/*': 'open',
  'POST /console/sign-in': 'console',
  'POST /console/sign-out': 'console',
  'POST /start': 'own',
  'POST /start-with-profile': 'own',
  'GET /search': 'own',
  'GET /sessions/:sessionId': 'session-read',
  'GET /sessions/:sessionId/log': 'session-read',
  'GET /sessions/:sessionId/events': 'session-read',
  'GET /sessions/:sessionId/messages': 'session-read',
  'POST /sessions/:sessionId/messages': 'session-write',
  'GET /sessions/:sessionId/queue': 'session-read',
  'GET /sessions/:sessionId/queue/:messageId': 'session-read',
  'PATCH /sessions/:sessionId/queue/:messageId': 'session-write',
  'DELETE /sessions/:sessionId/queue/:messageId': 'session-write',
  'GET /sessions/:sessionId/wait': 'session-read',
  'GET /search/messages': 'own',
  'GET /events': 'own',
  'POST /sessions/:sessionId/resume': 'session-write',
  'DELETE /sessions/:sessionId': 'session-manage',
  'GET /sessions/:sessionId/git/status': 'session-read',
  'GET /sessions/:sessionId/git/diff': 'session-read',
  'POST /sessions/:sessionId/git/push': 'session-write',
  'POST /sessions/:sessionId/git/pull-request': 'session-write',
  'GET /sessions/:sessionId/shares': 'session-manage',
  'POST /sessions/:sessionId/shares': 'session-manage',
  'POST /sessions/:sessionId/links': 'session-manage',
  'DELETE /sessions/:sessionId/shares/:shareId': 'session-manage',
  'POST /profiles': 'own',
  'GET /profiles': 'own',
  'GET /profiles/:profileId': 'profile',
  'PUT /profiles/:profileId': 'profile',
  'DELETE /profiles/:profileId': 'profile',
  'POST /profiles/:profileId/repositories': 'profile',
  'POST /profiles/:profileId/templates': 'profile',
  'GET /api-keys': 'own',
  'POST /api-keys': 'own',
  'DELETE /api-keys/:keyId': 'key',
  'POST /api-keys/:keyId/rotate': 'key',
  'GET /audit': 'admins',
  'GET /metrics': 'admins',
  'GET /mcp': 'own',
  'POST /mcp': 'own',
  'DELETE /mcp': 'own',
};

/** Who may use what a rule stands for, besides holding the permission; for the documentation. */
export const RULE_TEXTS: Readonly<Record<RouteRule, string>> = {
  open: 'everybody',
  console: 'everybody, from the pages of the console',
  own: 'everybody, for what is theirs; admins for what is anybody’s',
  admins: 'admins',
  'session-read': 'owner, admins, users with a share, holders of a link',
  'session-write': 'owner, admins, users with a share to write',
  'session-manage': 'owner, admins',
  profile: 'owner, admins',
  key: 'owner, admins',
};
