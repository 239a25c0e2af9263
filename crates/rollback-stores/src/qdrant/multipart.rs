//! A file as an HTML form sends it, read from disk as it goes out.

use futures::{StreamExt as _, TryStreamExt as _, stream};
use http_body_util::{BodyExt as _, StreamBody};
use hyper::body::{Bytes, Frame};
use rollback::store::OnProgress;
use tokio::io::AsyncReadExt as _;
use uuid::Uuid;

use super::rest::Payload;

/// Read and sent at a time.
const CHUNK: usize = 256 * 1024;

/// The file as the one field `snapshot` of a form, read as it goes out. `progress` is told the file's own bytes.
pub(super) fn multipart(file: tokio::fs::File, size: u64, name: &str, progress: OnProgress) -> Payload {
    let boundary = format!("stepback-{}", Uuid::new_v4().simple());
    let head = format!(
        "--{boundary}\r\nContent-Disposition: form-data; name=\"snapshot\"; filename=\"{name}\"\r\n\
         Content-Type: application/octet-stream\r\n\r\n"
    );
    let tail = format!("\r\n--{boundary}--\r\n");
    let bytes = head.len() as u64 + size + tail.len() as u64;
    // Never more than was announced, should somebody write to the file meanwhile.
    let content = stream::try_unfold((file.take(size), 0), move |(mut file, sent)| {
        let progress = progress.clone();
        async move {
            let mut chunk = vec![0; CHUNK];
            let read = file.read(&mut chunk).await?;
            if read == 0 {
                return Ok::<_, std::io::Error>(None);
            }
            chunk.truncate(read);
            let sent = sent + read as u64;
            progress(sent, size);
            Ok(Some((Bytes::from(chunk), (file, sent))))
        }
    });
    let text = |text: String| stream::once(async move { Ok(Bytes::from(text)) });
    let body = text(head).chain(content).chain(text(tail)).map_ok(Frame::data);
    let content_type = format!("multipart/form-data; boundary={boundary}");
    Payload { content_type, bytes, body: StreamBody::new(body).boxed_unsync() }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[tokio::test]
    async fn the_body_is_as_long_as_announced_even_when_the_file_grows() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let content: Vec<u8> = (0..CHUNK * 2 + 77).map(|at| (at % 251) as u8).collect();
        std::fs::write(&path, [&content[..], b"written since"].concat()).unwrap();
        let told = Arc::new(Mutex::new(Vec::new()));
        let sink = told.clone();
        let file = tokio::fs::File::open(&path).await.unwrap();
        let size = content.len() as u64;
        let payload = multipart(file, size, "name", Arc::new(move |done, of| sink.lock().unwrap().push((done, of))));
        let boundary = payload.content_type.split_once("boundary=").unwrap().1.to_owned();
        let sent = payload.body.collect().await.unwrap().to_bytes();
        assert_eq!(sent.len() as u64, payload.bytes);
        let start = sent.windows(4).position(|window| window == b"\r\n\r\n").unwrap() + 4;
        assert_eq!(&sent[start..start + content.len()], &content[..]);
        assert_eq!(&sent[start + content.len()..], format!("\r\n--{boundary}--\r\n").as_bytes());
        let told = told.lock().unwrap();
        assert!(told.len() >= 3 && told.is_sorted());
        assert_eq!(told.last(), Some(&(size, size)));
    }
}
