//! Certificates for etcd and its clients, made with openssl.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};

use tempfile::TempDir;

/// What certificates of servers and clients say that they are for: members of etcd are both.
const EXTENSIONS: &str = "basicConstraints=CA:FALSE\nsubjectAltName=DNS:localhost,IP:127.0.0.1\nextendedKeyUsage=serverAuth,clientAuth\n";

/// An authority that issues certificates, all in a folder of its own.
pub struct Authority {
    folder: TempDir,
    issued: Mutex<BTreeMap<String, Issued>>,
}

/// The files of a certificate.
#[derive(Clone, Debug)]
pub struct Issued {
    /// The certificate, as PEM.
    pub certificate: PathBuf,
    /// Its private key, as PEM of PKCS#8, for its owner alone to read.
    pub key: PathBuf,
}

impl Authority {
    /// A new one.
    ///
    /// # Panics
    /// When there is no openssl.
    #[must_use]
    #[expect(
        clippy::new_without_default,
        reason = "it starts processes, which nobody expects of a default"
    )]
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("extensions"), EXTENSIONS).unwrap();
        let authority = Self {
            folder,
            issued: Mutex::new(BTreeMap::new()),
        };
        authority.make_key("ca");
        let subject = ["-subj", "/CN=an authority of tests", "-days", "2"];
        authority.openssl(
            &["req", "-x509", "-new", "-key", "ca.key", "-out", "ca.pem"],
            &subject,
        );
        authority
    }

    /// Its own certificate.
    #[must_use]
    pub fn certificate(&self) -> PathBuf {
        self.path("ca.pem")
    }

    /// A certificate of this common name, for a server on the loopback and for a client alike; the same for the same name.
    #[must_use]
    pub fn issue(&self, common_name: &str) -> Issued {
        self.issue_for(common_name, "2")
    }

    /// One that has expired.
    #[must_use]
    pub fn issue_expired(&self, common_name: &str) -> Issued {
        self.issue_for(common_name, "-1")
    }

    fn issue_for(&self, common_name: &str, days: &str) -> Issued {
        let file = format!("{common_name}{days}");
        let mut issued = self.issued.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(issued) = issued.get(&file) {
            return issued.clone();
        }
        let (key, request, certificate) = (
            format!("{file}.key"),
            format!("{file}.csr"),
            format!("{file}.pem"),
        );
        self.make_key(&file);
        let subject = format!("/CN={common_name}");
        self.openssl(
            &["req", "-new", "-key", &key, "-out", &request],
            &["-subj", &subject],
        );
        self.openssl(
            &[
                "x509",
                "-req",
                "-in",
                &request,
                "-out",
                &certificate,
                "-days",
                days,
            ],
            &[
                "-CA",
                "ca.pem",
                "-CAkey",
                "ca.key",
                "-CAcreateserial",
                "-extfile",
                "extensions",
            ],
        );
        let new = Issued {
            certificate: self.path(&certificate),
            key: self.path(&key),
        };
        issued.insert(file, new.clone());
        new
    }

    fn make_key(&self, name: &str) {
        let file = format!("{name}.key");
        let curve = ["-pkeyopt", "ec_paramgen_curve:prime256v1"];
        // openssl makes it for its owner alone to read.
        self.openssl(&["genpkey", "-algorithm", "EC", "-out", &file], &curve);
    }

    fn path(&self, name: &str) -> PathBuf {
        Path::join(self.folder.path(), name)
    }

    fn openssl(&self, arguments: &[&str], more: &[&str]) {
        let output = Command::new("openssl")
            .current_dir(self.folder.path())
            .args(arguments)
            .args(more)
            .stdin(Stdio::null())
            .output()
            .expect("openssl is on the path");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "openssl {arguments:?}: {errors}");
    }
}
