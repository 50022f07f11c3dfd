#!/usr/bin/env bash
# Puts the sections that the benchmarks left together into docs/benchmarks.md: benchmarks.sh FOLDER
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly folder="$1" document=docs/benchmarks.md

version_of() { sed -n "/^name = \"$1\"\$/{n;s/^version = \"\\(.*\\)\"/\\1/p}" "$2" | sort -V | tail -n 1; }
processor="$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)"
memory="$(awk '/^MemTotal/ { printf "%.0f GiB", $2 / 1048576 }' /proc/meminfo)"

sections=("$folder"/*.md)
[[ -e "${sections[0]}" ]] || {
    echo "benchmarks: no section lies in $folder; run: make bench" >&2
    exit 1
}

{
    cat <<TEXT
# Benchmarks

Written by \`make bench\`: what the gateway promises of speed and size, beside floors and peers that are measured in the same run. Times
are those of one machine and say nothing of another; the ratios are what can be compared. A bar that is missed is said here, and
[below](#what-is-out-of-reach-and-why) is what is known about it. The notes at the end are kept by hand, in
[benchmarks-notes.md](benchmarks-notes.md).

| | |
| --- | --- |
| machine | $(nproc) × ${processor:-unknown}, $memory, Linux $(uname -r) |
| date | $(date -u +%Y-%m-%d), at $(git rev-parse --short HEAD) |
| Rust | $(rustc --version | cut -d' ' -f2), release profile |
| wasmtime | $(version_of wasmtime Cargo.lock) |
| command | \`make bench\`; each section alone by \`make bench BENCHES="http scale"\` |

## Bars

| what | measured | bar | stretch | reached |
| ---- | -------: | --: | ------: | ------: |
TEXT
    for section in "${sections[@]}"; do
        bars="${section%.md}.bars"
        [[ ! -s "$bars" ]] || cat "$bars"
    done
    for section in "${sections[@]}"; do
        printf '\n'
        cat "$section"
    done
    printf '\n'
    # From its first heading of the second level on.
    sed -n '/^## /,$p' docs/benchmarks-notes.md
} >"$document"
echo "benchmarks: wrote $document from ${#sections[@]} sections"
