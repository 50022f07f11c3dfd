//! What becomes of a compiler's process that does not do as it should. Each is a shell that plays it.

use std::path::Path;

use super::*;
use crate::testing::{Guest, engine, small_config};

fn playing(script: &str) -> Compiler {
    let command = CompilerCommand {
        program: "/bin/sh".into(),
        // What is added after the name of the shell are its parameters.
        arguments: vec!["-c".into(), script.into(), "compiler".into()],
    };
    let config = Config {
        compile_cpu_seconds: 61,
        compile_memory_bytes: 77,
        ..small_config(1)
    };
    Compiler::apart(command, &config)
}

async fn error(compiler: &Compiler, component: &[u8]) -> LoadError {
    match compiler.compile(component).await {
        Ok(_) => panic!("it compiled"),
        Err(error) => error,
    }
}

#[tokio::test]
async fn a_compiler_is_given_the_component_its_bounds_and_nothing_else() {
    let script = "cat; echo \"$@\" >&2; env | grep -v -e ^PWD= -e ^SHLVL= -e ^_= >&2; pwd >&2; exit 3";
    let component = vec![7; 300_000];
    let LoadError::NotCompilable { reason } = error(&playing(script), &component).await else {
        panic!("it was told why")
    };
    assert_eq!(reason, "--task policy --memory-bytes 77 --cpu-seconds 61\n/");
}

#[tokio::test]
async fn machine_code_is_taken_as_it_was_written() {
    let component = Guest::new().component();
    let code = compile_here(engine(), &component).unwrap().code;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("code");
    std::fs::write(&path, &code.0).unwrap();
    let script = format!(
        "cat >/dev/null; cat {}; echo portcullis:policy@0.1.0 >&2",
        path.display()
    );
    let taken = playing(&script).compile(&component).await.unwrap();
    assert_eq!(taken.contract, ContractVersion::V0_1);
    assert!(taken.code.0 == code.0);
    assert!(taken.code.into_component(engine()).is_ok());
}

#[tokio::test]
async fn what_is_no_machine_code_of_this_program_is_refused() {
    let code = playing("cat >/dev/null; echo nonsense")
        .compile_any(b"")
        .await
        .unwrap();
    let refused = code.into_component(engine()).map(drop).unwrap_err();
    assert_eq!(refused.code(), "not_compilable");
}

#[tokio::test]
async fn a_compiler_that_does_not_say_which_contract_it_found_is_broken() {
    let error = error(&playing("cat >/dev/null; echo portcullis:policy@9.0.0 >&2"), b"").await;
    assert_eq!(error.code(), "compiler_failed");
    assert!(error.to_string().contains("@9.0.0"), "{error}");
}

#[tokio::test]
async fn a_compiler_says_by_name_why_it_does_not_even_compile() {
    for code in UNFIT_CODES {
        let script = format!("cat >/dev/null; printf '{code}\\nit is\\nwrong' >&2; exit 4");
        let error = error(&playing(&script), b"").await;
        assert_eq!(error.code(), code);
        assert_eq!(error.to_string(), "it is\nwrong");
        assert!(!error.is_of_the_moment());
    }
    let stranger = "cat >/dev/null; printf 'envelope_invalid\\nit is wrong' >&2; exit 4";
    assert_eq!(error(&playing(stranger), b"").await.code(), "compiler_failed");
}

#[test]
fn a_node_that_is_short_of_memory_says_nothing_about_the_component() {
    let shortage = wasmtime::Error::from(rustix::io::Errno::NOMEM).context("mmap failed to allocate");
    let io = wasmtime::Error::from(std::io::Error::from(std::io::ErrorKind::OutOfMemory));
    for error in [shortage, io] {
        let error = not_loaded(&error);
        assert_eq!(error.code(), "compiler_unavailable");
        assert!(error.is_of_the_moment());
    }
    let wrong = not_loaded(&wasmtime::Error::msg("other settings"));
    assert_eq!(wrong.code(), "not_compilable");
}

#[test]
fn what_is_checked_apart_is_refused_as_the_gateway_would_refuse_it() {
    let code = |component: &[u8]| task::check(component).unwrap_err().code();
    let types = "(type (func))".repeat(20_001);
    let many = wat::parse_str(format!("(component {types})")).unwrap();
    assert_eq!(code(&many), "too_complex");
    assert_eq!(code(&wat::parse_str("(component)").unwrap()), "contract_mismatch");
    assert_eq!(
        code(&Guest::new().importing_function("steal").component()),
        "forbidden_import"
    );
    assert_eq!(
        code(&Guest::new().with("(memory i64 1)").component()),
        "not_compilable"
    );
    for code in [
        "too_complex",
        "contract_mismatch",
        "forbidden_import",
        "not_compilable",
    ] {
        assert!(UNFIT_CODES.contains(&code), "{code}");
    }
    for task in [CompilerTask::Policy, CompilerTask::AnyComponent] {
        assert_eq!(CompilerTask::parse(task.as_str()), Some(task));
    }
}

