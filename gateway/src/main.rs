//! The `portcullis` binary.

use std::process::ExitCode;

use tikv_jemallocator::Jemalloc;
use zeroizing_alloc::ZeroAlloc;

/// Memory is wiped when it is let go of. The gateway wipes card numbers where it holds them; those that wait in the buffers of a connection
/// are its libraries', and go with the connection.
#[global_allocator]
static ALLOCATOR: ZeroAlloc<Jemalloc> = ZeroAlloc(Jemalloc);

fn main() -> ExitCode {
    portcullis_gateway::cli::run()
}
