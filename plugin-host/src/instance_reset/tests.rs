//! When pages are scanned, and what scanning would let through.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use wasmtime::{
    Config, Enabled, Engine, Instance, InstanceAllocationStrategy, Memory, Module, Store, TypedFunc,
};

use super::*;
use crate::engine::pool_config;
use crate::testing::small_config;

const HEADINGS: &str = "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n";

#[test]
fn pages_are_scanned_only_where_it_is_asked_for_and_nothing_can_be_swapped_out() {
    let swaps = |lines: &str| Ok(format!("{HEADINGS}{lines}"));
    let nothing = || swaps("");
    assert_eq!(
        choose(InstanceReset::Memset, || true, nothing),
        (InstanceReset::Memset, None)
    );
    assert_eq!(
        choose(InstanceReset::PagemapScan, || true, nothing),
        (InstanceReset::PagemapScan, None)
    );
    assert_eq!(
        choose(InstanceReset::PagemapScan, || false, nothing),
        (InstanceReset::Memset, Some(InsteadOfScan::NotOffered))
    );
    let swap = || swaps("/dev/zram0                              partition\t1000\t\t0\t\t100\n");
    assert_eq!(
        choose(InstanceReset::PagemapScan, || true, swap),
        (
            InstanceReset::Memset,
            Some(InsteadOfScan::Swap("/dev/zram0".to_owned()))
        )
    );
    let unreadable = || Err(io::Error::from(io::ErrorKind::PermissionDenied));
    let (reset, instead) = choose(InstanceReset::PagemapScan, || true, unreadable);
    assert_eq!(reset, InstanceReset::Memset);
    assert!(matches!(instead, Some(InsteadOfScan::Unknown(_))), "{instead:?}");
}

/// A guest that keeps a word anywhere in its memory, and tells what is there.
const KEEPER: &str = r#"(module
  (memory (export "memory") 16)
  (func (export "put") (param i32 i32) (i32.store (local.get 0) (local.get 1)))
  (func (export "get") (param i32) (result i32) (i32.load (local.get 0))))"#;

/// Where the word is: within what a memset clears, and beyond.
const PLACES: [u32; 2] = [5 * 4096, 200 * 4096];

const WORD: u32 = 0x5ec2_e700;

/// Swap of its own for as long as a test runs.
struct Swap(PathBuf);

impl Swap {
    /// # Panics
    /// Where this process may not.
    fn on(folder: &Path) -> Self {
        let file = folder.join("swap");
        let run = |program: &str, arguments: &[&str]| {
            let status = Command::new(program).args(arguments).arg(&file).status();
            assert!(
                status.is_ok_and(|status| status.success()),
                "{program} works: this test is root's, on Linux"
            );
        };
        std::fs::write(&file, vec![0; 64 << 20]).unwrap();
        run("chmod", &["600"]);
        run("mkswap", &["--quiet"]);
        run("swapon", &[]);
        Self(file)
    }
}

impl Drop for Swap {
    fn drop(&mut self) {
        let _off = Command::new("swapoff").arg(&self.0).status();
    }
}

/// A pool with a single slot, so that one instance follows the other in it.
fn engine(scan: Enabled) -> Engine {
    let mut pool = pool_config(&small_config(1), InstanceReset::Memset);
    pool.total_memories(1).pagemap_scan(scan);
    let mut config = Config::new();
    config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    Engine::new(&config).unwrap()
}

struct Keeper {
    store: Store<()>,
    memory: Memory,
    put: TypedFunc<(u32, u32), ()>,
    get: TypedFunc<u32, u32>,
}

impl Keeper {
    fn new(module: &Module) -> Self {
        let mut store = Store::new(module.engine(), ());
        let instance = Instance::new(&mut store, module, &[]).unwrap();
        Self {
            memory: instance.get_memory(&mut store, "memory").unwrap(),
            put: instance.get_typed_func(&mut store, "put").unwrap(),
            get: instance.get_typed_func(&mut store, "get").unwrap(),
            store,
        }
    }

    /// Has the kernel swap this page out, as it does where memory is short.
    fn swap_out(&self, place: u32) {
        /// Of an entry of `/proc/self/pagemap`: the page is in swap.
        const IN_SWAP: u64 = 1 << 62;
        let address = self.memory.data_ptr(&self.store) as usize + place as usize;
        let is_out = || {
            let mut entry = [0; 8];
            let at = (address / 4096 * 8) as u64;
            File::open("/proc/self/pagemap")
                .unwrap()
                .read_exact_at(&mut entry, at)
                .unwrap();
            u64::from_le_bytes(entry) & IN_SWAP != 0
        };
        let mut tries = 0;
        while !is_out() {
            #[expect(unsafe_code, reason = "no library asks for a page to be swapped out")]
            // SAFETY: the page is the guest's, and stays readable: the kernel only moves what is in it.
            let told = unsafe { libc::madvise(address as *mut libc::c_void, 4096, libc::MADV_PAGEOUT) };
            assert_eq!(told, 0, "{}", io::Error::last_os_error());
            tries += 1;
            assert!(tries < 1_000, "the kernel does not swap the page out");
        }
    }
}

/// What the next guest finds in each place where the one before wrote, and was swapped out.
fn found_by_the_next(scan: Enabled) -> [u32; 2] {
    let engine = engine(scan);
    let module = Module::new(&engine, wat::parse_str(KEEPER).unwrap()).unwrap();
    let mut first = Keeper::new(&module);
    for place in PLACES {
        first.put.call(&mut first.store, (place, WORD)).unwrap();
        first.swap_out(place);
    }
    drop(first);
    let mut next = Keeper::new(&module);
    PLACES.map(|place| next.get.call(&mut next.store, place).unwrap())
}

/// `make swap`: it switches swap on, which is root's, and everybody's on the machine.
#[test]
#[ignore = "switches swap on"]
fn what_was_swapped_out_reaches_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let swap = Swap::on(folder.path());
    assert_eq!(found_by_the_next(Enabled::No), [0, 0], "after a memset");
    let scanned = found_by_the_next(Enabled::Yes);
    println!("after PAGEMAP_SCAN the next guest finds {scanned:x?}, where the last one wrote {WORD:x}");
    assert_ne!(
        scanned,
        [0, 0],
        "wasmtime has mended it: swap is no reason against scanning any more"
    );

    let (reset, instead) = on_this_machine(InstanceReset::PagemapScan);
    assert_eq!(reset, InstanceReset::Memset, "so it is not used on this machine");
    let place = swap.0.display().to_string();
    assert_eq!(instead, Some(InsteadOfScan::Swap(place)));
}
