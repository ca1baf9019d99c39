/** Texts of more than one page. */
export const COMMON = {
  product: 'agentapi-proxy',
  skipToContent: 'Skip to content',
  navigation: 'Main',
  close: 'Close',
  cancel: 'Cancel',
  copied: 'Copied',
  copyFailed: 'The browser did not let the console use the clipboard.',
  loading: 'Loading …',
  tryAgain: 'Try again',
  reload: 'Reload the page',
  now: 'now',
  justNow: 'just now',
  requestId: (id: string) => `Request ${id}`,
  pageTitle: (page: string) => `${page} · agentapi-proxy`,
  badgedTitle: (count: number, title: string) => `(${count}) ${title}`,
  reconnecting: 'Reconnecting …',
  reconnectingHint: 'What you see may be old; it comes up to date by itself.',
  notFoundTitle: 'There is no such page',
  notFoundText: 'The address may be mistyped, or from another version of the console.',
  toSessions: 'Show the sessions',
  pageFailed: 'This page could not be loaded.',
  pageFailedHint: 'The server may have been updated in the meantime.',
  crashed: 'Something in this page has gone wrong.',
} as const;

/** What errors mean, and what to do. */
export const ERRORS = {
  connection: 'The server cannot be reached.',
  connectionAdvice: 'Check your connection, and whether the server runs.',
  timeout: 'The server did not answer in time.',
  timeoutAdvice: 'It may be busy. It is not known whether it did what was asked.',
  forbidden: 'You may not do this.',
  unexpected: 'Something unexpected went wrong.',
  unauthorized: 'You are not signed in any more.',
} as const;

/** Menu of the person who is signed in. */
export const ACCOUNT = {
  menu: 'Account and settings',
  menuOf: (user: string) => `${user}, account and settings`,
  settings: 'Settings',
  signedInAs: (user: string) => `Signed in as ${user}`,
  role: (role: string) => `Role: ${role}`,
  authenticationOff: 'This server asks nobody for a key.',
  expires: 'The key expires',
  viewer: 'You are looking on through a shared link.',
  signOut: 'Sign out',
  signOutFailed:
    'You are still signed in: the server could not be reached. Try again, or remove the cookies of this site in your browser.',
  themeSystem: 'System theme',
  themeLight: 'Light theme',
  themeDark: 'Dark theme',
  notifications: 'Notify me when an agent waits',
  sound: 'Play a sound, too',
  notificationsDenied:
    'The browser does not allow notifications from this page. Allow them in its settings first.',
  notificationsInsecure: 'Browsers show notifications of pages under https:// or localhost only.',
  shortcuts: 'Keyboard shortcuts',
} as const;

/** The page that asks for a key. */
export const SIGN_IN = {
  page: 'Sign in',
  title: 'Sign in to agentapi-proxy',
  key: 'API key',
  keyHint: 'Whoever runs this server gives you one.',
  remember: 'Remember me on this device',
  rememberHint: 'Otherwise you are asked again when you close this tab.',
  submit: 'Sign in',
  empty: 'Enter your API key.',
  malformed: 'An API key has no spaces and only plain letters, digits and signs. Copy it once more.',
  rejected: 'The server does not know this key. It may be mistyped, expired or revoked.',
  expired: 'Your key has expired or was revoked. Sign in with another to go on where you were.',
  linkOver: 'The shared link opens nothing any more: it has ended, or its session was deleted.',
  signedOut: 'You have signed out.',
  unreachable: 'The console cannot reach its server.',
  forbiddenTitle: 'You may not see this page',
  forbiddenText: (permission: string) =>
    permission === ''
      ? 'Only admins may.'
      : `Your key lacks the permission ${permission}. Ask whoever gave it to you.`,
  otherKey: 'Sign in with another key',
} as const;

/** What keys do. */
export const SHORTCUTS = {
  title: 'Keyboard shortcuts',
  sessions: 'In the list of sessions',
  conversation: 'Where a message is written',
  anywhere: 'Anywhere',
  next: 'Next session',
  previous: 'Previous session',
  open: 'Open the session',
  select: 'Select the session',
  search: 'Search',
  send: 'Send the message',
  newLine: 'Begin a new line',
  interrupt: 'Interrupt the agent while it works',
  create: 'New session',
  help: 'Show this help',
  enabled: 'Single keys do this',
  escape: 'Close what is open, or clear the selection',
} as const;

/** Notifications. */
export const NOTIFICATIONS = {
  waiting: (title: string) => `${title} waits for you`,
  failed: (title: string) => `${title} has failed`,
  stopped: (title: string) => `${title} has ended`,
} as const;
