/** The conversation with an agent. */
export const CONVERSATION = {
  log: 'Conversation',
  you: 'You',
  agent: 'Agent',
  announce: (agent: string, text: string) => `${agent}: ${text}`,
  announceQuestion: 'The agent asks you something.',
  loadFailed: 'The conversation could not be loaded.',
  lost: 'The conversation cannot be followed any more.',
  loadingOlder: 'Loading older messages …',
  olderFailed: 'Older messages could not be loaded.',
  beginning: 'This is where the conversation begins.',
  jump: 'Jump to latest',
  newMessages: (count: number) => (count === 1 ? '1 new message' : `${count} new messages`),
  copyMessage: 'Copy this message',
  copyCode: 'Copy',
  codeCopied: 'Copied',
  codeIn: (language: string) => `Code in ${language}`,
  code: 'Code',
  showAll: (chars: string) => `Show all ${chars} characters`,
  emptyTitle: 'Nothing has been said yet',
  emptyText: 'Write below what the agent should do. You can attach files, and go on writing while it works.',
  emptyStarting: 'The agent is starting. What you write is delivered as soon as it listens.',
  emptyReading: 'As soon as something is said, it appears here.',
  emptyEnded: 'Nothing was said in this session.',
  dismissNotice: 'Put this notice away',
} as const;

/** What the agent does at present. */
export const STATUS = {
  preparing: 'Preparing the workspace',
  starting: 'The agent is starting',
  connecting: 'Asking the agent how it is',
  working: 'Working',
  workingFor: (time: string) => `Working for ${time}`,
  waiting: 'Waiting for you',
  asking: 'The agent asks you something',
  stopping: 'The session is being ended',
  stopped: 'This session has ended',
  failed: 'This session has failed',
  because: (what: string, reason: string) => `${what}: ${reason}`,
  reconnecting: 'Reconnecting … What you see may be old.',
  interrupt: 'Interrupt',
  interruptHint: 'Stop what the agent does (Esc in the field for messages)',
  interruptFailed: 'The agent could not be interrupted.',
} as const;

/** Where messages are written. */
export const COMPOSER = {
  form: 'Write to the agent',
  label: 'Message to the agent',
  placeholder: 'Write to the agent …',
  placeholderWorking: 'Write ahead: it is delivered when the agent is ready …',
  send: 'Send',
  queue: 'Queue',
  keysHint: 'Enter sends, Shift+Enter begins a new line',
  readOnly: 'You may read this conversation, but not write in it.',
  ended: 'This session has ended. Resume it to go on.',
  stopping: 'This session is being ended.',
  attach: 'Attach files',
  attached: 'Files for the agent',
  attachedList: 'Attached files:',
  uploading: (name: string, percent: number) => `${name}, ${percent} % uploaded`,
  uploadFailed: (name: string) => `${name} could not be uploaded.`,
  tooLarge: (name: string, limit: string) => `${name} is larger than the ${limit} that an agent takes.`,
  emptyFile: (name: string) => `${name} is empty.`,
  removeFile: (name: string) => `Remove ${name}`,
  retryFile: (name: string) => `Upload ${name} again`,
  notRunning: 'Files can be attached once the agent runs.',
  stillUploading: 'Wait until the files are there.',
  drop: 'Drop files to attach them',
  templates: 'Use a template',
  keys: 'Keys of the terminal',
  pastedFile: 'pasted',
} as const;

/** Messages that are not in the conversation yet. */
export const QUEUE = {
  list: 'Messages that wait for the agent',
  pending: 'Waits',
  sending: 'Being delivered',
  posting: 'Being sent',
  unsent: 'Not sent',
  failed: 'Not delivered',
  edit: 'Edit this message',
  cancel: 'Take this message back',
  cancelFailed: 'It could not be taken back.',
  retry: 'Try again',
  dismiss: 'Put this message away',
  toDraft: 'Back to the draft',
  save: 'Save',
  editLabel: 'Text of the waiting message',
  gone: 'It was on its way already.',
  goneToDraft: 'It was on its way already. What you made of it is where you write to the agent.',
  more: (count: number) => `and ${count} more that wait`,
} as const;

/** What agents ask. */
export const QUESTIONS = {
  dialog: 'Question of the agent',
  answerFailed: 'The answer did not reach the agent.',
  dialogGone: 'This question is not there any more.',
  useKeys: 'Answer with the keys below.',
  permission: (title: string) => `May the agent do this: ${title}`,
  permissionDetails: 'What it is about',
  turnAway: 'Do not answer',
  keys: 'Keys of the terminal',
  pressed: (key: string) => `${key} pressed`,
  keyFailed: 'The key did not reach the agent.',
  closeKeys: 'Hide the keys',
} as const;

/** What agents do. */
export const TOOLS = {
  group: (count: number) => (count === 1 ? '1 tool call' : `${count} tool calls`),
  states: { pending: 'Waits', in_progress: 'Runs', completed: 'Done', failed: 'Failed' },
  input: 'Input',
  output: 'Output',
  plan: 'Plan of the agent',
  planProgress: (done: number, all: number) => `${done} of ${all} done`,
  noDetails: 'The agent tells no more about it.',
  lines: (count: number) => (count === 1 ? '1 line' : `${count} lines`),
  before: 'Before',
  after: 'After',
} as const;

/** Messages with placeholders, from profiles. */
export const TEMPLATES = {
  title: 'Message templates',
  search: 'Search templates',
  empty: 'You have no templates. They are part of profiles: add some there.',
  noMatch: 'No template matches.',
  loadFailed: 'The templates could not be loaded.',
  fill: (name: string) => `Fill in “${name}”`,
  preview: 'Message',
  insert: 'Insert',
  back: 'Other templates',
  ofProfile: (profile: string) => `Profile ${profile}`,
} as const;
