// A scripted agent that speaks the Agent Client Protocol over stdio.
//
// usage: node acp-agent.mjs SCRIPT.json
//
// The script is `{start?: {...}, steps: [...]}` or just the list of steps (agentapi appendix B). A step
// `{expectMessage, thinkDurationMS?, responseMessage}` answers one prompt with one chunk; a step
// `{expectMessage, actions: [...]}` performs the actions in order. After the last step every prompt is
// answered with `echo: TEXT`.
import { spawn } from 'node:child_process';
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { Readable, Writable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import * as acp from '@agentclientprotocol/sdk';

const script = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const { start = {}, steps } = Array.isArray(script) ? { steps: script } : script;
const SESSION = 'session-1';
let nextStep = 0;
let turn = null;

const record = (entry) => {
  if (start.recordTo) appendFileSync(start.recordTo, `${JSON.stringify(entry)}\n`);
};

if (start.ignoreTerm) process.on('SIGTERM', () => record({ signal: 'SIGTERM' }));
if (start.stderr) process.stderr.write(start.stderr);
if (start.stdoutNoise) process.stdout.write(start.stdoutNoise);
if (start.exit !== undefined) exitNow(start.exit);
if (start.childPidTo) {
  const child = spawn('sleep', ['600'], { stdio: 'ignore' });
  writeFileSync(start.childPidTo, String(child.pid));
}
if (start.childPidTo || start.ignoreTerm) setInterval(() => {}, 60_000);

const actions = {
  chunk: (client, text) =>
    update(client, { sessionUpdate: 'agent_message_chunk', content: { type: 'text', text } }),
  chunks: async (client, texts) => {
    for (const text of texts) await actions.chunk(client, text);
  },
  update,
  // A line of our own making, past the SDK.
  line: (_client, text) => new Promise((resolve) => process.stdout.write(`${text}\n`, resolve)),
  hugeChunk: (client, chars) => actions.chunk(client, 'x'.repeat(chars)),
  // Done once somebody has taken all of it.
  stderr: (_client, chars) => new Promise((resolve) => process.stderr.write('x'.repeat(chars), resolve)),
  sleep: (_client, ms) => delay(ms),
  waitForFile: async (_client, path) => {
    while (!existsSync(path)) await delay(5);
  },
  waitForCancel: () => turn.cancelled,
  waitForCancelThenFail: async () => {
    await turn.cancelled;
    throw new acp.RequestError(-32603, 'aborted');
  },
  permission: async (client, params) => {
    const response = await client.request(acp.methods.client.session.requestPermission, {
      sessionId: SESSION,
      ...params,
    });
    record({ permission: response.outcome });
    const { outcome } = response;
    await actions.chunk(client, `[${outcome.outcome === 'selected' ? outcome.optionId : 'cancelled'}]`);
  },
  readFile: async (client, path) => {
    const code = await client.request(acp.methods.client.fs.readTextFile, { sessionId: SESSION, path }).then(
      () => 'content',
      (error) => String(error.code),
    );
    await actions.chunk(client, code);
  },
  fail: (_client, { code = -32603, message, data }) => {
    throw new acp.RequestError(code, message, data);
  },
  exit: async (_client, code) => {
    // What was written before must have left the process.
    await new Promise((resolve) => process.stdout.write('', resolve));
    exitNow(code);
  },
  kill: (_client, signal) => {
    process.kill(process.pid, signal);
    return delay(60_000);
  },
  closeStdout: () => {
    process.stdout.end();
    return delay(60_000);
  },
  // Runs after the prompt has been answered.
  later: (client, { ms, actions: list }) => {
    setTimeout(() => void perform(client, list), ms);
  },
  stop: (_client, reason) => {
    turn.stopReason = reason;
  },
};

function exitNow(code) {
  // oxlint-disable-next-line unicorn/no-process-exit -- the script wants an agent that dies in mid-work
  process.exit(code);
}

function update(client, sessionUpdate) {
  return client.notify(acp.methods.client.session.update, { sessionId: SESSION, update: sessionUpdate });
}

async function perform(client, list) {
  for (const action of list) {
    for (const [name, argument] of Object.entries(action)) await actions[name](client, argument);
  }
}

function cancellable() {
  let cancel;
  const cancelled = new Promise((resolve) => {
    cancel = resolve;
  });
  const state = { cancelled, stopReason: null };
  state.cancel = () => {
    state.stopReason = 'cancelled';
    cancel();
  };
  return state;
}

async function prompt({ params, client }) {
  record({ prompt: params.prompt });
  const text = params.prompt.map((block) => block.text).join('');
  turn = cancellable();
  const step = steps[nextStep++];
  if (step === undefined) {
    await actions.chunk(client, `echo: ${text}`);
    return { stopReason: 'end_turn' };
  }
  if (step.expectMessage && step.expectMessage !== text) {
    throw new acp.RequestError(-32602, `expected ${step.expectMessage}, got ${text}`);
  }
  if (step.thinkDurationMS) await delay(step.thinkDurationMS);
  if (step.responseMessage !== undefined) await actions.chunk(client, step.responseMessage);
  await perform(client, step.actions ?? []);
  return { stopReason: turn.stopReason ?? 'end_turn' };
}

acp
  .agent({ name: 'scripted' })
  .onRequest(acp.methods.agent.initialize, ({ params }) => {
    record({ initialize: params });
    if (start.silent) return new Promise(() => {});
    return {
      protocolVersion: start.protocolVersion ?? params.protocolVersion,
      agentCapabilities: {},
      authMethods: start.authMethods ?? [],
    };
  })
  .onRequest(acp.methods.agent.session.new, ({ params }) => {
    record({ newSession: params });
    if (start.newSessionError) {
      throw new acp.RequestError(start.newSessionError.code, start.newSessionError.message);
    }
    return { sessionId: SESSION };
  })
  .onRequest(acp.methods.agent.session.prompt, prompt)
  .onNotification(acp.methods.agent.session.cancel, ({ params }) => {
    record({ cancel: params });
    turn?.cancel();
  })
  .connect(acp.ndJsonStream(Writable.toWeb(process.stdout), Readable.toWeb(process.stdin)));
