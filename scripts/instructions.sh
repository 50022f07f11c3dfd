#!/usr/bin/env bash
# Counts the instructions of an evaluation under callgrind, and holds the count against the one that was kept:
#   instructions.sh check|keep
#
# A count repeats where a time does not, also on a machine that is busy. What clears memory counts apart: callgrind takes each
# byte of it for an instruction. The count is that of the development profile, with its assertions: it says whether something was
# added to the path, and not how long that takes.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly KEPT=plugin-host/src/release/tests/instructions.kept
readonly TEST=release::tests::instructions::instructions_of_an_evaluation
readonly COUNTED='*release::tests::instructions::counted*'
# As in that test.
readonly EVALUATIONS=200
# Another C library or compiler is good for some of it; a lookup by name or a copy of the payment for more.
readonly TOLERANCE_PERCENT=5

target="$(realpath --canonicalize-missing "${CARGO_TARGET_DIR:-target}")"
program="$(cargo test --workspace --lib --locked --no-run --message-format json 2>/dev/null |
    sed -n 's/.*"name":"portcullis_plugin_host".*"executable":"\([^"]*\)".*/\1/p' | tail -n 1)"
[[ -x "$program" ]] || {
    echo "instructions: the tests of plugin-host do not build; try: cargo test --workspace --lib --no-run" >&2
    exit 1
}
folder="$target/instructions"
mkdir -p "$folder"
rm -f "$folder"/callgrind.out*
if ! valgrind --tool=callgrind --callgrind-out-file="$folder/callgrind.out" --collect-atstart=no \
    --toggle-collect="$COUNTED" "$program" --ignored --exact "$TEST" --test-threads 1 >"$folder/log" 2>&1; then
    tail -n 30 "$folder/log" >&2
    exit 1
fi
# Numbers are written with commas: "51,623,000 (70.6%)  file:function".
count="$(callgrind_annotate --threshold=100 --show-percs=no "$folder/callgrind.out" |
    awk -v evaluations="$EVALUATIONS" '
        { number = $1; gsub(",", "", number) }
        /PROGRAM TOTALS/ { total = number }
        /__memset_/ { cleared += number }
        END { printf "%d", (total - cleared) / evaluations }')"
((count > 0)) || {
    echo "instructions: nothing was counted, see $folder/log" >&2
    exit 1
}
if [[ "${1:-}" == keep ]]; then
    echo "$count" >"$KEPT"
    echo "instructions: $count for an evaluation, kept in $KEPT"
    exit
fi
kept="$(<"$KEPT")"
awk -v count="$count" -v kept="$kept" -v tolerance="$TOLERANCE_PERCENT" -v file="$KEPT" 'BEGIN {
    more = (count / kept - 1) * 100
    printf "instructions: %d for an evaluation, %d were kept (%+.1f %%, at most %+d %% is taken)\n", count, kept, more, tolerance
    if (more > tolerance) {
        print "instructions: an evaluation takes more than it did. Where it has to: make instructions-keep, and say why in the commit"
        exit 1
    }
    if (more < -tolerance) { print "instructions: it takes less. Keep that: make instructions-keep writes " file }
}'
