#!/usr/bin/env bash
# Starts the agent server of a session without a repository. See docs/scripts.md.
#
#   agentapi_default.sh PORT -- COMMAND [ARGUMENT...]
#
# PORT is 0 when the agent server is told its port over file descriptor 3.
# The working directory is the session's workspace. Everything that is printed goes to the session's log.
set -euo pipefail

if [ "$#" -lt 3 ] || [ "$2" != '--' ]; then
  echo 'usage: agentapi_default.sh PORT -- COMMAND [ARGUMENT...]' >&2
  exit 64
fi
shift 2

# The agent server takes the place of this script: same process, same descriptors.
exec "$@"
