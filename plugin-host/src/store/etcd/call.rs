//! Calls to etcd: every one ends in a bounded time, is tried again where that is harmless, and fails in words that an
//! operator can act on.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use etcd_client::Error;

use crate::store::StoreError;

/// How long a small call may take. A healthy cluster answers in milliseconds; one that elects a leader drops what was in
/// flight and answers only the next attempt, so this is short.
pub(super) const CALL_TIMEOUT: Duration = Duration::from_secs(2);

/// How long a call with a whole chunk, or a page of documents, may take: 1 MiB over a slow link.
pub(super) const CHUNK_TIMEOUT: Duration = Duration::from_secs(5);

/// Codes of gRPC that etcd uses.
const CANCELLED: i32 = 1;
const INVALID_ARGUMENT: i32 = 3;
const PERMISSION_DENIED: i32 = 7;
const RESOURCE_EXHAUSTED: i32 = 8;
const FAILED_PRECONDITION: i32 = 9;
const OUT_OF_RANGE: i32 = 11;
const UNAVAILABLE: i32 = 14;
const UNAUTHENTICATED: i32 = 16;

/// What etcd says where users or roles were changed since a token was made that says which (a JSON Web Token does).
pub(super) const OLD_TOKEN: &str = "revision of auth store is old";

/// Causes of a failed connection that are looked at.
const MAX_CAUSES: u32 = 12;

/// One call: what it is for, how long it may take, and what the user must be allowed for it.
#[derive(Clone, Copy)]
pub(super) struct Call<'a> {
    /// What is done, as errors say it.
    pub(super) what: &'static str,
    /// How long an attempt may take.
    pub(super) bound: Duration,
    /// Which right it takes.
    pub(super) right: Right<'a>,
}

