/** Names of pages that are fetched when somebody goes there; their other texts come with them. */
export const NAVIGATION = {
  keys: 'API keys',
  admin: 'Admin',
} as const;
