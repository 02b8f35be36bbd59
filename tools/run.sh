#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# run.sh BUILD [HOST PORT]: the live word count of make run. Without a host it starts a small text
# server of its own on a free port and counts for ten seconds; with one, until Ctrl-C.
set -eu

count=$1/examples/network_word_count
if [ $# -eq 3 ]; then
    echo "Counting the words that $2 sends from port $3; Ctrl-C ends it."
    exec "$count" "$2" "$3"
fi
if [ $# -ne 1 ]; then
    echo "usage: run.sh BUILD [HOST PORT]" >&2
    exit 1
fi

text=${TEXT:-/usr/share/common-licenses/GPL-3}
[ -e "$text" ] || [ -n "${TEXT:-}" ] || text=LICENSE

work=$(mktemp -d)
server=
finish() {
    [ -z "$server" ] || kill "$server" 2>/dev/null || true
    rm -rf "$work"
}
trap finish EXIT
# Ctrl-C goes to the count, which ends gracefully; then this script does, and the server with it.
trap : INT
trap 'exit 143' TERM HUP

"$1/examples/text_server" "$text" >"$work/port" &
server=$!
tries=0
until [ -s "$work/port" ]; do
    tries=$((tries + 1))
    if [ "$tries" -gt 100 ] || ! kill -0 "$server" 2>/dev/null; then
        echo "The text server does not start." >&2
        exit 1
    fi
    sleep 0.05
done
echo "Counting the words of $text, sent over and over through port $(cat "$work/port")."
"$count" localhost "$(cat "$work/port")" 10
