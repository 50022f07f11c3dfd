//! Reading a journal at the start.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use super::super::Ledger;
use super::{Event, LedgerError};

/// The longest line, in bytes: every text in an event is bounded, and together they stay far below.
const MAX_LINE_BYTES: u64 = 4 * 1024;

/// Lets everything happen again. A last line without its end was being written when the process died: nobody was answered, and
/// it is cut off.
pub(super) fn replay(path: &Path, file: &File, ledger: &mut Ledger) -> Result<(), LedgerError> {
    let failed = |action| {
        move |cause: io::Error| LedgerError::Io {
            path: path.to_owned(),
            action,
            cause,
        }
    };
    let mut reader = BufReader::new(file);
    let mut whole_bytes = 0;
    let mut line = Vec::new();
    for number in 1.. {
        line.clear();
        let read = reader.by_ref().take(MAX_LINE_BYTES).read_until(b'\n', &mut line);
        let read = read.map_err(failed("read"))?;
        if read == 0 {
            break;
        }
        let wrong = |problem: String| LedgerError::Line {
            path: path.to_owned(),
            line: number,
            problem,
        };
        if line.last() != Some(&b'\n') {
            if read as u64 == MAX_LINE_BYTES {
                return Err(wrong(format!("it has more than {MAX_LINE_BYTES} bytes")));
            }
            tracing::warn!(
                line = number,
                "the last line of the ledger was not whole and is cut off"
            );
            file.set_len(whole_bytes).map_err(failed("cut"))?;
            break;
        }
        let event: Event =
            serde_json::from_slice(&line).map_err(|error| wrong(format!("expected an event: {error}")))?;
        event.apply(ledger).map_err(wrong)?;
        whole_bytes += read as u64;
    }
    Ok(())
}
