//! What takes its time: events of an edit, parts of a file, a server that stops.

use std::time::Duration;

use futures_util::StreamExt as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::each_app;
use crate::support::TestApp;
use crate::support::app::photograph;

/// Everything a stream of events said, as `(name, state)`.
fn events(text: &str) -> Vec<(String, String)> {
    let field = |block: &str, name: &str| {
        block.lines().find_map(|l| l.strip_prefix(name)).map(|v| v.trim().to_owned()).unwrap_or_default()
    };
    let blocks = text.split("\n\n").filter(|b| b.contains("event:"));
    blocks
        .map(|b| {
            let data: serde_json::Value = serde_json::from_str(&field(b, "data:")).unwrap();
            (field(b, "event:"), data["state"].as_str().unwrap().to_owned())
        })
        .collect()
}

each_app! {
    async fn the_events_of_an_edit_end_with_its_end(app: TestApp) {
        let ada = app.person("ada@example.org").await;
        let image = app.upload(&ada, 1).await;
        let path = format!("/v1/edits/{}/events", app.edit(&ada, &image).await);
        let response = app.get(&path).by(&ada).open().await;
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        let mut body = response.into_body().into_data_stream();
        let first = body.next().await.unwrap().unwrap();
        assert_eq!(events(&String::from_utf8_lossy(&first)), [("progress".to_owned(), "queued".to_owned())]);
        let rest = async {
            let mut all = Vec::new();
            while let Some(piece) = body.next().await {
                all.extend_from_slice(&piece.unwrap());
            }
            String::from_utf8(all).unwrap()
        };
        let (told, ()) = tokio::join!(tokio::time::timeout(Duration::from_secs(60), rest), app.settle());
        let told = events(&told.unwrap());
        assert_eq!(told.last().unwrap(), &("succeeded".to_owned(), "succeeded".to_owned()));
        // Asked again, it says how it ended, and nothing else.
        let again = app.get(&path).by(&ada).send().await.text();
        assert_eq!(events(&again), [("succeeded".to_owned(), "succeeded".to_owned())]);
        // Whoever heard the end is told that there is no more, so that a browser does not come back for ever.
        let id = again.lines().find_map(|l| l.strip_prefix("id: ")).unwrap();
        assert_eq!(id, "succeeded-100");
        let ended = app.get(&path).by(&ada).header("last-event-id", id).send().await;
        assert_eq!((ended.status, ended.body.len()), (204, 0));
        // Another's edit is not there, whatever one says to have heard of it.
        let eve = app.person("eve@example.org").await;
        assert_eq!(app.get(&path).by(&eve).header("last-event-id", id).send().await.problem(404), "not-found");
    }

    async fn a_listener_that_comes_back_is_told_what_it_missed_and_no_more(app: TestApp) {
        let ada = app.person("ada@example.org").await;
        let image = app.upload(&ada, 1).await;
        let path = format!("/v1/edits/{}/events", app.edit(&ada, &image).await);
        let mut first = app.get(&path).by(&ada).open().await.into_body().into_data_stream();
        let heard = String::from_utf8(first.next().await.unwrap().unwrap().to_vec()).unwrap();
        assert!(heard.contains("id: queued-0\n") && heard.contains("retry: 2000\n"), "{heard}");
        // The connection breaks.
        drop(first);
        let back = app.get(&path).by(&ada).header("last-event-id", "queued-0").open().await;
        let mut body = back.into_body().into_data_stream();
        let silent = tokio::time::timeout(Duration::from_millis(300), body.next()).await;
        assert!(silent.is_err(), "it was told again what it had heard");
        let rest = async {
            let mut all = Vec::new();
            while let Some(piece) = body.next().await {
                all.extend_from_slice(&piece.unwrap());
            }
            String::from_utf8(all).unwrap()
        };
        let (told, ()) = tokio::join!(tokio::time::timeout(Duration::from_secs(60), rest), app.settle());
        let told = events(&told.unwrap());
        assert!(!told.iter().any(|(_, state)| state == "queued"), "{told:?}");
        assert_eq!(told.last().unwrap().0, "succeeded");
        // What was never an id of ours is no reason to keep anything back.
        let strange = app.get(&path).by(&ada).header("last-event-id", "99999999999999999999").send().await.text();
        assert_eq!(events(&strange), [("succeeded".to_owned(), "succeeded".to_owned())]);
    }

    async fn two_peoples_streams_keep_apart(app: TestApp) {
        let (ada, eve) = (app.person("ada@example.org").await, app.person("eve@example.org").await);
        let mut streams = Vec::new();
        for (n, person) in [&ada, &eve].into_iter().enumerate() {
            let image = app.upload(person, n as u64).await;
            let edit = app.edit(person, &image).await;
            let response = app.get(&format!("/v1/edits/{edit}/events")).by(person).open().await;
            streams.push((edit, response.into_body().into_data_stream()));
        }
        let ids: Vec<String> = streams.iter().map(|(id, _)| id.clone()).collect();
        let read = futures_util::future::join_all(streams.into_iter().map(|(id, mut body)| async move {
            let mut all = Vec::new();
            while let Some(piece) = body.next().await {
                all.extend_from_slice(&piece.unwrap());
            }
            (id, String::from_utf8(all).unwrap())
        }));
        let (told, ()) = tokio::join!(tokio::time::timeout(Duration::from_secs(60), read), app.settle());
        for (id, text) in told.unwrap() {
            assert!(ids.iter().all(|other| text.contains(other) == (*other == id)), "{text}");
            assert_eq!(events(&text).last().unwrap().0, "succeeded");
        }
    }

    async fn a_stream_ends_when_its_owner_is_erased(app: TestApp) {
        let ada = app.person("ada@example.org").await;
        let image = app.upload(&ada, 1).await;
        let edit = app.edit(&ada, &image).await;
        let response = app.get(&format!("/v1/edits/{edit}/events")).by(&ada).open().await;
        let rest = http_body_util::BodyExt::collect(response.into_body());
        let erased = app.app.requests.erase(&ada.owner, vouchsafe::policy::Role::Service);
        let (told, erased) = tokio::join!(tokio::time::timeout(Duration::from_secs(60), rest), erased);
        assert!(erased.unwrap().is_some());
        let told = String::from_utf8(told.unwrap().unwrap().to_bytes().to_vec()).unwrap();
        assert!(!events(&told).iter().any(|(name, _)| name == "succeeded"), "{told}");
    }

    async fn any_part_of_an_image_is_the_same_bytes(app: TestApp) {
        let ada = app.person("ada@example.org").await;
        let path = format!("/v1/images/{}", app.upload(&ada, 1).await);
        let whole = app.get(&path).by(&ada).send().await;
        let len = whole.body.len();
        for (asked, first, end) in [
            ("bytes=0-0".to_owned(), 0, 1),
            ("bytes=100-199".to_owned(), 100, 200),
            (format!("bytes={}-", len - 1), len - 1, len),
            ("bytes=-10".to_owned(), len - 10, len),
            (format!("bytes=0-{}", len * 2), 0, len),
        ] {
            let part = app.get(&path).by(&ada).header("range", &asked).send().await;
            assert_eq!((part.status, &part.body), (206, &whole.body.slice(first..end)), "{asked}");
            assert_eq!(part.header("content-range"), format!("bytes {first}-{}/{len}", end - 1));
        }
        for (asked, if_range) in [("bytes=5-1", None), ("bytes=0-1,4-5", None), ("bytes=0-1", Some("\"other\""))] {
            let mut call = app.get(&path).by(&ada).header("range", asked);
            if let Some(tag) = if_range {
                call = call.header("if-range", tag);
            }
            let all = call.send().await;
            assert_eq!((all.status, &all.body), (200, &whole.body), "{asked}");
        }
        let beyond = app.get(&path).by(&ada).header("range", &format!("bytes={len}-")).send().await;
        assert_eq!(beyond.problem(416), "range");
        assert_eq!(beyond.header("content-range"), format!("bytes */{len}"));
    }

    async fn a_real_server_refuses_what_is_no_http_and_stops_when_told(app: TestApp) {
        let (address, stop) = app.listen().await;
        let say = async |bytes: Vec<u8>| {
            let mut stream = TcpStream::connect(address).await.unwrap();
            // A server that has refused may close before all is written.
            let _ = stream.write_all(&bytes).await;
            let mut answer = Vec::new();
            let _ = tokio::time::timeout(Duration::from_secs(30), stream.read_to_end(&mut answer)).await.unwrap();
            String::from_utf8_lossy(&answer).into_owned()
        };
        let close = "Host: x\r\nConnection: close\r\n";
        let fine = say(format!("GET /healthz HTTP/1.1\r\n{close}\r\n").into_bytes()).await;
        assert!(fine.starts_with("HTTP/1.1 200"), "{fine}");
        // A12: two lengths of one body.
        let smuggled = format!(
            "POST /v1/edits HTTP/1.1\r\n{close}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
        );
        let answer = say(smuggled.into_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 4"), "{answer}");
        // A15: headers beyond measure.
        let many = format!("GET /healthz HTTP/1.1\r\n{close}{}\r\n", "X-A: b\r\n".repeat(10_000));
        let answer = say(many.into_bytes()).await;
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431"), "{}", answer.lines().next().unwrap_or(""));
        let large = format!("GET /healthz HTTP/1.1\r\n{close}X-A: {}\r\n\r\n", "b".repeat(64 * 1024));
        assert!(say(large.into_bytes()).await.starts_with("HTTP/1.1 431"));
        let split = format!("GET /healthz HTTP/1.1\r\n{close}X-A: a\rb\r\n\r\n");
        assert!(say(split.into_bytes()).await.starts_with("HTTP/1.1 400"));

        // An open stream of events does not keep the server from stopping.
        let ada = app.person("ada@example.org").await;
        let image = app.upload(&ada, 1).await;
        let edit = app.edit(&ada, &image).await;
        let mut listening = TcpStream::connect(address).await.unwrap();
        let request =
            format!("GET /v1/edits/{edit}/events HTTP/1.1\r\nHost: x\r\nCookie: __Host-sid={}\r\n\r\n", ada.cookie);
        listening.write_all(request.as_bytes()).await.unwrap();
        let mut head = [0; 12];
        listening.read_exact(&mut head).await.unwrap();
        assert_eq!(&head, b"HTTP/1.1 200");
        drop(stop);
        let mut rest = Vec::new();
        tokio::time::timeout(Duration::from_secs(30), listening.read_to_end(&mut rest)).await.unwrap().unwrap();
        assert!(TcpStream::connect(address).await.is_err());
        app.settle().await;
    }

    async fn a_body_over_the_limit_is_cut_off(app: TestApp) {
        let ada = app.person("ada@example.org").await;
        let most = app.app.editing.limits().max_bytes;
        let mut padded = photograph(1);
        padded.resize(most + 1, 0);
        let answer = app.post("/v1/images").by(&ada).body("image/jpeg", padded).send().await;
        assert_eq!(answer.problem(413), "too-large");
        let json = format!("{{\"prompt\": \"{}\"}}", "x".repeat(64 * 1024));
        let answer = app.post("/v1/edits").by(&ada).body("application/json", json).send().await;
        assert_eq!(answer.problem(413), "too-large");
        assert!(app.blobs().await.is_empty());
    }
}
