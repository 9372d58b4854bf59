//! Bytes on a socket, for what no decent client sends.

use super::PATIENCE;
use serde_json::Value;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};

/// A whole `POST /moderate` as bytes.
pub(crate) fn post(body: &Value) -> Vec<u8> {
    let body = body.to_string();
    let head = "POST /moderate HTTP/1.1\r\nhost: test\r\ncontent-type: application/json";
    format!("{head}\r\ncontent-length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

/// Opens a connection and sends some bytes.
pub(crate) async fn open(address: SocketAddr, bytes: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    stream
}

/// Reads until the service closes the connection; says what came and how long it took.
pub(crate) async fn read_to_end(stream: &mut TcpStream) -> (String, Duration) {
    let started = Instant::now();
    let mut bytes = Vec::new();
    // A reset is an end too.
    let _ended = timeout(PATIENCE, stream.read_to_end(&mut bytes)).await.expect("the service closes it");
    (String::from_utf8_lossy(&bytes).into_owned(), started.elapsed())
}

/// Reads one answer with a `content-length`; the connection stays open.
pub(crate) async fn read_answer(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let read = async {
        while !is_whole(&bytes) {
            assert_ne!(stream.read_buf(&mut bytes).await.unwrap(), 0, "closed too early");
        }
    };
    timeout(PATIENCE, read).await.expect("an answer");
    String::from_utf8(bytes).unwrap()
}

fn is_whole(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
    body.len() >= length.parse().unwrap()
}
