//! A guest for tests: it opens a connection to a machine in the network.

use std::net::TcpStream;

use portcullis_policy::{Decision, Descriptor, Policy, Request, export_policy};

struct Connects;

impl Policy for Connects {
    fn describe() -> Descriptor {
        Descriptor::new("connects")
    }

    fn evaluate(_: &Request) -> Result<Decision, String> {
        match TcpStream::connect("192.0.2.1:443") {
            Ok(_) => Ok(Decision::decline().reason("network", "there is a network")),
            Err(error) => Ok(Decision::approve().reason("network", error.to_string())),
        }
    }
}

export_policy!(Connects);
