//! A disk that is full: a small one, in a mount namespace of the gateway's own, filled from outside.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use portcullis_tests::policies::publish;
use portcullis_tests::{Etcd, Gateway, Launch, eventually};

use super::{NOWHERE, declines, strict};

/// Where the small disk is mounted: what the gateway's state is kept on, and nothing else.
const MOUNT: &str =
    "mkdir -p policy-state && mount -t tmpfs -o size=4m,mode=700 portcullis policy-state && exec \"$@\"";

/// A gateway whose state is on a disk of 4 MiB.
struct SmallDisk {
    gateway: Gateway,
}

impl SmallDisk {
    fn start(store: &str) -> Self {
        let allowed = Command::new("unshare")
            .args([
                "--map-root-user",
                "--mount",
                "sh",
                "-c",
                "mount -t tmpfs portcullis /mnt",
            ])
            .output()
            .expect("`unshare` of util-linux runs");
        assert!(
            allowed.status.success(),
            "this test mounts a small file system, for which the machine has to allow user namespaces \
             (`sysctl kernel.unprivileged_userns_clone user.max_user_namespaces`, or a container with CAP_SYS_ADMIN): {}",
            String::from_utf8_lossy(&allowed.stderr)
        );
        let through = ["unshare", "--map-root-user", "--mount", "sh", "-c", MOUNT, "sh"];
        let gateway = Gateway::launch(Launch {
            store: store.to_owned(),
            through: through.map(str::to_owned).to_vec(),
            ..Launch::default()
        });
        gateway.wait_until_ready();
        Self { gateway }
    }

    /// A path on the small disk, as it is seen from outside.
    fn path(&self, name: &str) -> PathBuf {
        let root = PathBuf::from(format!("/proc/{}/root", self.gateway.id()));
        let inside = self.gateway.state().join(name);
        root.join(inside.strip_prefix("/").expect("an absolute path"))
    }

    /// Takes all the room that there is.
    fn fill(&self) {
        use std::io::Write;
        let mut file = fs::File::create(self.path("filler")).expect("a file on the small disk");
        let block = vec![0; 4096];
        let full = loop {
            if let Err(error) = file.write_all(&block) {
                break error;
            }
        };
        assert_eq!(full.kind(), std::io::ErrorKind::StorageFull, "{full}");
    }

    fn make_room(&self) {
        fs::remove_file(self.path("filler")).expect("it can be deleted");
    }
}

fn cache(gateway: &Gateway, result: &str) -> u64 {
    let name = format!("portcullis_policy_compile_cache_total{{result=\"{result}\"}}");
    gateway.metric(&name).unwrap_or(0)
}

fn written(gateway: &Gateway, expected: u64) {
    eventually(
        &format!("portcullis_policy_state_written to be {expected}"),
        || (gateway.metric("portcullis_policy_state_written") == Some(expected)).then_some(()),
    );
}

#[test]
fn a_full_disk_holds_up_neither_decisions_nor_swaps_and_is_written_again_when_there_is_room() {
    let etcd = Etcd::start();
    publish(&etcd.location(), &[&strict()]);
    let disk = SmallDisk::start(&etcd.location());
    let gateway = &disk.gateway;
    gateway.wait_for("amount-ceiling", 1);
    eventually("the first set to be on the disk", || {
        (cache(gateway, "written") == 1 && gateway.metric("portcullis_policy_state_saved_revision")? > 0)
            .then_some(())
    });
    disk.fill();

    // Another artifact: neither it nor its machine code nor the set has room.
    publish(&etcd.location(), &[&strict().padded(1_000)]);
    gateway.wait_for("amount-ceiling", 2);
    declines(gateway);
    written(gateway, 0);
    eventually("the cache to give up", || {
        (cache(gateway, "write_failed") == 1).then_some(())
    });
    publish(&etcd.location(), &[&strict().padded(2_000)]);
    gateway.wait_for("amount-ceiling", 3);
    declines(gateway);
    assert_eq!(gateway.get("/readyz").status, 200);
    assert!(gateway.metric("portcullis_policy_state_write_failures_total") > Some(0));
    let said = |what: &str| gateway.log().iter().filter(|line| line.contains(what)).count();
    assert_eq!(
        said("this node's state cannot be written"),
        1,
        "{}",
        gateway.log().join("\n")
    );

    disk.make_room();
    publish(&etcd.location(), &[&strict().padded(3_000)]);
    gateway.wait_for("amount-ceiling", 4);
    written(gateway, 1);
    assert_eq!(said("this node's state is written again"), 1);
    eventually("the machine code to be kept", || {
        (cache(gateway, "written") > 1).then_some(())
    });

    // What is on the disk now is what decides: seen from a copy of it, since the small disk goes with the gateway.
    let copy = tempfile::tempdir().expect("a folder");
    let kept = copy.path().join("state");
    let copied = Command::new("cp")
        .arg("-rp")
        .arg(disk.path(""))
        .arg(&kept)
        .status();
    assert!(copied.expect("cp runs").success());
    let path = format!("policies.state_path={}", kept.display());
    let second = Gateway::start_with(NOWHERE, &[&path]);
    second.wait_until_ready();
    second.wait_for("amount-ceiling", 4);
    declines(&second);
}
