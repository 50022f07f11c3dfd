#!/usr/bin/env bash
# Splits a release build into what is shipped and what is kept: ship.sh BINARY FOLDER
#
# FOLDER/portcullis has no symbols and no lines, and is a fifth of the size; FOLDER/portcullis.debug has all of them. Who has a backtrace, a
# core or a profile of the one needs the other beside it: the name stands in the binary (.gnu_debuglink), and gdb, perf and the gateway's
# own backtraces look for it.
set -euo pipefail

readonly binary=$1 folder=$2
mkdir -p "$folder"
objcopy --only-keep-debug "$binary" "$folder/portcullis.debug"
chmod a-x "$folder/portcullis.debug"
objcopy --strip-all "$binary" "$folder/portcullis"
# It takes the file's name and its checksum.
(cd "$folder" && objcopy --add-gnu-debuglink=portcullis.debug portcullis)
