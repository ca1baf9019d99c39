/** What sessions do, in words. */
export const PHASES = {
  starting: 'Starting',
  working: 'Working',
  waiting: 'Waiting for you',
  stopping: 'Stopping',
  stopped: 'Stopped',
  failed: 'Failed',
} as const;

const sessions = (count: number): string => (count === 1 ? '1 session' : `${count} sessions`);

/** The list of sessions. */
export const SESSIONS = {
  page: 'Sessions',
  list: 'List of sessions',
  sidebar: 'At work',
  create: 'New session',
  search: 'Search sessions',
  searchHint: 'Title, agent, repository, tag, owner or id',
  view: 'Which sessions',
  views: {
    active: 'Active',
    waiting: 'Waiting for you',
    working: 'Working',
    failed: 'Failed',
    ended: 'Ended',
    all: 'All',
  },
  sort: 'Sort by',
  sorts: { activity: 'Last activity', created: 'Newest first', title: 'Title', status: 'Status' },
  agentFilter: 'Agent',
  ownerFilter: 'Owner',
  everyAgent: 'Every agent',
  everyOwner: 'Everybody',
  removeFilter: (filter: string) => `Remove the filter ${filter}`,
  clearFilters: 'Clear search and filters',
  count: (shown: number, all: number) => (shown === all ? sessions(all) : `${shown} of ${sessions(all)}`),
  untitled: (id: string) => `Session ${id.slice(0, 8)}`,
  selectOne: (title: string) => `Select ${title}`,
  selectAll: 'Select all of yours that are shown',
  selected: (count: number) => `${sessions(count)} selected`,
  clearSelection: 'Clear the selection',
  end: 'End …',
  remove: 'Remove …',
  started: 'Started',
  lastActivity: 'Last activity',
  owner: 'Owner',
  emptyTitle: 'No sessions yet',
  emptyText:
    'A session is one agent at work: in a folder of its own, with a conversation that you can follow and steer here.',
  emptyReadonly: 'As soon as somebody starts a session that you may see, it appears here.',
  noActiveTitle: 'No agent is at work',
  noActiveText: 'Sessions that have ended are still there to read.',
  showEnded: 'Show ended sessions',
  noMatchTitle: 'No session matches',
  noMatchText: 'Try fewer words, or another choice of status, agent or tag.',
  forbiddenTitle: 'You may not list sessions',
  loadFailed: 'The sessions could not be loaded.',
} as const;

/** Ending and removing sessions. */
export const END = {
  title: (count: number) =>
    count === 1 ? 'End and remove this session?' : `End and remove ${count} sessions?`,
  removeTitle: (count: number) => (count === 1 ? 'Remove this session?' : `Remove ${count} sessions?`),
  text: (count: number) =>
    count === 1
      ? 'The agent is stopped, and everything of the session is deleted: the conversation, the log and the files in its workspace. This cannot be undone.'
      : 'The agents are stopped, and everything of the sessions is deleted: conversations, logs and the files in their workspaces. This cannot be undone.',
  removeText: (count: number) =>
    count === 1
      ? 'Everything of it is deleted: the conversation, the log and the files in its workspace. This cannot be undone.'
      : 'Everything of them is deleted: conversations, logs and the files in their workspaces. This cannot be undone.',
  more: (count: number) => `and ${count} more`,
  confirm: (count: number) => (count === 1 ? 'End session' : `End ${count} sessions`),
  removeConfirm: (count: number) => (count === 1 ? 'Remove session' : `Remove ${count} sessions`),
  progress: (done: number, all: number) => `${done} of ${all}`,
  done: (count: number) => `${sessions(count)} removed.`,
  failedTitle: (failed: number, all: number) => `${failed} of ${sessions(all)} could not be removed.`,
  again: 'Try again',
  lingering: 'A process of it cannot be ended yet. Try again in a while.',
} as const;

/** The page of one session. */
export const SESSION = {
  back: 'All sessions',
  tabs: {
    conversation: 'Conversation',
    terminal: 'Terminal',
    changes: 'Changes',
    log: 'Log',
    details: 'Details',
  },
  tabList: 'Parts of the session',
  actions: 'More actions',
  interrupt: 'Interrupt',
  interrupted: 'Asked the agent to stop what it does.',
  interruptFailed: 'The agent could not be interrupted.',
  end: 'End session …',
  remove: 'Remove session …',
  resume: 'Resume',
  resumed: 'The session starts again.',
  resumeFailed: 'The session could not be resumed.',
  share: 'Share …',
  copyId: 'Copy the session id',
  copyLink: 'Copy a link to this page',
  listOnlyTitle: 'You may see this session in the list only',
  listOnlyText: 'Your key lacks the permission session:access. Ask whoever gave it to you.',
  missingTitle: 'There is no such session',
  missingText: 'It was removed, or it is not shared with you any more.',
  loadFailed: 'The session could not be loaded.',
  failed: (reason: string) => (reason === '' ? 'This session has failed.' : `This session failed: ${reason}`),
  ended: 'This session has ended.',
  reading:
    'You may read this session; only its owner and those it is shared with for writing can talk to the agent.',
} as const;
