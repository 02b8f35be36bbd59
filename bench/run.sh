#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# run.sh BUILD [ROW...]: engine and yardstick in alternating pairs, results compared, medians. Prints a
# table and writes build/bench/latest.tsv. PAIRS (5) and BYTES (500000000) of text may be set.
#
# A row compares "seconds words check" of two programs; its figure is the median over the pairs of
# yardstick seconds / engine seconds. The other rows have a figure of their own and an upper limit.
# A row "a against b" has the first number of one over that of the other as its figure, and an upper
# limit. sort and join are compared with DuckDB, if PYTHON (python3) has it (pip install duckdb); these two
# are reported and have no floor.
set -eu

build=$1
shift
rows=${*:-wordcount_file wordcount_callback wordcount_socket empty_batch idle_rss start_to_first_batch
window_30s window_slices state_update_track state_update_touched state_growth_track state_growth_touched
state_growth_callback state_idle_track state_idle_touched state_bytes sort join}
pairs=${PAIRS:-5}
bytes=${BYTES:-500000000}
table_rows=${TABLE_ROWS:-10000000}
python=${PYTHON:-python3}
bench=$build/bench
sticks=$build/bench/yardsticks
out=build/bench
mkdir -p "$out"
text=$out/text-$bytes.txt
table=$out/latest.tsv
port_file=$out/port
engine_line= stick_line=

[ -s "$text" ] || "$sticks/gentext" "$bytes" >"$text.new" && [ -s "$text" ] || mv "$text.new" "$text"
cat "$text" >/dev/null # into the page cache
printf 'row\tengine\tyardstick\tratio\tmin\tmax\tfloor\tunit\n' >"$table"

fail() {
    echo "bench: $1" >&2
    exit 1
}

# A server for one client; its port is in $port.
serve() {
    : >"$port_file"
    "$sticks/textsource" "$text" >"$port_file" &
    server=$!
    until [ -s "$port_file" ]; do
        kill -0 "$server" 2>/dev/null || fail "the text source does not start"
        sleep 0.05
    done
    port=$(cat "$port_file")
}

run_engine() {
    case $1 in
    wordcount_file) engine_line=$("$bench/wordcount_file" kernel "$text" --master 'local[2]') ;;
    wordcount_callback) engine_line=$("$bench/wordcount_file" callback "$text" --master 'local[2]') ;;
    wordcount_socket)
        serve
        engine_line=$("$bench/wordcount_socket" "$port" --master 'local[2]' --batch 100ms)
        wait "$server"
        ;;
    window_30s) engine_line=$("$bench/windows" window "$out"/slices/part-* --master 'local[2]') ;;
    state_update_*) engine_line=$("$bench/states" "${1#state_update_}" 1000000 1000000 20 --master 'local[1]') ;;
    sort | join) engine_line=$("$bench/tables" "$1" "$table_rows" --master 'local[2]') ;;
    esac
}

run_stick() {
    case $1 in
    wordcount_socket)
        serve
        stick_line=$("$sticks/tcpsink" "$port")
        wait "$server"
        ;;
    window_30s) stick_line=$("$bench/windows" plain "$out"/slices/part-* --master 'local[2]') ;;
    state_update_*) stick_line=$("$sticks/counters" 1000000 20000000) ;;
    sort | join) stick_line=$("$python" bench/yardsticks/tables.py "$1" "$table_rows" 2) ;;
    *) stick_line=$("$sticks/wordcount" 2 "$text") ;;
    esac
}

# measure COMMAND...: as many lines of "engine yardstick" as there are pairs
measure() {
    : >"$out/pairs"
    i=0
    while [ "$i" -lt "$pairs" ]; do
        i=$((i + 1))
        "$@" >>"$out/pairs"
    done
}

# spread EXPRESSION: its median, least and most over the pairs
spread() {
    awk -v OFMT=%.4f "{print $1}" "$out/pairs" | sort -g |
        awk '{v[NR] = $1} END {print v[int((NR + 1) / 2)], v[1], v[NR]}'
}

