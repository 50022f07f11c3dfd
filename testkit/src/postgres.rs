//! A real PostgreSQL: on a free port of the loopback, with a folder of its own, gone when it is dropped or when the test program ends,
//! however it ends.
//!
//! The server and `initdb` refuse to run as root; there they are run as the user `postgres`, whom the package brings.

mod control;

use std::ffi::OsStr;
use std::fs;
use std::io::Write;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// How long a state of the server is waited for: far longer than it takes to come, so that only a defect runs into it.
const PATIENCE: Duration = Duration::from_secs(60);

/// How often a state is looked at.
const GLANCE: Duration = Duration::from_millis(20);

/// How often a start is tried: a free port may be taken by somebody else before the server has it.
const STARTS: u32 = 5;

/// Whom tests connect as.
pub const USER: &str = "portcullis";

/// With this password, which no message may repeat.
pub const PASSWORD: &str = "correct-horse-battery-staple";

/// Where Debian puts the programs, which it does not put on the path: the newest version counts.
const DEBIAN: &str = "/usr/lib/postgresql";

/// Waits until whoever started it is gone (its standard input ends then) and ends the server; takes the folder away that it is named
/// after, where it has such a name.
const KEEPER: &str = "\"$@\" & server=$!; read -r _; kill -QUIT $server 2>/dev/null; wait $server; [ -z \"$0\" ] || rm -rf \"$0\"";

/// How a server is started.
#[derive(Clone, Debug, Default)]
pub struct Setup {
    /// Whether a commit waits for the disk. Only tests of that need it; the others are faster without.
    pub is_durable: bool,
    /// Whether nobody drops it before the program ends, so that its folder has to be taken away by somebody else.
    pub is_kept_to_the_end: bool,
    /// Certificate and private key, as PEM, where it is to speak TLS, and then nothing else.
    pub certificate: Option<(PathBuf, PathBuf)>,
}

/// A server. It can be killed and started again on what it kept.
pub struct Postgres {
    setup: Setup,
    folder: TempDir,
    port: u16,
    keeper: Mutex<Option<Child>>,
    databases: AtomicU64,
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Whether `initdb`, `postgres` and `psql` are there, and somebody who may run them.
#[must_use]
pub fn is_here() -> bool {
    let runs = |tool| {
        let mut command = as_server_user(&program(tool));
        command
            .arg("--version")
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    };
    runs("initdb") && runs("postgres") && runs("psql")
}

/// A server for all tests of this program that need nothing special of it.
pub fn shared() -> &'static Postgres {
    static SHARED: OnceLock<Postgres> = OnceLock::new();
    SHARED.get_or_init(|| {
        let setup = Setup {
            is_kept_to_the_end: true,
            ..Setup::default()
        };
        Postgres::start(&setup)
    })
}

/// The path of one of its programs: of the newest version that Debian has, else as the shell finds it.
fn program(name: &str) -> PathBuf {
    let version = |folder: &Path| -> Option<u32> { folder.file_name()?.to_str()?.parse().ok() };
    let mut folders: Vec<PathBuf> = fs::read_dir(DEBIAN)
        .map(|entries| entries.flatten().map(|entry| entry.path()).collect())
        .unwrap_or_default();
    folders.retain(|folder| folder.join("bin").join(name).exists());
    folders.sort_by_key(|folder| version(folder));
    folders
        .pop()
        .map_or_else(|| PathBuf::from(name), |folder| folder.join("bin").join(name))
}

fn is_root() -> bool {
    std::os::unix::fs::MetadataExt::uid(&fs::metadata("/proc/self").unwrap()) == 0
}

fn as_server_user(program: &Path) -> Command {
    if !is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command
        .args(["--reuid=postgres", "--regid=postgres", "--init-groups", "--"])
        .arg(program);
    command
}

fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    listener.local_addr().unwrap().port()
}

fn succeed(what: &str, output: &Output) {
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{what}: {told}");
}

impl Postgres {
    /// Starts one and waits until it answers.
    ///
    /// # Panics
    /// When there is no PostgreSQL, or it does not come up.
    #[must_use]
    pub fn start(setup: &Setup) -> Self {
        assert!(
            is_here(),
            "there is no PostgreSQL that could be started: `scripts/setup.sh test` brings it"
        );
        let mut postgres = Self {
            setup: setup.clone(),
            folder: tempfile::tempdir().unwrap(),
            port: free_port(),
            keeper: Mutex::new(None),
            databases: AtomicU64::new(0),
        };
        postgres.initialize();
        for _ in 0..STARTS {
            postgres.spawn();
            if postgres.answers() {
                return postgres;
            }
            postgres.stop();
            postgres.port = free_port();
        }
        panic!(
            "PostgreSQL did not come up on any of {STARTS} free ports: {}",
            postgres.log()
        );
    }

    /// Where all that it keeps lies: every database, its log of changes, what it tells.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// The file that the password is in, for its owner alone.
    #[must_use]
    pub fn password_file(&self) -> PathBuf {
        self.folder.path().join("password")
    }

