//! What a configuration can get wrong beyond its form. Looked at before anything is opened, by `serve` and `check-config`
//! alike, so that the one never refuses what the other let pass.

use plugin_host::document::PolicyName;
use plugin_host::node_status::NodeId;
use plugin_host::store::StoreLocation;

use super::Config;

impl Config {
    /// Checks every text that means something: locations, names, lists, filters.
    ///
    /// # Errors
    /// The path of the setting, what was found and what was expected.
    pub fn check(&self) -> Result<(), String> {
        let at = |path: &str, error: &dyn std::fmt::Display| format!("{path}: {error}");
        // Its text begins with the path of the setting.
        self.http.check().map_err(|error| error.to_string())?;
        self.policies
            .store
            .parse::<StoreLocation>()
            .map_err(|error| at("policies.store", &error))?
            .check(&self.policies.etcd)
            .map_err(|error| error.to_string())?;
        if !self.policies.node_id.is_empty() {
            NodeId::parse(&self.policies.node_id).map_err(|error| at("policies.node_id", &error))?;
        }
        for (index, name) in self.policies.required.iter().enumerate() {
            PolicyName::parse(name).map_err(|error| at(&format!("policies.required[{index}]"), &error))?;
        }
        self.policies
            .quarantine
            .check()
            .map_err(|error| error.to_string())?;
        self.policies
            .signatures
            .trusted_keys()
            .map_err(|error| error.to_string())?;
        acquirers::open(&self.acquirer)
            .map(drop)
            .map_err(|error| error.to_string())?;
        self.check_acquirer_times()?;
        self.storage.decisions.check()?;
        match self.storage.kind {
            storage::StorageKind::Sqlite if self.storage.sqlite.path.as_os_str().is_empty() => {
                let path = "storage.sqlite.path";
                return Err(at(path, &"found nothing, expected the path of a file"));
            }
            storage::StorageKind::Sqlite => {}
            storage::StorageKind::Postgres => {
                self.storage.postgres.check().map_err(|error| error.to_string())?;
            }
        }
        if self.platform.fingerprint_key_path.as_os_str().is_empty() {
            let path = "platform.fingerprint_key_path";
            return Err(at(path, &"found nothing, expected the path of a file"));
        }
        self.features.check().map_err(|error| error.to_string())?;
        self.webhooks.check().map_err(|error| error.to_string())?;
        telemetry::logging::check(&self.telemetry).map_err(|error| at("telemetry.log_filter", &error))?;
        Ok(())
    }

    /// An acquirer that takes its time must not be given up by somebody else first: a caller would hear nothing of a charge that
    /// is under way, and an inquiry would close its name.
    fn check_acquirer_times(&self) -> Result<(), String> {
        if self.acquirer.kind != acquirers::Kind::Http {
            return Ok(());
        }
        let longest = self.acquirer.http.answer_timeout_ms;
        for (path, found) in [
            ("http.request_timeout_ms", self.http.request_timeout_ms),
            ("payments.answer_ms", self.payments.answer_ms),
        ] {
            if found <= longest {
                return Err(format!(
                    "{path}: found {found}, expected more than acquirer.http.answer_timeout_ms, which is {longest}"
                ));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_configuration_is_right() {
        assert_eq!(Config::default().check(), Ok(()));
    }

    #[test]
    fn what_means_nothing_is_refused_with_its_path() {
        let refused = |change: fn(&mut Config)| {
            let mut config = Config::default();
            change(&mut config);
            config.check().unwrap_err()
        };
        for (error, path) in [
            (
                refused(|c| c.http.listen = ([0, 0, 0, 0], 8080).into()),
                "http.authentication: ",
            ),
            (
                refused(|c| c.policies.store = "s3://bucket".to_owned()),
                "policies.store: ",
            ),
            (
                refused(|c| {
                    c.policies.store = "etcd://127.0.0.1:2379".to_owned();
                    c.policies.etcd.user = "gateway".to_owned();
                }),
                "policies.etcd.user: ",
            ),
            (
                refused(|c| c.policies.node_id = "a b".to_owned()),
                "policies.node_id: ",
            ),
            (
                refused(|c| c.policies.required = vec!["Bad Name".to_owned()]),
                "policies.required[0]: ",
            ),
            (
                refused(|c| c.policies.quarantine.fault_ratio = 2.0),
                "policies.quarantine.fault_ratio: ",
            ),
            (
                refused(|c| c.policies.signatures.threshold = 2),
                "policies.signatures.threshold: ",
            ),
            (
                refused(|c| {
                    c.acquirer.kind = acquirers::Kind::Http;
                    c.acquirer.http.url = "http://acquirer.example".to_owned();
                }),
                "acquirer.http.url: ",
            ),
            (
                refused(|c| c.storage.sqlite.path = std::path::PathBuf::new()),
                "storage.sqlite.path: ",
            ),
            (
                refused(|c| c.storage.decisions.max_per_second = 0),
                "storage.decisions.max_per_second: ",
            ),
            (
                refused(|c| c.webhooks.max_in_flight = 0),
                "webhooks.max_in_flight: ",
            ),
            (
                refused(|c| c.telemetry.log_filter = "=".to_owned()),
                "telemetry.log_filter: ",
            ),
        ] {
            assert!(error.starts_with(path), "{error}");
        }
    }

    #[test]
    fn nobody_gives_up_before_the_acquirer_may() {
        let refused = |change: fn(&mut Config)| {
            let mut config = Config::default();
            config.acquirer.kind = acquirers::Kind::Http;
            config.acquirer.http.url = "https://acquirer.example".to_owned();
            assert_eq!(config.check(), Ok(()));
            change(&mut config);
            config.check().unwrap_err()
        };
        assert_eq!(
            refused(|c| c.acquirer.http.answer_timeout_ms = 20_000),
            "http.request_timeout_ms: found 20000, expected more than acquirer.http.answer_timeout_ms, which is 20000"
        );
        assert_eq!(
            refused(|c| c.payments.answer_ms = 5_000),
            "payments.answer_ms: found 5000, expected more than acquirer.http.answer_timeout_ms, which is 5000"
        );
    }

    #[test]
    fn how_etcd_is_spoken_to_is_not_looked_at_where_the_store_is_a_folder() {
        let mut config = Config::default();
        config.policies.etcd.ca_file = "missing.pem".into();
        assert_eq!(config.check(), Ok(()));
    }
}