#[tokio::test]
async fn a_compiler_that_nobody_waits_for_any_more_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    let id = folder.path().join("id");
    let script = format!("echo $$ > {}; exec sleep 1000", id.display());
    let compiler = playing(&script);
    let started = async {
        loop {
            match std::fs::read_to_string(&id) {
                Ok(id) if id.ends_with('\n') => break id,
                _ => tokio::task::yield_now().await,
            }
        }
    };
    let id = tokio::select! {
        _ = compiler.compile(b"") => panic!("it ended"),
        id = started => id,
    };
    let process = Path::new("/proc").join(id.trim()).join("cmdline");
    // A process that was killed and is yet to be reaped has no command line any more.
    while std::fs::read(&process).is_ok_and(|line| !line.is_empty()) {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_compiler_without_memory_says_so_by_its_last_words_or_its_status() {
    for script in [
        "cat >/dev/null; echo 'memory allocation of 64 bytes failed' >&2; kill -ABRT $$",
        "cat >/dev/null; echo 'out of memory' >&2; exit 5",
    ] {
        let error = error(&playing(script), b"").await;
        assert_eq!(error, LoadError::CompilingTakesTooMuch { max_bytes: 77 });
        assert!(!error.is_of_the_moment());
    }
}

#[tokio::test]
async fn a_compiler_that_used_all_its_time_of_the_processor_took_too_long() {
    let error = error(&playing("kill -XCPU $$"), b"").await;
    assert_eq!(error, LoadError::CompilingTakesTooLong { cpu_seconds: 61 });
    assert!(!error.is_of_the_moment());
}

#[tokio::test]
async fn a_compiler_that_breaks_down_is_an_error_of_its_own() {
    let error = error(&playing("echo overflow >&2; kill -SEGV $$"), b"").await;
    assert_eq!(error.code(), "compiler_failed");
    let text = error.to_string();
    assert!(text.contains("signal: 11") && text.contains("overflow"), "{text}");
}

#[tokio::test]
async fn a_compiler_that_cannot_be_started_is_no_fault_of_the_artifact() {
    let command = CompilerCommand {
        program: "/nowhere/portcullis".into(),
        arguments: Vec::new(),
    };
    let error = error(&Compiler::apart(command, &small_config(1)), b"").await;
    assert_eq!(error.code(), "compiler_unavailable");
    assert!(error.is_of_the_moment());
}

/// A shell that takes a folder of its own among `inside`, waits there until it is told to go on, and leaves.
fn counting_itself(folder: &Path) -> String {
    let folder = folder.display();
    format!(
        "cat >/dev/null; mkdir {folder}/inside/$$; until test -e {folder}/go; do sleep 0.01; done; rmdir {folder}/inside/$$; \
         exit 3"
    )
}

#[tokio::test]
async fn no_more_compile_at_once_than_may_and_the_next_one_begins_when_one_has_ended() {
    /// Compilations that are wanted at once.
    const WANTED: usize = 5;
    let folder = tempfile::tempdir().unwrap();
    let inside = folder.path().join("inside");
    std::fs::create_dir(&inside).unwrap();
    let count = || std::fs::read_dir(&inside).unwrap().count();
    let most = usize::from(Config::default().compile_threads);
    let compiler = playing(&counting_itself(folder.path()));
    let mut compilations = tokio::task::JoinSet::new();
    for _ in 0..WANTED {
        let compiler = compiler.clone();
        compilations.spawn(async move { error(&compiler, b"").await.code() });
    }
    while count() < most {
        tokio::task::yield_now().await;
    }
    let Compiler::Apart(processes) = &compiler else {
        panic!("it compiles apart")
    };
    // Every one of them was polled, and all that may begin have begun.
    assert_eq!((processes.permits.available_permits(), count()), (0, most));
    std::fs::write(folder.path().join("go"), "").unwrap();
    while let Some(ended) = compilations.join_next().await {
        assert_eq!(ended.unwrap(), "not_compilable");
        assert!(count() <= most);
    }
    assert_eq!((processes.permits.available_permits(), count()), (most, 0));
}