    /// `host:port`.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Where a database is, without the password.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        self.url_by(&self.endpoint(), database)
    }

    /// The same by way of something else, such as a proxy.
    #[must_use]
    pub fn url_by(&self, endpoint: &str, database: &str) -> String {
        format!("postgres://{USER}@{endpoint}/{database}")
    }

    /// Makes a database that nobody else uses, and tells its name.
    ///
    /// # Panics
    /// When the server refuses.
    pub fn fresh_database(&self) -> String {
        let name = format!("test_{}", self.databases.fetch_add(1, Ordering::SeqCst));
        self.sql(
            "postgres",
            &format!("CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'"),
        );
        name
    }

    /// Has a statement done, by the way that no gateway goes, and tells what came back, without titles.
    ///
    /// # Panics
    /// When the server refuses.
    pub fn sql(&self, database: &str, sql: &str) -> String {
        let output = self.psql(database, sql);
        succeed(sql, &output);
        String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
    }

    fn psql(&self, database: &str, sql: &str) -> Output {
        let mut command = Command::new(program("psql"));
        command
            .args([
                "--no-psqlrc",
                "--quiet",
                "--tuples-only",
                "--no-align",
                "--set=ON_ERROR_STOP=1",
            ])
            .arg(format!("--dbname={}", self.url(database)))
            .arg(format!("--command={sql}"))
            .env("PGPASSWORD", PASSWORD)
            .stdin(Stdio::null());
        command.output().unwrap()
    }

    fn initialize(&self) {
        let password_file = self.password_file();
        let mut file = fs::File::create(&password_file).unwrap();
        writeln!(file, "{PASSWORD}").unwrap();
        fs::set_permissions(&password_file, fs::Permissions::from_mode(0o600)).unwrap();
        if is_root() {
            self.give_to_server_user(self.folder.path());
            self.give_to_server_user(&password_file);
        }
        let initialized = as_server_user(&program("initdb"))
            .args([
                "--auth=scram-sha-256",
                "--encoding=UTF8",
                "--locale=C",
                "--no-sync",
                "--no-instructions",
            ])
            .arg(format!("--username={USER}"))
            .arg(format!("--pwfile={}", password_file.display()))
            .arg(self.data())
            .current_dir("/")
            .output();
        succeed("initdb", &initialized.unwrap());
        if let Some((certificate, key)) = &self.setup.certificate {
            self.take_certificate(certificate, key);
        }
    }

    /// Copies of the certificate and its key that the server may read; and it takes no connection in the clear.
    fn take_certificate(&self, certificate: &Path, key: &Path) {
        for (from, name) in [(certificate, "server.crt"), (key, "server.key")] {
            let to = self.folder.path().join(name);
            fs::copy(from, &to).unwrap();
            fs::set_permissions(&to, fs::Permissions::from_mode(0o600)).unwrap();
            if is_root() {
                self.give_to_server_user(&to);
            }
        }
        let allowed = "hostssl all all 127.0.0.1/32 scram-sha-256\n";
        fs::write(self.data().join("pg_hba.conf"), allowed).unwrap();
    }

    fn give_to_server_user(&self, path: &Path) {
        let given = Command::new("chown").arg("postgres:postgres").arg(path).output();
        succeed("chown", &given.unwrap());
    }

    fn spawn(&self) {
        let log = fs::File::options()
            .create(true)
            .append(true)
            .open(self.folder.path().join("log"))
            .unwrap();
        let server = as_server_user(&program("postgres"));
        let mut keeper = Command::new("sh");
        keeper
            .args(["-c", KEEPER])
            .arg(if self.setup.is_kept_to_the_end {
                self.folder.path().as_os_str()
            } else {
                OsStr::new("")
            })
            .arg(server.get_program())
            .args(server.get_args())
            .arg("-D")
            .arg(self.data())
            .args([
                "-c",
                "listen_addresses=127.0.0.1",
                "-c",
                "unix_socket_directories=",
            ])
            .args(["-c", &format!("port={}", self.port)])
            // Every test has its connections.
            .args(["-c", "max_connections=300", "-c", "log_line_prefix=%m %d "]);
        if !self.setup.is_durable {
            keeper.args(["-c", "fsync=off", "-c", "full_page_writes=off"]);
        }
        if self.setup.certificate.is_some() {
            for (setting, file) in [("ssl_cert_file", "server.crt"), ("ssl_key_file", "server.key")] {
                keeper.args([
                    "-c",
                    &format!("{setting}={}", self.folder.path().join(file).display()),
                ]);
            }
            keeper.args(["-c", "ssl=on"]);
        }
        let keeper = keeper
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn();
        *self.lock() = Some(keeper.unwrap());
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Child>> {
        self.keeper.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until it answers; says whether it does, before it ended.
    fn answers(&self) -> bool {
        let until = Instant::now() + PATIENCE;
        while Instant::now() < until {
            if self.psql("postgres", "SELECT 1").status.success() {
                return true;
            }
            if self.server_id().is_none() && self.log().contains("could not create any TCP/IP sockets") {
                return false;
            }
            std::thread::sleep(GLANCE);
        }
        false
    }

    /// What it has logged.
    #[must_use]
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }
}
