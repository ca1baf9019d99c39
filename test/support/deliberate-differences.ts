import type { DeliberateDifference, Leaf } from './differential/comparison.ts';

/** Both sides give a text, only its words differ. */
const bothText = (reference: Leaf, ours: Leaf): boolean =>
  typeof reference === 'string' && typeof ours === 'string';

/**
 * Every place where our agent server is meant to differ from agentapi 0.12.1 and the scenarios show it. A field
 * that differs without an entry here fails the comparison. `docs/compatibility.md` has the same table.
 */
export const DELIBERATE_DIFFERENCES: readonly DeliberateDifference[] = [
  {
    id: 'reads-never-wait',
    row: 'AA-050',
    field: 'no reaction/during/*',
    reference: 'every request waits until a pending user message is delivered (1 s to 17 s)',
    ours: 'answered at once, raw messages too',
    why: 'a slow delivery must not look like a dead server',
    explains: (reference, ours) => reference === 'blocked' && ours === 'answered',
  },
  {
    id: 'failed-prompt-told',
    row: 'AA-092',
    field: 'failed initial prompt/errors/**',
    reference: 'nobody learns that the initial prompt was not taken',
    ours: 'an `agent_error` of level `error`',
    why: 'a session must not wait for an answer to a question that was never asked',
  },
  {
    id: 'blank-prompt-ignored',
    row: 'AA-092',
    field: 'blank initial prompt/**',
    reference: 'an initial prompt of white space is sent and recorded as an empty message',
    ours: 'ignored',
    why: 'there is nothing to say',
  },
  {
    id: 'same-reply-ends-turn',
    row: 'AA-093',
    field: 'same reply/settles',
    reference: 'the status stays `running` for ever after a reply that equals the one before',
    ours: 'the turn ends',
    why: 'agents do repeat themselves',
    explains: (reference, ours) => reference === false && ours === true,
  },
  {
    id: 'same-reply-recorded',
    row: 'AA-093',
    field: 'same reply/messages/**',
    reference: 'that reply is missing in the history',
    ours: 'recorded',
    why: 'a question without an answer misleads the reader',
  },
  {
    id: 'prose-kept',
    row: 'AA-135',
    field: 'signs that look like prompts/**',
    reference: 'a `>` in the last six rows cuts the message there',
    ours: 'only a prompt cuts: framed, standing apart, or labelled',
    why: 'arrows, quotations and code lost their end',
  },
  {
    id: 'paste-where-asked-for',
    row: 'AA-083',
    field: 'typed keys/plain/messages/1/message',
    reference: '`x`, backspace and the text between paste marks, whatever the agent',
    ours: 'paste marks only while the agent has enabled them (DECSET 2004), else the text as it is',
    why: 'programs that do not know the marks take them for a part of the message',
    explains: bothText,
  },
  {
    id: 'typing-trick-for-claude',
    row: 'AA-083',
    field: 'typed keys/marked/messages/1/message',
    reference: '`x` and backspace before every message',
    ours: 'only for the agent type `claude`, with a pause behind them',
    why: 'some agents read keys that come together with the text as a part of it',
    explains: bothText,
  },
  {
    id: 'wide-characters',
    row: 'AA-102',
    field: 'rows of wide characters/code points',
    reference: 'every code point fills one column of the screen',
    ours: 'characters fill the columns that they fill in a terminal: none, one or two',
    why: 'agents paint their boxes by the real widths',
    explains: (reference, ours) => reference === 80 && typeof ours === 'number' && ours < 80,
  },
  {
    id: 'dialogs-refuse-messages',
    row: 'AA-076',
    field: 'message into a dialog/**',
    reference:
      'a message that comes while a dialog is up is typed into it; its Enter takes the marked choice',
    ours: 'refused with the hint to `/internal/dialog`',
    why: 'a message must not grant a permission',
  },
  {
    id: 'acp-signal',
    row: 'AA-158',
    field: 'signal in ACP mode/*',
    reference: 'the server crashes',
    ours: 'it stops its agent and ends with 0',
    why: 'a stop is no failure',
  },
  {
    id: 'state-not-overwritten',
    row: 'AA-147',
    field: 'stop before the restore/state/**',
    reference: 'a stop before the agent was ready replaces the saved conversation by the greeting',
    ours: 'a state that has not been read is not written over',
    why: 'conversations were lost',
  },
  {
    id: 'upload-named-by-dots',
    row: 'AA-057',
    field: 'upload named by dots/**',
    reference: '500',
    ours: '400',
    why: 'the request is wrong, not the server',
  },
  {
    id: 'signal-named',
    row: 'AA-015',
    field: 'ends of the agent/killed/report',
    reference: 'an agent that was killed is reported as `non-zero exit code`',
    ours: '`ended by SIGKILL`',
    why: 'the reader learns what happened',
    explains: (reference, ours) =>
      bothText(reference, ours) &&
      String(reference).replace(/non-zero exit code$/u, '') ===
        String(ours).replace(/ended by SIGKILL$/u, ''),
  },
  {
    id: 'redirect-without-page',
    row: 'AA-036',
    field: 'rules/root/**',
    reference: 'a redirect comes with a small page',
    ours: 'without one',
    why: 'nobody reads it',
    explains: (reference, ours) =>
      /^(?:text\/html\b.*|<a href="\/chat\/embed">.*\s*)$/u.test(String(reference)) &&
      (ours === undefined || ours === ''),
  },
  {
    id: 'chat-page-always-there',
    row: 'AA-037',
    field: 'rules/chat/**',
    reference: 'no chat page in a build without it, as `go install` makes it',
    ours: 'always there',
    why: 'our page is a part of the server',
  },
  {
    id: 'chat-page-content',
    row: 'AA-037',
    field: 'documents/|chat|embed|/**',
    reference: 'the same, one folder below',
    ours: 'always there',
    why: 'our page is a part of the server',
  },
  {
    id: 'bad-enum-named',
    row: 'AA-046',
    field: 'messages/bad enum/body/errors/0/message',
    reference: 'a wrong `type` is refused without a word',
    ours: '`expected value to be one of "raw, user"`',
    why: 'the caller learns what would be right',
    explains: (reference, ours) => typeof reference !== 'number' && typeof ours === 'string',
  },
  {
    id: 'parser-words',
    row: 'AA-047',
    field: 'messages/malformed/body/errors/0/message',
    reference: "the words of Go's JSON parser",
    ours: "those of Node's",
    why: 'they are for people',
    explains: bothText,
  },
];