/// A right in etcd, which it calls a permission and gives to roles.
#[derive(Clone, Copy)]
pub(super) enum Right<'a> {
    /// None, but to be known.
    None,
    /// To read a key.
    Read(&'a str),
    /// To read every key that begins so.
    ReadBelow(&'a str),
    /// To write a key.
    Write(&'a str),
    /// To read and write every key that begins so, for each of these.
    ReadAndWriteBelow(&'a [String]),
}

/// Which store is spoken to, and how: what an error has to say for an operator to see what is wrong.
pub(super) struct Peer {
    /// The store, as logs call it.
    pub(super) store: String,
    /// Whether TLS is spoken, and whether a certificate is shown.
    pub(super) tls: Option<HasCertificate>,
    /// The user, where there is one with a password.
    pub(super) user: Option<String>,
    /// Whether it ever answered: a connection that breaks off then says nothing about how it was set up.
    pub(super) has_answered: AtomicBool,
}

/// Whether a certificate of ours is shown.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct HasCertificate(pub(super) bool);

impl Peer {
    pub(super) fn unavailable(&self, what: &str, detail: &str) -> StoreError {
        StoreError::Unavailable {
            store: self.store.clone(),
            detail: format!("{what}: {detail}"),
        }
    }

    /// Awaits one call within its bound. The client's own timeouts do not cover a TLS handshake that nobody answers, nor a stream.
    pub(super) async fn within<T>(
        &self,
        call: &Call<'_>,
        answer: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, StoreError> {
        match tokio::time::timeout(call.bound, answer).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => Err(self.translate(call, &error)),
            Err(_) => Err(self.unavailable(
                call.what,
                &format!("no answer within {} ms", call.bound.as_millis()),
            )),
        }
    }

    /// What an error of the client means for us.
    pub(super) fn translate(&self, call: &Call<'_>, error: &Error) -> StoreError {
        let what = call.what;
        let invalid = |detail: &str| StoreError::Invalid {
            detail: format!("{}: {what}: {detail}", self.store),
        };
        let Error::GRpcStatus(status) = error else {
            return match error {
                Error::InvalidArgs(detail) => invalid(detail),
                Error::InvalidUri(detail) => invalid(&detail.to_string()),
                other => self.unavailable(what, &other.to_string()),
            };
        };
        let message = status.message();
        match status.code() as i32 {
            PERMISSION_DENIED => self.denied(what, &self.lacks(call.right, message)),
            UNAUTHENTICATED => self.denied(what, message),
            INVALID_ARGUMENT if message.contains("authentication failed") => self.denied(
                what,
                &format!("{message}; `policies.etcd.user` or what is in `policies.etcd.password_file` is wrong"),
            ),
            INVALID_ARGUMENT if message.contains("user name is empty") => self.denied(
                what,
                &format!(
                    "{message}: etcd has its users switched on and was told of none; name one with `policies.etcd.certificate_file` and `key_file`, or with `user` and `password_file`"
                ),
            ),
            INVALID_ARGUMENT if message.contains(OLD_TOKEN) => self.unavailable(what, message),
            INVALID_ARGUMENT if message.contains("too large") => invalid(&format!(
                "{message}; etcd must take requests of 1.5 MiB (`--max-request-bytes` is 1572864 by default)"
            )),
            RESOURCE_EXHAUSTED if message.contains("space exceeded") => self.unavailable(
                what,
                &format!("{message}; compact and defragment etcd, then disarm its alarm"),
            ),
            INVALID_ARGUMENT | RESOURCE_EXHAUSTED => invalid(message),
            FAILED_PRECONDITION if message.contains("authentication is not enabled") => self.unavailable(
                what,
                &format!(
                    "{message}: `policies.etcd.user` is set, and etcd has its users switched off (`etcdctl auth enable`)"
                ),
            ),
            OUT_OF_RANGE if message.contains("compacted") => StoreError::Compacted { after: 0, oldest: 0 },
            OUT_OF_RANGE if message.contains("future revision") => {
                StoreError::Rewound { after: 0, current: 0 }
            }
            _ => self.unavailable(what, &self.with_causes(status.code() as i32, error)),
        }
    }

    /// What etcd ended a watch with, which is a text alone.
    pub(super) fn canceled(&self, call: &Call<'_>, reason: &str) -> StoreError {
        if reason.contains("permission denied") {
            return self.denied(call.what, &self.lacks(call.right, reason));
        }
        if reason.contains("auth") {
            return self.denied(call.what, reason);
        }
        self.unavailable(call.what, &format!("etcd ended the watch: {reason}"))
    }

    fn denied(&self, what: &str, detail: &str) -> StoreError {
        StoreError::Denied {
            store: self.store.clone(),
            detail: format!("{what}: {detail}"),
        }
    }

    /// Which right is missing, and how it is given.
    fn lacks(&self, right: Right<'_>, message: &str) -> String {
        let (access, keys) = match right {
            Right::None => return message.to_owned(),
            Right::Read(key) => ("read", format!("`{key}`")),
            Right::ReadBelow(prefix) => ("--prefix=true read", format!("`{prefix}`")),
            Right::Write(key) => ("write", format!("`{key}`")),
            Right::ReadAndWriteBelow(prefixes) => {
                ("--prefix=true readwrite", format!("`{}`", prefixes.join("`, `")))
            }
        };
        let user = match (&self.user, self.tls) {
            (Some(user), _) => format!("the user `{user}`"),
            (None, Some(HasCertificate(true))) => {
                "the user that our certificate's common name stands for".to_owned()
            }
            (None, _) => "the user".to_owned(),
        };
        format!(
            "{message}: no role of {user} has `{access}` on {keys}; give it with `etcdctl role grant-permission ROLE {access} KEY`"
        )
    }

    /// A failed connection with all that is known of why. What TLS found wrong is at the end of a chain of causes, and what etcd
    /// found wrong with us nowhere at all.
    fn with_causes(&self, code: i32, error: &Error) -> String {
        let Error::GRpcStatus(status) = error else {
            return error.to_string();
        };
        let mut text = format!("{:?}: {}", status.code(), status.message());
        let mut cause = std::error::Error::source(status);
        let mut depth = 0;
        while let Some(next) = cause.filter(|_| depth < MAX_CAUSES) {
            let said = next.to_string();
            if !text.contains(&said) {
                text.push_str(": ");
                text.push_str(&said);
            }
            cause = next.source();
            depth += 1;
        }
        if let Some(hint) = self.hint(code, &text) {
            text.push_str("; ");
            text.push_str(hint);
        }
        text
    }

    /// What most likely is wrong where a connection fails in a way that does not say it.
    fn hint(&self, code: i32, text: &str) -> Option<&'static str> {
        let says = |any_of: &[&str]| any_of.iter().any(|part| text.contains(part));
        // Refused as TLS has it, or, where that was lost on the way, closed without a word before anything was answered.
        let is_new = !self.has_answered.load(Ordering::Relaxed);
        let closings = [
            "broken pipe",
            "connection reset",
            "reset by peer",
            "connection closed",
        ];
        let is_closed = code == CANCELLED || says(&closings);
        let is_refused = says(&["received fatal alert"]) || (is_new && is_closed);
        // A server without TLS drops what it cannot read, by whichever of the two the kernel makes of it. One that refuses a
        // certificate is heard of after our side of the handshake is over, so not as a connection that could not be made.
        let drops_handshake =
            says(&["tls handshake eof"]) || (code == UNAVAILABLE && says(&["reset by peer"]));
        match self.tls {
            Some(_) if says(&["UnknownIssuer", "BadSignature"]) => {
                Some("etcd's certificate is not from an authority in `policies.etcd.ca_file`")
            }
            Some(_) if says(&["certificate expired", "Expired"]) => Some("etcd's certificate has expired"),
            Some(_) if says(&["NotValidForName"]) => {
                Some("etcd's certificate is not for the host that `policies.store` names")
            }
            Some(_) if drops_handshake || says(&["InvalidContentType"]) => {
                Some("etcd does not speak TLS there, and `policies.etcd.ca_file` is set")
            }
            Some(HasCertificate(false)) if is_refused => Some(
                "etcd runs with `--client-cert-auth` and takes nobody without a certificate: set `policies.etcd.certificate_file` and `key_file`",
            ),
            Some(HasCertificate(true)) if is_refused => Some(
                "etcd does not take the certificate in `policies.etcd.certificate_file`: it has expired, or is not from an authority in etcd's `--trusted-ca-file`",
            ),
            None if is_refused || (is_new && says(&["h2 protocol error"])) => {
                Some("where etcd speaks TLS, set `policies.etcd.ca_file`")
            }
            _ => None,
        }
    }
}

/// A revision of etcd, which is never negative, as ours.
pub(super) fn revision(of_etcd: i64) -> u64 {
    u64::try_from(of_etcd).unwrap_or(0)
}

/// Ours as a revision of etcd. Above `i64::MAX` there is none, and that one is as far in the future.
pub(super) fn of_etcd(revision: u64) -> i64 {
    i64::try_from(revision).unwrap_or(i64::MAX)
}
