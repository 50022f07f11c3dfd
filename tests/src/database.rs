//! Where a gateway under test keeps its payments.

use std::path::Path;

use testkit::postgres::{self, Postgres};

/// One of the databases that a gateway can keep its payments in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Database {
    /// A file in the gateway's folder.
    Sqlite,
    /// A real server, which all tests of one program share.
    Postgres,
}

/// Where the server of [`Database::Postgres`] keeps everything.
#[must_use]
pub fn folder_of_postgres() -> &'static Path {
    postgres::shared().folder()
}

impl Database {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Sqlite, Self::Postgres];

    /// The settings of a gateway that has a database of its own there.
    ///
    /// # Panics
    /// When there is no PostgreSQL.
    #[must_use]
    pub fn settings(self) -> Vec<String> {
        match self {
            Self::Sqlite => Vec::new(),
            Self::Postgres => settings_of(postgres::shared()),
        }
    }
}

/// The settings of a gateway that has a database of its own on this server.
///
/// # Panics
/// When the server makes none.
#[must_use]
pub fn settings_of(server: &Postgres) -> Vec<String> {
    let url = server.url(&server.fresh_database());
    vec![
        "storage.kind=postgres".to_owned(),
        format!("storage.postgres.url={url}"),
        format!(
            "storage.postgres.password_file={}",
            server.password_file().display()
        ),
    ]
}
