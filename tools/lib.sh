# Sourced by the scripts beside it: where the checkout is, how they speak, and how they run what takes long.
# shellcheck shell=bash
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

# say TEXT: one line with the seconds since the script started.
say() { printf '[%3d s] %s\n' "$SECONDS" "$*"; }
die() {
  printf '%s: %s\n' "${0##*/}" "$*" >&2
  exit 1
}

# usage: prints the comment block at the head of the calling script.
usage() { awk 'NR > 1 { if (!/^#/) exit; sub(/^# ?/, ""); print }' "$0"; }

cores() { nproc 2>/dev/null || echo 2; }

# logged WHAT LOGFILE COMMAND...: runs the command with its output in the log file; says every 20 s how far it is, and
# shows the end of the log when the command fails. Returns the command's code.
logged() {
  local what=$1 log=$2 pid code=0 next=$((SECONDS + 20)) began=$SECONDS
  shift 2
  mkdir -p "$(dirname "$log")"
  say "$what"
  "$@" >"$log" 2>&1 </dev/null &
  pid=$!
  trap 'kill "$pid" 2>/dev/null || :; exit 130' INT TERM
  while kill -0 "$pid" 2>/dev/null; do
    sleep 0.2
    if ((SECONDS >= next)); then
      next=$((SECONDS + 20))
      say "  ... $(tail -n 1 "$log" | tr '\r' '\n' | tail -n 1 | cut -c1-100)"
    fi
  done
  wait "$pid" || code=$?
  trap - INT TERM
  if ((code != 0)); then
    say "FAILED after $((SECONDS - began)) s: $what"
    show_failure "$log"
  fi
  return "$code"
}

# show_failure LOGFILE: what a person needs of it: the first compiler errors, else its end.
show_failure() {
  if grep -q '^FAILED: ' "$1"; then
    grep -A 25 -m 3 '^FAILED: ' "$1" | grep -v '^/usr/bin/\|^ccache' | cut -c1-300 | head -n 80
  else
    tail -n 60 "$1"
  fi
  printf '(the whole log: %s)\n' "$1"
}
