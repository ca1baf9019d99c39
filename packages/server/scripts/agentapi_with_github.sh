#!/usr/bin/env bash
# Starts the agent server of a session with a repository, which has been cloned before. See docs/scripts.md.
#
#   agentapi_with_github.sh PORT -- COMMAND [ARGUMENT...]
#
# PORT is 0 when the agent server is told its port over file descriptor 3.
# The working directory is the session's workspace. Everything that is printed goes to the session's log.
# A step that fails ends the script, and with it the session.
set -euo pipefail

if [ "$#" -lt 3 ] || [ "$2" != '--' ]; then
  echo 'usage: agentapi_with_github.sh PORT -- COMMAND [ARGUMENT...]' >&2
  exit 64
fi
shift 2

fail() {
  printf '%s\n' "$1" >&2
  exit 1
}

repository="${AGENTAPI_PROXY_REPOSITORY:?is not set: this script is for sessions with a repository}"
clone_dir="${AGENTAPI_PROXY_CLONE_DIR:?is not set: this script is for sessions with a repository}"

# Variables of the session must not lead git to another repository than the one it stands in.
in_clone() {
  env -u GIT_DIR -u GIT_WORK_TREE -u GIT_INDEX_FILE git -C "$clone_dir" "$@"
}

cd -- "$clone_dir" || fail "The clone of $repository is not there: $clone_dir"
top="$(in_clone rev-parse --show-toplevel)" || fail "$clone_dir is not a clone of $repository"
[ "$top" = "$(pwd -P)" ] || fail "$clone_dir is not a clone of $repository: it lies in $top"

# A clone without a commit is an empty repository, which is fine.
commit="$(in_clone rev-parse --short --verify --quiet HEAD || echo 'no commit yet')"
branch="$(in_clone symbolic-ref --short --quiet HEAD || echo 'no branch')"
printf 'repository %s, %s, %s\n' "$repository" "$branch" "$commit"

# The agent server takes the place of this script: same process, same descriptors.
exec "$@"
