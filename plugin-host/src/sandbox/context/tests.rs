//! What is kept of a guest's log.

use super::*;
use crate::testing::captured;

fn context() -> EvaluationContext {
    let identity = PolicyIdentity {
        name: "chatty".into(),
        version: "1.0.0".into(),
        sequence: 1,
        digest: "sha256:00".into(),
    };
    let now = Timestamp::from_unix_millis(0);
    EvaluationContext::new(Arc::new(identity), 65_536, now, "pay_1", &Digest::of(b""))
}

fn lines(context: EvaluationContext) -> Vec<String> {
    let (_, lines) = captured(|| context.finish());
    let text = |line: &str| line.trim_start_matches("guest: ").to_owned();
    lines.iter().map(|line| text(&line.message)).collect()
}

#[test]
fn a_character_that_is_written_in_two_pieces_is_one() {
    let mut context = context();
    let text = "for 李雷@example.cn".as_bytes();
    for piece in text.chunks(1) {
        context.write(LogLevel::Error, piece);
    }
    context.write(LogLevel::Error, b"\n");
    let secrets = Secrets::new(["李雷@example.cn"].into_iter());
    context.conceal(&secrets);
    assert_eq!(lines(context), ["for [concealed]"]);
}

#[test]
fn bytes_that_never_become_a_character_are_marks() {
    let mut context = context();
    context.write(LogLevel::Info, b"a\xe6");
    context.write(LogLevel::Info, b"b\xff\n");
    assert_eq!(lines(context), ["a\u{fffd}b\u{fffd}"]);
}

#[test]
fn a_guest_that_says_little_very_often_has_so_many_lines_and_no_more() {
    let mut context = context();
    for number in 0..1_000 {
        context.log(LogLevel::Info, &number.to_string());
        context.write(LogLevel::Error, b"x\n");
    }
    let lines = lines(context);
    assert_eq!(lines.len(), MAX_LOG_LINES);
    assert_eq!(lines[MAX_LOG_LINES - 2..], ["31", "x"]);
}

#[test]
fn a_text_of_several_lines_is_one_line_of_the_log() {
    let mut context = context();
    context.log(LogLevel::Warn, "panicked:\n  no mind\u{1b}[2J\r\n");
    assert_eq!(lines(context), ["panicked:   no mind [2J"]);
}
