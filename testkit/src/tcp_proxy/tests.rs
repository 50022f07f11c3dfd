//! The proxy itself: what it holds back, and what it lets through.

use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use super::TcpProxy;

/// A server that answers each byte with the same, for one connection after another.
fn echo() -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for mut client in listener.incoming().flatten() {
            std::thread::spawn(move || {
                let mut byte = [0];
                while matches!(client.read(&mut byte), Ok(1)) {
                    client.write_all(&byte).unwrap();
                }
            });
        }
    });
    address.to_string()
}

fn connected(proxy: &TcpProxy) -> TcpStream {
    let client = TcpStream::connect(proxy.endpoint()).unwrap();
    client.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    client
}

fn answered(client: &mut TcpStream) -> std::io::Result<u8> {
    let mut byte = [0];
    client.write_all(b"x")?;
    client.read_exact(&mut byte)?;
    Ok(byte[0])
}

#[test]
fn what_is_sent_while_it_is_frozen_arrives_when_it_is_healed() {
    let proxy = TcpProxy::start(&echo());
    let mut client = connected(&proxy);
    assert_eq!(answered(&mut client).unwrap(), b'x');
    proxy.freeze();
    client.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
    let error = answered(&mut client).unwrap_err();
    assert!(
        matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut),
        "{error}"
    );
    client.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    proxy.heal();
    let mut byte = [0];
    client.read_exact(&mut byte).unwrap();
    assert_eq!(byte, *b"x");
}

#[test]
fn a_line_that_is_cut_closes_what_is_open_and_what_comes_until_it_is_healed() {
    let proxy = TcpProxy::start(&echo());
    let mut client = connected(&proxy);
    assert_eq!(answered(&mut client).unwrap(), b'x');
    proxy.cut();
    answered(&mut client).unwrap_err();
    answered(&mut connected(&proxy)).unwrap_err();
    proxy.heal();
    assert_eq!(answered(&mut connected(&proxy)).unwrap(), b'x');
}

#[test]
fn a_connection_that_is_stranded_stays_silent_and_a_new_one_goes_through() {
    let proxy = TcpProxy::start(&echo());
    let mut client = connected(&proxy);
    assert_eq!(answered(&mut client).unwrap(), b'x');
    proxy.strand();
    client.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
    let error = answered(&mut client).unwrap_err();
    assert!(
        matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut),
        "{error}"
    );
    assert_eq!(answered(&mut connected(&proxy)).unwrap(), b'x');
}
