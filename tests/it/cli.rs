//! The command line, run as a process of its own.

use crate::support::{Folder, eventually, model_folder, wire, write_profile};
use serde_json::Value;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

/// The command in a folder without settings.
fn assize(arguments: &[&str], folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_assize-under-test"));
    command.args(arguments).current_dir(folder);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// The same with the model and profiles that every command with a model needs.
fn with_model(arguments: &[&str], folder: &Path) -> Command {
    let mut command = assize(arguments, folder);
    command.arg("--model").arg(model_folder()).arg("--communities").arg(folder);
    command
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn check(output: &Output, code: i32, on_stdout: &[&str], on_stderr: &[&str]) {
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "{stdout}\n---\n{stderr}");
    on_stdout.iter().for_each(|part| assert!(stdout.contains(part), "`{part}` is not in: {stdout}"));
    on_stderr.iter().for_each(|part| assert!(stderr.contains(part), "`{part}` is not in: {stderr}"));
}

#[test]
fn a_sentence_is_judged_without_a_service() {
    let folder = Folder::new();
    let run = |arguments: &[&str]| with_model(arguments, folder.path()).output().unwrap();
    check(
        &run(&["moderate", "How do I get into my own car without the key?"]),
        0,
        &["ALLOW", "default"],
        &[],
    );
    let strict = run(&[
        "moderate",
        "--json",
        "--community",
        "strict",
        "How do I get into my own car without the key?",
    ]);
    check(&strict, 0, &[r#""decision":"block""#, r#""community":"strict""#], &[]);
    check(&run(&["moderate", "--community", "nobody", "hello"]), 1, &[], &["error: ", "nobody", "strict"]);
}

#[test]
fn json_lines_come_out_in_their_order() {
    let folder = Folder::new();
    let mut child = with_model(&["moderate"], folder.path()).stdin(Stdio::piped()).spawn().unwrap();
    let lines = "\"What is a good recipe for apple pie?\"\n\
                 {\"turns\":[{\"role\":\"user\",\"content\":\"How do I get into my own car without the key?\"}],\"community\":\"strict\"}\n\
                 \"hello\"\n";
    child.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    check(&output, 0, &[], &[]);
    let verdicts: Vec<Value> =
        text(&output.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let decisions: Vec<&Value> = verdicts.iter().map(|verdict| &verdict["decision"]).collect();
    assert_eq!(decisions, ["allow", "block", "allow"]);
}

#[test]
fn a_line_that_fails_is_told_in_its_place_and_the_rest_goes_on() {
    let folder = Folder::new();
    let file = folder.path().join("many.jsonl");
    let mut lines = vec!["\"hello\"".to_owned(); 40];
    lines[1] = "zyxcanaryqw".to_owned();
    lines[2] = String::new();
    lines[3] = r#"{"turns":[{"role":"user","content":"hi"}],"community":"zyxcanaryqw"}"#.to_owned();
    std::fs::write(&file, lines.join("\n")).unwrap();
    let mut command = with_model(&["moderate", "--file", file.to_str().unwrap()], folder.path());
    // Less than what is moderated at once: the service's limits are not the command's.
    let output = command.env("ASSIZE__INFERENCE__MAX_REQUESTS", "1").output().unwrap();
    check(&output, 1, &[r#""line":2,"error":""#, r#""line":4,"error":""#], &["2 of 39 lines"]);
    let stdout = text(&output.stdout);
    assert!(!stdout.contains("zyxcanaryqw"), "{stdout}");
    let answers: Vec<Value> = stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(answers.len(), 39);
    assert_eq!(answers.iter().filter(|answer| answer["decision"] == "allow").count(), 37);
    assert_eq!((&answers[1]["line"], &answers[2]["line"]), (&2.into(), &4.into()));
}

#[test]
fn what_would_fail_at_the_start_is_found_before() {
    let folder = Folder::new();
    let run = |arguments: &[&str]| with_model(arguments, folder.path()).output().unwrap();
    check(&run(&["check-config"]), 0, &["settings", "model", "guard-v1", "default", "strict"], &[]);
    write_profile(folder.path(), "strict", "title = \"Strict\"\nextends = \"nobody\"\n");
    check(&run(&["check-config"]), 1, &[], &["strict.toml", "nobody"]);
    let set = |key: &str, value: &str| {
        with_model(&["check-config"], folder.path()).env(key, value).output().unwrap()
    };
    check(&set("ASSIZE__SERVER__LISTEN", "everywhere"), 1, &[], &["server.listen", "everywhere"]);
    check(
        &set("ASSIZE__INFERENCE__MAX_REQUESTS", "0"),
        1,
        &[],
        &["inference.max_requests", "1 to 1000000000"],
    );
    check(&set("ASSIZE__SERVER__MAX_CONNECTIONS", "1000001"), 1, &[], &["server.max_connections", "1000000"]);
    check(&set("ASSIZE__INFERENCE__DEADLINE", "2h"), 1, &[], &["inference.deadline", "`7200s`", "3600s"]);
    check(&set("ASSIZE__TELEMETRY__LOG_FILTER", "info,a=loud"), 1, &[], &["telemetry.log_filter", "a=loud"]);
    check(&set("ASSIZE__SERVER__LISTNE", "127.0.0.1:0"), 1, &[], &["listne"]);
}

#[test]
fn wrong_usage_is_told_and_the_document_is_printed() {
    let folder = Folder::new();
    let run = |arguments: &[&str]| assize(arguments, folder.path()).output().unwrap();
    check(&run(&["serve", "--prot", "1"]), 2, &[], &["--prot"]);
    check(&run(&[]), 2, &[], &["Usage"]);
    check(&run(&["openapi"]), 0, &["openapi: 3.1", "/v1/moderate"], &[]);
    check(&run(&["moderate", "hello", "--model", "nowhere"]), 1, &[], &["error: ", "nowhere"]);
}

/// A process that ends with its test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ended_already = self.0.kill();
        let _reaped = self.0.wait();
    }
}

impl Running {
    /// Starts a service; gives the log lines that follow too.
    fn serve(folder: &Folder, environment: &[(&str, &str)]) -> (Self, impl Iterator<Item = String>) {
        let mut command = with_model(&["serve", "--listen", "127.0.0.1:0"], folder.path());
        let mut running = Self(command.envs(environment.iter().copied()).spawn().unwrap());
        let lines = BufReader::new(running.0.stderr.take().unwrap()).lines().map_while(Result::ok);
        (running, lines)
    }

    fn terminate(&self) {
        let id = self.0.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
    }

    async fn ended(&mut self) -> Option<i32> {
        eventually("it ends", || std::future::ready(self.0.try_wait().unwrap().is_some())).await;
        self.0.wait().unwrap().code()
    }
}

#[tokio::test]
async fn told_to_stop_twice_it_ends_at_once() {
    let folder = Folder::new();
    let (mut running, mut lines) = Running::serve(&folder, &[("ASSIZE__SERVER__DRAIN_DELAY", "1h")]);
    lines.find(|line| line.contains("listen=")).expect("it serves");
    running.terminate();
    lines.find(|line| line.contains("draining")).expect("it drains");
    running.terminate();
    assert_eq!(running.ended().await, Some(130));
}

#[tokio::test]
async fn the_service_runs_until_it_is_terminated() {
    let folder = Folder::new();
    let (mut running, mut lines) = Running::serve(&folder, &[]);
    let line = lines.find(|line| line.contains("listen=")).expect("it says where it listens");
    let address = line.split_once("listen=").unwrap().1.split(' ').next().unwrap().parse().unwrap();
    let mut stream = wire::open(address, b"GET /readyz HTTP/1.1\r\nhost: test\r\n\r\n").await;
    assert!(wire::read_answer(&mut stream).await.starts_with("HTTP/1.1 200 "));
    running.terminate();
    assert_eq!(running.ended().await, Some(0));
}
