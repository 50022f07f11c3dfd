//! What a gateway answers, held against the document that it describes itself by.

use std::process::Command;

use portcullis_tests::Database;
use portcullis_tests::build::{repository, target};

use crate::payments::approving_on;

#[test]
#[ignore = "takes minutes, and Python; run by `make schemathesis`"]
fn no_request_gets_a_server_error_or_an_answer_outside_the_document() {
    for database in Database::ALL {
        let (_store, gateway) = approving_on(database, &[]);
        println!("{database:?}");
        let asked = Command::new(repository().join("scripts/schemathesis.sh"))
            .arg(gateway.address())
            .env("CARGO_TARGET_DIR", target())
            .status();
        let errors: Vec<String> = gateway
            .log()
            .into_iter()
            .filter(|line| line.contains(r#""level":"ERROR""#))
            .collect();
        assert!(asked.expect("it runs").success(), "{database:?}: {errors:#?}");
        assert_eq!(errors, Vec::<String>::new(), "{database:?}");
    }
}
