/** Shells that the command line completes in. */
export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

/*
 * Each script hands the words before the cursor to `agentapi-proxy complete` as arguments: nothing that was typed, and
 * nothing that a server answers, is evaluated. A line of the answer is a value, a tab and a description; the line
 * `:files` stands for the names of files.
 */

const BASH = String.raw`# bash completion for agentapi-proxy; to load it: source <(agentapi-proxy completion bash)
_agentapi_proxy() {
  local line
  COMPREPLY=()
  while IFS= read -r line; do
    if [[ $line == :files ]]; then
      compopt -o default 2>/dev/null
    else
      COMPREPLY+=("${'$'}{line%%$'\t'*}")
    fi
  done < <(agentapi-proxy complete bash -- "${'$'}{COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -F _agentapi_proxy agentapi-proxy
`;

const ZSH = String.raw`#compdef agentapi-proxy
# zsh completion for agentapi-proxy; to load it: source <(agentapi-proxy completion zsh)
_agentapi_proxy() {
  local line value files=
  local -a values
  while IFS= read -r line; do
    if [[ $line == :files ]]; then
      files=1
    else
      value=${'$'}{line%%$'\t'*}
      values+=("${'$'}{value//:/\\:}:${'$'}{line#*$'\t'}")
    fi
  done < <(agentapi-proxy complete zsh -- "${'$'}{(@)words[2,CURRENT]}" 2>/dev/null)
  [[ $words[CURRENT] == --*=* ]] && compset -P 1 '*='
  if [[ -n $files ]]; then
    _files
  elif (( ${'$'}{#values} )); then
    _describe agentapi-proxy values
  fi
}
if [[ $funcstack[1] == _agentapi_proxy ]]; then
  _agentapi_proxy "$@"
else
  compdef _agentapi_proxy agentapi-proxy
fi
`;

const FISH = String.raw`# fish completion for agentapi-proxy; to load it: agentapi-proxy completion fish | source
function __agentapi_proxy
    set -l current (commandline -ct)
    set -l words (commandline -opc) "$current"
    for line in (agentapi-proxy complete fish -- $words[2..-1] 2>/dev/null)
        if test "$line" = :files
            __fish_complete_path "$current"
        else
            printf '%s\n' "$line"
        end
    end
end
complete -c agentapi-proxy -f -a '(__agentapi_proxy)'
`;

/** The script that makes a shell complete our command line. */
export const COMPLETION_SCRIPTS: Readonly<Record<Shell, string>> = { bash: BASH, zsh: ZSH, fish: FISH };

/** How the scripts are put to use. */
export const COMPLETION_HELP = `
To use it now, and in every new shell:
  bash   source <(agentapi-proxy completion bash)     the same line in ~/.bashrc
  zsh    source <(agentapi-proxy completion zsh)      the same line in ~/.zshrc, after compinit
  fish   agentapi-proxy completion fish | source      the same line in ~/.config/fish/config.fish`;
