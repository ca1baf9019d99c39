/**
 * A shell as agent: notes every line that it gets in the file `received`, then answers "got LINE". It takes
 * `reactionSeconds` to answer, and is ready for input only when there is a file `ready`, if `waits`.
 */
export function lineAgent(options: { reactionSeconds?: number; waits?: boolean } = {}): {
  command: string;
  args: string[];
} {
  const { reactionSeconds = 0, waits = false } = options;
  const wait = waits ? 'while [ ! -e ready ]; do date +%N; sleep 0.1; done; clear;' : '';
  const loop = `while :; do printf '> '; read -r line || exit 0; printf '%s\\n' "$line" >> received; sleep ${reactionSeconds}; echo "got $line"; done`;
  return { command: 'sh', args: ['-c', `${wait} ${loop}`, 'line-agent'] };
}