# record ROW FIGURE SENSE FLOOR UNIT: the pairs as a row; FIGURE is an expression of a pair
record() {
    read -r figure least most engine _ _ stick _ <<END
$(spread "$2") $(spread '$1') $(spread '$2')
END
    printf '%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n' "$1" "$engine" "$stick" "$figure" "$least" "$most" "$4" "$5" >>"$table"
    verdict=$(awk "BEGIN {print ($figure $3 $4) ? \"ok\" : \"MISSED\"}")
    printf '%-22s %10s %10s   %8s [%s .. %s]   %s %s  %s\n' "$1" "$engine" "$stick" "$figure" "$least" "$most" \
        "$3" "$4" "$verdict"
}

pair() {
    run_engine "$1"
    run_stick "$1"
    [ "${engine_line#* }" = "${stick_line#* }" ] ||
        fail "$1: results differ: engine ${engine_line#* }, yardstick ${stick_line#* }"
    echo "${engine_line%% *} ${stick_line%% *}"
}

compare() {
    run_stick "$1" && run_engine "$1" # warm up, not counted
    measure pair "$1"
    record "$1" '$2 / $1' '>=' "$2" s
}

figure() {
    line=$($2)
    case $1 in
    empty_batch) [ "${line#* }" = "0 0" ] || fail "$1: ${line#* } allocations and woken workers" ;;
    esac
    echo "$line" | awk -v OFMT=%.4f -v f="$3" '{print $1 * f, "-"}'
}

# limit ROW COMMAND FACTOR LIMIT UNIT: the median of the first number that the command prints
limit() {
    measure figure "$1" "$2" "$3"
    record "$1" '$1' '<=' "$4" "$5"
}

each() {
    echo "$($1 | awk '{print $1}') $($2 | awk '{print $1}')"
}

# against ROW COMMAND COMMAND LIMIT: what the first takes over what the second takes
against() {
    measure each "$2" "$3"
    record "$1" '$1 / $2' '<=' "$4" times
}

# What a counter with its key takes of ten million.
bytes_per_key() {
    "$bench/states" touched 10000000 0 1 | awk '{print $4}'
}

# The text as sixty batches.
cut_text() {
    [ -s "$out/slices/part-059" ] && [ "$out/slices/part-059" -nt "$text" ] && return
    rm -rf "$out/slices"
    mkdir -p "$out/slices"
    split -n l/60 -d -a 3 "$text" "$out/slices/part-"
    cat "$out"/slices/* >/dev/null
}

printf '%-22s %10s %10s   %8s\n' row engine yardstick figure
for row in $rows; do
    case $row in
    wordcount_file) compare "$row" 0.40 ;;
    wordcount_callback) compare "$row" 0.20 ;;
    wordcount_socket) compare "$row" 0.50 ;;
    empty_batch) limit "$row" "$bench/empty_batch" 1 10 us ;;
    idle_rss) limit "$row" "$bench/idle rss" 1 8 MiB ;;
    start_to_first_batch) limit "$row" "$bench/idle start" 1000 20 ms ;;
    window_30s)
        cut_text
        compare "$row" 0.40
        ;;
    window_slices) against "$row" "$bench/slices 1000" "$bench/slices 10" 1.3 ;;
    state_update_*) compare "$row" 0.30 ;;
    state_growth_*)
        states="$bench/states ${row#state_growth_}"
        against "$row" "$states 10000000 10000 200" "$states 100000 10000 200" 4
        ;;
    state_idle_*)
        states="$bench/states ${row#state_idle_}"
        against "$row" "$states 10000000 0 20000" "$states 0 0 20000" 1.2
        ;;
    state_bytes) limit "$row" "bytes_per_key" 1 48 B ;;
    sort | join)
        if "$python" -c 'import duckdb' 2>/dev/null; then
            compare "$row" 0
        else
            printf '%-22s not compared: %s has no duckdb\n' "$row" "$python"
        fi
        ;;
    *) fail "unknown row $row" ;;
    esac
done
