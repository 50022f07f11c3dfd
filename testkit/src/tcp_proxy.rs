//! A connection that a test can cut, freeze and heal, between a client and a server on the loopback.
//!
//! A partition is not the end of a process: nobody says goodbye, and what is sent is neither refused nor answered. That is
//! what freezing does.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

/// What is passed on at once, in bytes.
const BUFFER_BYTES: usize = 64 * 1024;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// Everything goes through.
    Open,
    /// Connections are taken and held, and nothing goes through.
    Frozen,
    /// Connections are closed as they come.
    Cut,
    /// The proxy ends.
    Ended,
}

struct Line {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    target: SocketAddr,
    mode: Mode,
    /// Connections that were taken, by which they are numbered from one.
    taken: u64,
    /// Those up to this number stay silent for ever.
    stranded: u64,
    /// Both ends of every connection, to close them.
    ends: Vec<TcpStream>,
}

/// A proxy for one server. It ends when it is dropped.
pub struct TcpProxy {
    address: SocketAddr,
    line: Arc<Line>,
    taking: Option<JoinHandle<()>>,
}

impl TcpProxy {
    /// Starts one on a free port, for the server at this `host:port`.
    ///
    /// # Panics
    /// When there is no port.
    #[must_use]
    pub fn start(target: &str) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let line = Arc::new(Line {
            state: Mutex::new(State {
                target: address_of(target),
                mode: Mode::Open,
                taken: 0,
                stranded: 0,
                ends: Vec::new(),
            }),
            changed: Condvar::new(),
        });
        let taken = Arc::clone(&line);
        let taking = thread::spawn(move || take(&listener, &taken));
        Self {
            address,
            line,
            taking: Some(taking),
        }
    }

    /// Its own `host:port`.
    #[must_use]
    pub fn endpoint(&self) -> String {
        self.address.to_string()
    }

    /// Lets nothing through any more and closes nothing.
    pub fn freeze(&self) {
        self.line.set(Mode::Frozen);
    }

    /// Closes every connection, and each that is tried.
    pub fn cut(&self) {
        self.line.set(Mode::Cut);
        self.line.close_all();
    }

    /// Lets nothing through any more of what is connected, and everything of what comes: as where a router has forgotten.
    pub fn strand(&self) {
        let mut state = self.line.lock();
        state.stranded = state.taken;
        state.mode = Mode::Open;
        drop(state);
        self.line.changed.notify_all();
    }

    /// Closes every connection, and leads those that come to another server.
    ///
    /// # Panics
    /// When this is no address and port.
    pub fn redirect(&self, target: &str) {
        self.line.lock().target = address_of(target);
        self.line.close_all();
    }

    /// Lets everything through again, also what was held.
    pub fn heal(&self) {
        self.line.set(Mode::Open);
    }
}

impl Drop for TcpProxy {
    fn drop(&mut self) {
        self.line.set(Mode::Ended);
        self.line.close_all();
        // Wakes the thread that waits for connections.
        drop(TcpStream::connect(self.address));
        if let Some(taking) = self.taking.take() {
            drop(taking.join());
        }
    }
}

impl Line {
    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, mode: Mode) {
        self.lock().mode = mode;
        self.changed.notify_all();
    }

    fn close_all(&self) {
        for end in self.lock().ends.drain(..) {
            drop(end.shutdown(Shutdown::Both));
        }
    }

    /// Waits while nothing of a connection may go through; says whether it may then.
    fn passes(&self, connection: u64) -> bool {
        let mut state = self.lock();
        while state.mode == Mode::Frozen || (state.mode == Mode::Open && connection <= state.stranded) {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.mode == Mode::Open
    }
}

fn address_of(target: &str) -> SocketAddr {
    target.parse().expect("an address and a port")
}

fn take(listener: &TcpListener, line: &Arc<Line>) {
    for client in listener.incoming() {
        let mut state = line.lock();
        if state.mode == Mode::Ended {
            return;
        }
        state.taken += 1;
        let connection = state.taken;
        drop(state);
        if let Ok(client) = client {
            let line = Arc::clone(line);
            thread::spawn(move || drop(join(client, &line, connection)));
        }
    }
}

/// Joins a client with the server, until one of them is gone.
fn join(client: TcpStream, line: &Arc<Line>, connection: u64) -> std::io::Result<()> {
    if !line.passes(connection) {
        return Ok(());
    }
    let target = line.lock().target;
    let server = TcpStream::connect(target)?;
    for end in [&client, &server] {
        end.set_nodelay(true)?;
        line.lock().ends.push(end.try_clone()?);
    }
    let (back_from, back_to, back_line) = (server.try_clone()?, client.try_clone()?, Arc::clone(line));
    let back = thread::spawn(move || pass_on(back_from, back_to, &back_line, connection));
    pass_on(client, server, line, connection);
    drop(back.join());
    Ok(())
}

fn pass_on(mut from: TcpStream, mut to: TcpStream, line: &Line, connection: u64) {
    let mut buffer = vec![0; BUFFER_BYTES];
    while let Ok(length) = from.read(&mut buffer) {
        if length == 0 || !line.passes(connection) || to.write_all(&buffer[..length]).is_err() {
            break;
        }
    }
    for end in [from, to] {
        drop(end.shutdown(Shutdown::Both));
    }
}

#[cfg(test)]
mod tests;
