#!/usr/bin/env bash
# Builds the fuzz targets and runs them, one after another. fuzz/README.md tells more.
#
#   scripts/fuzz.sh run [TARGET…]      replay what is kept of each target, then fuzz it for FUZZ_SECONDS
#   scripts/fuzz.sh replay [TARGET…]   replay alone
#   scripts/fuzz.sh keep [TARGET…]     minimise what earlier runs found together with what is kept, and keep that
#
# FUZZ_SECONDS (60) is what each target is given; FUZZ_SANITIZER (none) may be `address`, which takes a build of its own.
# With FUZZ_SEED=NUMBER a run begins with what is kept alone and makes its choices from that number, so that it finds the same in
# the same sources: a run that fails says something about what changed.
# What runs find goes to the target folder and not into the sources: `keep` brings it there.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
root="$PWD"

readonly SECONDS_EACH="${FUZZ_SECONDS:-60}"
readonly SANITIZER="${FUZZ_SANITIZER:-none}"
readonly SEED="${FUZZ_SEED:-}"
# Far above what any input may take; a slower one is a finding.
readonly TIMEOUT_SECONDS=20
# The pool of the sandbox and an artifact of three chunks fit several times; an input that needs more is a finding.
readonly MEMORY_MB=2048
# What is kept of one input: a real component fits.
readonly MAX_INPUT_BYTES=65536

target_dir="$(realpath -m "${CARGO_TARGET_DIR:-target}")"
readonly BUILD="$target_dir/fuzz/$SANITIZER"
found="$target_dir/fuzz/found"
if [[ -n "$SEED" ]]; then
    found="$(mktemp -d)"
    trap 'rm -rf "$found"' EXIT
fi
readonly FOUND="$found" CRASHES="$target_dir/fuzz/found/crashes"
readonly LOGS="$target_dir/fuzz/logs"
readonly CARGO_FUZZ="$target_dir/tools/bin/cargo-fuzz"

host="$(rustc +nightly -vV | sed -n 's/^host: //p')"

build() {
    # Every target at once: one graph of crates, and each of them built once.
    RUSTC_WRAPPER="$root/fuzz/instrument.sh" PATH="$(dirname "$CARGO_FUZZ"):$PATH" CARGO_TERM_PROGRESS_WHEN=never \
        cargo +nightly fuzz build --sanitizer "$SANITIZER" --codegen-units 16 --target-dir "$BUILD"
}

# libFuzzer itself: the rest of the arguments are its own.
fuzzer() {
    local target="$1"
    shift
    local options=(-timeout="$TIMEOUT_SECONDS" -rss_limit_mb="$MEMORY_MB" -max_len="$MAX_INPUT_BYTES")
    local dictionary="$root/fuzz/dictionaries/$target.dict"
    [[ ! -f "$dictionary" ]] || options+=("-dict=$dictionary")
    [[ -z "$SEED" ]] || options+=("-seed=$SEED")
    mkdir -p "$FOUND/$target" "$CRASHES"
    "$BUILD/$host/release/$target" "${options[@]}" -artifact_prefix="$CRASHES/$target-" "$@"
}

# Folders of inputs that are there: the first one is written to.
inputs() {
    local target="$1" folder
    echo "$FOUND/$target"
    for folder in "$root/fuzz/corpus/$target" "$root/fuzz/findings/$target"; do
        [[ ! -d "$folder" ]] || echo "$folder"
    done
}

stat() { sed -n "s/^stat::$1: *//p" "$2" | tail -n 1; }

# One target, with a line of result.
one() {
    local mode="$1" target="$2" log="$LOGS/$2.log" folders began=$SECONDS
    local -a options=(-print_final_stats=1)
    mapfile -t folders < <(inputs "$target")
    case "$mode" in
    replay)
        folders=("${folders[@]:1}")
        options+=(-runs=0)
        ;;
    run) options+=(-max_total_time="$SECONDS_EACH") ;;
    esac
    mkdir -p "$LOGS"
    if ! fuzzer "$target" "${options[@]}" "${folders[@]}" >"$log" 2>&1; then
        tail -n 30 "$log" >&2
        printf 'fuzz: %-18s FAILED: the input is named above; the whole log is %s\n' "$target" "$log"
        return 1
    fi
    printf 'fuzz: %-18s %-6s %10s runs %8s/s %6s new inputs %5s MB %4d s\n' "$target" "$mode" \
        "$(stat number_of_executed_units "$log")" "$(stat average_exec_per_sec "$log")" \
        "$(stat new_units_added "$log")" "$(stat peak_rss_mb "$log")" $((SECONDS - began))
}

keep() {
    local target="$1" merged folders
    mapfile -t folders < <(inputs "$target")
    merged="$(mktemp -d)"
    # Replayed in processes of their own, so that an input that crashes does not end it.
    fuzzer "$target" -merge=1 "$merged" "${folders[@]}" >"$LOGS/$target.log" 2>&1
    rm -rf "$root/fuzz/corpus/$target"
    mv "$merged" "$root/fuzz/corpus/$target"
    chmod 755 "$root/fuzz/corpus/$target"
    printf 'fuzz: %-18s keeps %s inputs, %s\n' "$target" "$(find "$root/fuzz/corpus/$target" -type f | wc -l)" \
        "$(du -sh --apparent-size "$root/fuzz/corpus/$target" | cut -f 1)"
}

mode="${1:-run}"
[[ $# -eq 0 ]] || shift
case "$mode" in run | replay | keep) ;; *)
    printf 'usage: scripts/fuzz.sh run|replay|keep [TARGET…]\n' >&2
    exit 2
    ;;
esac

targets=("$@")
if [[ ${#targets[@]} -eq 0 ]]; then
    for file in fuzz/fuzz_targets/*.rs; do targets+=("$(basename "$file" .rs)"); done
fi

began=$SECONDS
build
printf 'fuzz: built in %d s\n' $((SECONDS - began))
failed=0
for target in "${targets[@]}"; do
    case "$mode" in
    keep) keep "$target" ;;
    replay) one replay "$target" || failed=1 ;;
    run) { one replay "$target" && one run "$target"; } || failed=1 ;;
    esac
done
exit "$failed"
