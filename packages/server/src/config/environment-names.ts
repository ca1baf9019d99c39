/** What a variable of a session may be called (DF-13). */
export const ENVIRONMENT_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** A name, or the beginning of names followed by `*`. */
export const ENVIRONMENT_PATTERN = /^[A-Za-z_][A-Za-z0-9_]*\*?$/;

/** Taken over from the server's own environment into every session; `environment.pass` adds to it (DF-12). */
export const PASSED_ALWAYS: readonly string[] = [
  'PATH',
  'HOME',
  'USER',
  'LOGNAME',
  'SHELL',
  'LANG',
  'LANGUAGE',
  'LC_*',
  'TZ',
  'TMPDIR',
  'TERM',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
  'NODE_EXTRA_CA_CERTS',
];

/** Names that only this server sets in a session; neither a request nor the configuration may. */
export const RESERVED: readonly string[] = ['AGENTAPI_PROXY_*'];

/**
 * Default of `environment.deny`: variables that make a dynamic linker, a shell, an interpreter or git run
 * code of the caller's choice inside every program of the session, helpers of the operator included.
 */
export const DENIED_BY_DEFAULT: readonly string[] = [
  'LD_*',
  'DYLD_*',
  'GLIBC_TUNABLES',
  'GCONV_PATH',
  'BASH_ENV',
  'ENV',
  'IFS',
  'PS4',
  'PROMPT_COMMAND',
  'SHELLOPTS',
  'BASHOPTS',
  'NODE_OPTIONS',
  'PYTHONSTARTUP',
  'PYTHONHOME',
  'PYTHONPATH',
  'PERL5OPT',
  'PERL5DB',
  'PERL5LIB',
  'RUBYOPT',
  'RUBYLIB',
  'JAVA_TOOL_OPTIONS',
  '_JAVA_OPTIONS',
  'JDK_JAVA_OPTIONS',
  'GIT_SSH',
  'GIT_SSH_COMMAND',
  'GIT_PROXY_COMMAND',
  'GIT_ASKPASS',
  'GIT_EXEC_PATH',
  'GIT_CONFIG*',
  'SSH_ASKPASS',
];

/** Whether a variable is meant by one of the patterns (exact name, or beginning followed by `*`). */
export function matchesPattern(name: string, patterns: readonly string[]): boolean {
  return patterns.some((pattern) =>
    pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern,
  );
}
