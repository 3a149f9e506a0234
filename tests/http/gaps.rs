//! Pictures that are lost at the store: the archive comes whole without them, and says so to everybody whom it concerns.

use std::fs;
use std::io::Cursor;
use std::process::Command;

use serde_json::{Value, json};
use vouchsafe::archive::{self, Report};
use vouchsafe::store::aside::UNREAD;
use vouchsafe::store::jobs;

use crate::each_app;
use crate::support::TestApp;
use crate::support::app::Person;
use crate::support::house::files_below;

/// What was found in the archive that answers a new request of theirs, the request, and the archive.
async fn taken_home(app: &TestApp, person: &Person) -> (Report, Value, Vec<u8>) {
    let filed = app.post("/v1/requests").by(person).json(&json!({ "right": "portability" })).send().await;
    assert_eq!(filed.status, 201, "{}", filed.text());
    app.settle().await;
    let path = format!("/v1/requests/{}", filed.json()["id"].as_str().unwrap());
    let got = app.get(&format!("{path}/archive")).by(person).send().await;
    assert_eq!(got.status, 200, "{}", got.text());
    assert_eq!(got.header("content-length"), got.body.len().to_string());
    let report = archive::verify(Cursor::new(&got.body), Some(&app.app.requests.archive_key()));
    assert!(report.is_whole(), "{:?}", report.flaws);
    let request = app.get(&path).by(person).send().await.json();
    (report, request, got.body.to_vec())
}

fn what(request: &Value) -> Vec<&str> {
    request["timeline"].as_array().unwrap().iter().filter_map(|event| event["what"].as_str()).collect()
}

each_app! {
    async fn a_picture_that_is_lost_is_a_gap_in_the_archive_and_not_its_end(app: TestApp) {
        let ada = app.person("ada@example.org").await;
        for seed in 1..=3 {
            app.upload(&ada, seed).await;
        }
        let (sound, request, _) = taken_home(&app, &ada).await;
        assert_eq!((sound.images, sound.gaps.len()), (3, 0), "the control: nothing is missing, and nothing says so");
        assert!(!what(&request).contains(&"gaps"), "{request}");

        let blobs = files_below(&app.data().join("blobs"));
        assert_eq!(blobs.len(), 3, "{blobs:?}");
        fs::remove_file(&blobs[0]).unwrap();
        let cut = fs::File::options().write(true).open(&blobs[1]).unwrap();
        cut.set_len(cut.metadata().unwrap().len() / 2).unwrap();
        let (report, request, zip) = taken_home(&app, &ada).await;
        assert_eq!((report.images, report.gaps.len()), (1, 2), "{:?}", report.gaps);
        assert!(report.gaps.iter().all(|path| path.starts_with("images/input-image/")), "{:?}", report.gaps);
        assert!(what(&request).contains(&"gaps"), "{request}");

        // By the program, as its owner would ask it.
        let file = app.folder().join("home.zip");
        fs::write(&file, zip).unwrap();
        let mut verify = Command::new(env!("CARGO_BIN_EXE_vouchsafe"));
        verify.arg("verify").arg(&file).args(["--key", &app.app.requests.archive_key().to_string()]);
        let said = verify.output().unwrap();
        let text = String::from_utf8_lossy(&said.stdout).into_owned();
        assert!(said.status.success(), "{text}");
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(text.contains("This archive is whole."), "{text}");
        for path in &report.gaps {
            assert!(text.contains(&format!("“{path}” stands in the place of a picture")), "{text}");
        }

        // Its owner is told in the letter, and staff by what waits for a hand.
        let told = app.mails().into_iter().filter(|m| m.to == "ada@example.org").map(|m| m.letter.text);
        let told = told.map(|text| text.split_whitespace().collect::<Vec<_>>().join(" "));
        let told = told.filter(|text| text.contains("Something of it could not be read")).count();
        assert_eq!(told, 1);
        let waiting = {
            let mut tx = app.app.db.read().await.unwrap();
            jobs::troubled(&mut tx, 10).await.unwrap()
        };
        assert_eq!(waiting.len(), 2, "{waiting:?}");
        for job in waiting {
            let why = job.last_error.unwrap();
            assert!(job.kind == UNREAD && why.contains("a picture cannot be read"), "{why}");
        }
        app.leave_the_queue();
    }
}
